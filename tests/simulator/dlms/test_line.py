"""A scenario puts DLMS meters on lines: asked or pushing, on serial wires and TCP, with keys or without."""

from pathlib import Path
from typing import Any

import pytest

from drivers import profiles
from drivers.contract import NO_KEYS, Bus, Keys, Meter, NoAnswer
from drivers.dlms.driver import open_bus
from simulator.scenario import Scenario
from simulator.serve import running
from simulator.serving import Server, SimulatorError
from simulator.stage import Stage
from tests.support.dlms_meters import HOME, NOW
from tests.support.dlms_peers import AUTH_KEY, KEY, PASSWORD

SECRETS = {"key": KEY, "auth_key": AUTH_KEY, "password": PASSWORD}
KEYS = Keys(bytes.fromhex(KEY), bytes.fromhex(AUTH_KEY))


def plan_of(*meters: dict[str, Any], kind: str) -> Scenario:
    """Put meters on one line."""
    rows = [{"name": f"m{number}", "line": "bus", "profile": "dlms", **row} for number, row in enumerate(meters)]
    return Scenario.model_validate({"line": [{"name": "bus", "kind": kind}], "meter": rows})


def staged(*meters: dict[str, Any], kind: str = "pty") -> tuple[str, Server]:
    """Give a line's protocol and server."""
    plan = plan_of(*meters, kind=kind)
    return Stage(plan, lambda: NOW).line(plan.line[0])


@pytest.mark.parametrize("kind", ["pty", "tcp"])
@pytest.mark.parametrize(
    ("address", "keys"),
    [("16/1/17", NO_KEYS), ("2/1/17", Keys(password=PASSWORD.encode())), ("1/1/17", KEYS)],
    ids=["none", "lls", "gmac"],
)
async def test_our_driver_reads_a_meter_of_a_scenario(kind: str, address: str, keys: Keys, tmp_path: Path) -> None:
    """The meter's address is the physical one on HDLC; behind the wrapper it is the logical device."""
    on_tcp = kind == "tcp"
    plan = plan_of({"address": 1 if on_tcp else 17, **SECRETS}, kind=kind)
    async with running(plan, tmp_path, clock=lambda: NOW) as lines:
        line = lines["bus"]
        assert line.driver == "dlms"
        driver = open_bus(Bus("bus", line.where, state=tmp_path / "state"), lambda: 0)
        await driver.connect()
        where = address.removesuffix("/17") if on_tcp else address
        reading = await driver.read(Meter("m", profiles.load("dlms"), where, 3.0, keys))
        await driver.close()
    # The scenario's own home has its first seed, which is the tests' home.
    assert reading.values["energy_import_wh"] == int(HOME.at("electricity", NOW)["energy_import"])


@pytest.mark.parametrize("keys", [NO_KEYS, Keys(KEYS.encryption), KEYS], ids=["plain", "ciphered", "signed"])
async def test_our_driver_hears_a_meter_that_pushes(keys: Keys, tmp_path: Path) -> None:
    """The push is what the home takes, and its time the meter's; its counter rises over a restart of the simulator."""
    secrets = {name: key.hex() for name in ("encryption", "authentication") if (key := getattr(keys, name))}
    names = {"encryption": "key", "authentication": "auth_key"}
    plan = plan_of({"profile": "dlms-push", **{names[name]: key for name, key in secrets.items()}}, kind="tcp")
    for later in (0, 5):
        async with running(plan, tmp_path, clock=lambda time=NOW + later: time) as lines:  # type: ignore[misc]
            driver = open_bus(Bus("bus", lines["bus"].where, state=tmp_path / "state"), lambda: 0)
            await driver.connect()
            reading = await driver.read(Meter("m", profiles.load("dlms-push"), None, 3.0, keys))
            await driver.close()
        assert reading.values["energy_import_wh"] == int(HOME.at("electricity", NOW + later)["energy_import"])
        assert reading.meter_time == (NOW + later) * 1000


async def test_meters_share_a_serial_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answers to its own address, and nobody to another."""
    monkeypatch.setattr("drivers.dlms.driver.ANSWER", 0.1)
    plan = plan_of({"address": 17}, {"address": 18}, kind="pty")
    async with running(plan, tmp_path, clock=lambda: NOW) as lines:
        driver = open_bus(Bus("bus", lines["bus"].where), lambda: 0)
        await driver.connect()
        plates = [await driver.nameplate(Meter("m", profiles.load("dlms"), address)) for address in (17, 18)]
        assert [plate["serial"] for plate in plates] == ["31080017", "31080018"]
        with pytest.raises(NoAnswer):
            await driver.read(Meter("m", profiles.load("dlms"), 19, 0.05))
        await driver.close()


@pytest.mark.parametrize(
    ("meters", "kind", "said"),
    [
        ([{}], "rtu+tcp", "cannot be rtu\\+tcp"),
        ([{}, {}], "pty", "one address"),
        ([{}, {"address": 2}], "tcp", "one address"),
        ([{"channel": "gas"}], "pty", "measures gas"),
        ([{"profile": "dlms-push"}, {}], "pty", "one electricity meter"),
        ([{"profile": "dlms-kaifa"}], "pty", "by their place"),
    ],
)
def test_what_no_line_can_carry(meters: list[dict[str, Any]], kind: str, said: str) -> None:
    """Gateways, doubled addresses, other channels and lists without codes are refused by name."""
    with pytest.raises(SimulatorError, match=said):
        staged(*meters, kind=kind)
