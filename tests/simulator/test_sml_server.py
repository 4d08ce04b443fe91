"""A simulated SML meter says what its home takes, in bytes that were checked by hand."""

from typing import Any

import pytest

from drivers.sml.codec import Decoder
from simulator.habits import Home
from simulator.households import Household
from simulator.scenario import Scenario
from simulator.serving import SimulatorError
from simulator.sml_server import crc_kermit, crc_x25, entry, file_of, octets, signed, telegram, unsigned
from simulator.stage import Stage

NOON = 1_790_000_000.0


def test_elements_byte_by_byte() -> None:
    """Short and long lengths, signs, three-byte numbers; the length of bytes counts its own bytes."""
    assert octets(b"NBD").hex() == "044e4244"
    assert octets(bytes(14)).hex() == "0f" + "00" * 14
    assert octets(bytes(15)).hex() == "8101" + "00" * 15
    assert octets(bytes(48)).hex() == "8302" + "00" * 48
    assert octets(bytes(300)).hex().startswith("81820f00")
    assert unsigned(2325, 2).hex() == "630915"
    assert signed(-10_550, 3).hex() == "54ffd6ca"
    assert entry("1-0:16.7.0*255", signed(-1, 1), 27, -2).hex() == "77070100100700ff0101621b52fe52ff01"


def test_a_file_byte_by_byte() -> None:
    """Marks, padding, the escape sent twice, a checksum over it all; check values of 123456789."""
    data = file_of([b"\x1b\x1b\x1b\x1b\x05"])
    assert data[:-2].hex() == "1b1b1b1b010101011b1b1b1b1b1b1b1b050000001b1b1b1b1a03"
    assert data[-2:] == crc_x25(data[:-2]).to_bytes(2, "little")
    assert (crc_x25(b"123456789"), crc_kermit(b"123456789")) == (0x906E, 0x2189)


def test_it_says_what_the_home_takes() -> None:
    """Its registers are the home's, cut at tenths of Wh, and its status tells which way energy flows."""
    homes = Household(Home(1)), Household(Home(1, 9_000.0))
    for home, flows in zip(homes, (0x1C_0104, 0x1C_0904), strict=True):
        values = home.at("electricity", NOON)
        said = telegram(home, NOON)
        register = unsigned(int(values["energy_import"] * 10), 8)
        assert entry("1-0:1.8.0*255", register, 30, -1, flows) in said
        assert entry("1-0:16.7.0*255", signed(round(values["power"]), 4), 27, 0) in said


def staged(*meters: dict[str, str], kind: str = "pty") -> tuple[str, Any]:
    """Put meters on one line of a scenario; give its protocol and server."""
    plan = Scenario.model_validate(
        {
            "line": [{"name": "head", "kind": kind}],
            "meter": [{"line": "head", "profile": "sml", **row} for row in meters],
        }
    )
    return Stage(plan, lambda: NOON).line(plan.line[0])


async def test_a_scenario_puts_it_on_a_line(heard: Any) -> None:
    """Whoever listens hears whole telegrams of its home."""
    protocol, server = staged({"name": "flat"})
    assert protocol == "sml"
    session = server.open(heard)
    await heard.until(100)
    session.close()
    assert len(Decoder().feed(heard.data)) == 1


@pytest.mark.parametrize("meters", [[{"name": "a"}, {"name": "b"}], [{"name": "a", "channel": "gas"}]])
def test_an_optical_head_sees_one_electricity_meter(meters: list[dict[str, str]]) -> None:
    """Two meters, or a gas meter, cannot be behind it."""
    with pytest.raises(SimulatorError, match="one electricity meter"):
        staged(*meters)
