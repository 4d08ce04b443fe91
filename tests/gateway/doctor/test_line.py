"""What a line tells: lines in memory, driven by the very script that runs on real ones."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.link import Line
from drivers.modbus import scan as modbus
from drivers.modbus.codec import Read, crc16, rtu_request
from drivers.scan import Ask
from gateway.doctor import line
from gateway.doctor.finding import Finding
from gateway.doctor.wires import inverted, through_swapped
from simulator.habits import Home
from simulator.households import Household
from simulator.mbus_server import MbusServer
from simulator.sml_server import telegram
from tests.support.scan_bus import Bus, MbusBus, ModbusBus, Silence, Talker, drive, mbus_meter

USUAL = Line(9600, 8, "N", 1)
MBUS = Line(2400, 8, "E", 1)
FULL = {3: lambda _function, _start, count: b"\x43\x66" * count}


def found(
    bus: Bus, driver: str = "modbus", units: tuple[int | str, ...] = (3,), configured: Line = USUAL
) -> list[Finding]:
    """Examine a line and judge it."""
    facts, _ = drive(line.examine(driver, configured, units), bus)
    return line.judge("bus-1", driver, facts)


@dataclass
class Bent:
    """A bus whose words are bent on their way to us; `idle` is heard when nobody asks."""

    bus: Bus
    bend: Callable[[bytes], bytes]
    idle: bytes = b""
    said: list[bytes] = field(default_factory=list)

    def answer(self, ask: Ask) -> bytes:
        """Answer, bent."""
        return self.bend(self.bus.answer(ask)) if ask.request else self.idle


def codes(*args: Any, **more: Any) -> list[str]:
    """Give the codes alone."""
    return [finding.code for finding in found(*args, **more)]


def test_a_healthy_line_has_nothing() -> None:
    """Every knock is answered whole."""
    assert codes(ModbusBus(USUAL, FULL)) == []


def test_a_silent_line_has_nothing_to_tell() -> None:
    """The meters' own silence is told by others."""
    assert codes(Silence()) == []


@pytest.mark.parametrize("real", [real for real in modbus.LINES if real.baud != USUAL.baud])
def test_another_speed_is_named(real: Line) -> None:
    """Whatever usual speed the meter has, it is the one named."""
    (finding,) = found(ModbusBus(real, FULL))
    assert (finding.code, finding.evidence["found"]) == ("wrong_baud", real.baud)


def test_another_parity_is_named() -> None:
    """The speed is right, the framing is not."""
    (finding,) = found(ModbusBus(Line(9600, 8, "E", 1), FULL))
    assert (finding.code, finding.evidence) == ("wrong_parity", {"configured": "8N1", "found": "8E1"})


def test_another_address_is_named() -> None:
    """The one meter of the line answers elsewhere."""
    (finding,) = found(ModbusBus(USUAL, {1: FULL[3]}))
    assert (finding.code, finding.evidence) == ("wrong_address", {"configured": 3, "found": 1})


@pytest.mark.parametrize("bend", [lambda heard: through_swapped(heard, USUAL), inverted], ids=["swapped", "inverted"])
def test_swapped_wires_are_suspected(bend: Callable[[bytes], bytes]) -> None:
    """What a receiver makes of swapped wires, and what an inverting adapter does."""
    assert codes(Bent(ModbusBus(USUAL, FULL), bend)) == ["wires_swapped"]


def test_swapped_wires_are_suspected_of_refusals_too() -> None:
    """A meter that refuses the knocking."""
    refuses = {3: lambda _function, _start, _count: None}
    assert codes(Bent(ModbusBus(USUAL, refuses), lambda heard: through_swapped(heard, USUAL))) == ["wires_swapped"]


@pytest.mark.parametrize("bend", [lambda heard: through_swapped(heard, USUAL), inverted], ids=["swapped", "inverted"])
def test_a_port_that_talks_upside_down_is_suspected(bend: Callable[[bytes], bytes]) -> None:
    """An SML head with its signal turned around."""
    said = telegram(Household(Home(1)), 1_700_000_000.0)
    assert codes(Talker(USUAL, bend(said * 3)), "sml") == ["wires_swapped"]


def test_a_port_that_talks_at_another_speed_is_named() -> None:
    """An SML meter on a line set to 115200 baud."""
    said = telegram(Household(Home(1)), 1_700_000_000.0)
    (finding,) = found(Talker(USUAL, said), "sml", configured=Line(115_200, 8, "N", 1))
    assert (finding.code, finding.evidence["found"]) == ("wrong_baud", 9600)


@pytest.mark.parametrize(
    ("real", "address", "told"),
    [(MBUS, "own", []), (MBUS, "99999999", ["meter_swapped"]), (Line(300, 8, "E", 1), "own", ["wrong_baud"])],
)
def test_mbus_meters_are_known_by_speed_and_number(real: Line, address: str, told: list[str]) -> None:
    """A meter in its place, another one in its place, and one at another speed."""
    meter = mbus_meter(Random(1), 1, 7)
    number = f"{meter.number}.{meter.maker}" if address == "own" else address
    assert codes(MbusBus(real, MbusServer([meter])), "mbus", (number,), MBUS) == told


@pytest.mark.parametrize("seed", range(5))
def test_spoilt_answers_are_counted(seed: int) -> None:
    """A third of the answers has a turned bit, or rubbish behind it: termination is suspected, and nothing else."""
    dice = Random(seed)

    def ring(heard: bytes) -> bytes:
        return heard + dice.randbytes(2) if heard and dice.random() < 0.6 else heard

    assert codes(Bent(ModbusBus(USUAL, FULL, noise=0.1, dice=dice), ring)) == ["no_termination"]


def test_the_requests_of_another_reader_are_counted() -> None:
    """Nothing is asked on such a line."""
    bus = ModbusBus(USUAL, FULL)
    (finding,) = found(Bent(bus, bytes, idle=rtu_request(9, Read(4, 0, 2)) * 3))
    assert (finding.code, finding.evidence["requests"]) == ("two_masters", 3)
    assert bus.asked == []


def test_unasked_bytes_without_requests_are_foreign_talk() -> None:
    """Something sends by itself, and the meter answers beside it."""
    assert codes(Bent(ModbusBus(USUAL, FULL), bytes, idle=b"\x10\x20\x30" * 20)) == ["foreign_talk"]


@given(st.binary(max_size=200))
def test_noise_never_breaks_an_examination(noise: bytes) -> None:
    """Whatever comes back, each finding has a text."""
    from gateway.doctor.texts import said

    for finding in found(Bent(ModbusBus(USUAL, FULL), lambda _heard: noise, idle=noise)):
        assert all(said(finding, "en"))


def test_what_swapped_wires_make_of_a_byte() -> None:
    """Worked by hand: 01 is low, high, low x 7, high; turned around and read from its falling edge it is FE, halved."""
    body = bytes((1, 4, 4))
    assert through_swapped(b"\x01\x01", USUAL)[:1] == bytes(((~0x01 & 0xFF) >> 1,))
    assert through_swapped(b"", USUAL) == b""
    assert len(through_swapped(body + crc16(body), USUAL)) <= 5
