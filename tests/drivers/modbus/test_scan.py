"""The search of Modbus lines and hosts, step by step, in memory."""

from collections.abc import Callable
from random import Random

import pytest

from drivers.link import Line
from drivers.modbus.codec import crc16, rtu_request
from drivers.modbus.naming import Model
from drivers.modbus.scan import DOORS, KNOCK, LINES, UNITS, host, overheard, serial, speakers, thorough
from drivers.scan import Ask
from gateway.scan.book import load_book
from tests.support.scan_bus import ModbusBus, Silence, drive, served, stranger

LINE = LINES[0]


@pytest.fixture(scope="module")
def models() -> list[Model]:
    """Give the models that are shipped."""
    return list(load_book().modbus)


def answer(unit: int) -> bytes:
    """Make the answer to the knocking."""
    frame = bytes((unit, 4, 4, 1, 2, 3, 4))
    return frame + crc16(frame)


def refusal(unit: int) -> bytes:
    """Make a refusal of it."""
    frame = bytes((unit, 0x84, 2))
    return frame + crc16(frame)


def test_who_speaks_is_heard_behind_noise_and_before_the_end() -> None:
    """Answers and refusals, several at once, with rubbish around them; our own request is none."""
    assert speakers(b"\x00\xff" + answer(9) + b"\x01" + refusal(200)) == {9, 200}
    assert speakers(rtu_request(9, KNOCK)) == set()
    assert speakers(answer(9)[:-1]) == set()
    assert speakers(answer(9)[:-1] + b"\x00") == set()


def test_another_readers_requests_are_counted() -> None:
    """Requests, not answers."""
    assert overheard(rtu_request(1, KNOCK) + answer(1) + rtu_request(2, KNOCK)) == 2
    assert overheard(Random(1).randbytes(500)) == 0


@pytest.mark.parametrize("line", LINES)
def test_each_speed_and_framing_is_tried(line: Line, models: list[Model]) -> None:
    """A meter at address 1 is found whatever its line is set to, and the line is told."""
    (found,) = drive(serial(models), ModbusBus(line, {1: served("abb-b23", Random(1), 1)}))[0]
    assert (found.profile, found.confidence, found.line) == ("abb-b23", "sure", line)


def test_a_found_speed_ends_the_search_for_others(models: list[Model]) -> None:
    """No other speed is tried once somebody answered."""
    lines: list[Line] = []

    class Watch(ModbusBus):
        def answer(self, ask: Ask) -> bytes:
            lines.append(ask.line)
            return super().answer(ask)

    drive(serial(models), Watch(LINE, {DOORS[-1]: served("abb-b23", Random(1), 1)}))
    assert set(lines) == {LINE}


@pytest.mark.parametrize("unit", [12, 64, 247])
def test_slow_meters_are_found_by_asking_again(unit: int, models: list[Model]) -> None:
    """One that answers only when the next unit is asked is found as itself, and its neighbour is not invented."""
    meters = {1: served("abb-b23", Random(1), 1), unit: served("abb-b21", Random(2), unit)}
    found, _ = drive(serial(models), ModbusBus(LINE, meters, frozenset({unit})))
    assert {one.address for one in found} >= ({1, unit} if unit != UNITS[-1] else {1})
    assert {one.address for one in found} <= {1, unit}


def test_a_device_of_no_model_is_something(models: list[Model]) -> None:
    """It answers, so it is listed, without a profile or without certainty."""
    (found,) = drive(serial(models), ModbusBus(LINE, {1: stranger(Random(3), {})}))[0]
    assert found.confidence == "something"


def test_every_address_is_asked_in_the_end(models: list[Model]) -> None:
    """An odd address at an odd framing."""
    bus = ModbusBus(LINES[2], {244: served("abb-b23", Random(1), 244)})
    assert not drive(serial(models), bus)[0]
    (found,) = drive(thorough(models), bus)[0]
    assert (found.address, found.line) == (244, LINES[2])


# --- TCP -------------------------------------------------------------------------------------------------------------


class Host:
    """A Modbus TCP host; `meter_of` gives what reads for a unit, None where nobody is."""

    def __init__(self, meter_of: Callable[[int], Callable[[int, int, int], bytes | None] | None]) -> None:
        self._meter_of = meter_of

    def answer(self, ask: Ask) -> bytes:
        """Answer by the number of the request, after a stray answer to an older one."""
        number, unit, function = ask.request[:2], ask.request[6], ask.request[7]
        start, count = int.from_bytes(ask.request[8:10], "big"), int.from_bytes(ask.request[10:12], "big")
        meter = self._meter_of(unit)
        if meter is None:
            pdu = bytes((function | 0x80, 11))
        else:
            data = meter(function, start, count)
            pdu = bytes((function | 0x80, 2)) if data is None else bytes((function, len(data))) + data
        stray = b"\xff\xff\0\0\0\3\1\x84\2"
        return stray + number + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit,)) + pdu


def test_units_behind_a_gateway_are_named(models: list[Model]) -> None:
    """Refusals of the gateway itself are nobody."""
    meters = {2: served("abb-b23", Random(1), 2), 5: served("carlo-gavazzi-em24", Random(2), 5)}
    found, _ = drive(host(models), Host(meters.get))
    assert [(one.address, one.profile, one.confidence, one.line) for one in found] == [
        (2, "abb-b23", "sure", None), (5, "carlo-gavazzi-em24", "sure", None),
    ]  # fmt: skip


def test_a_host_that_answers_for_every_unit_is_one_meter(models: list[Model]) -> None:
    """It is not listed eleven times."""
    meter = served("abb-b23", Random(1), 1)
    found, _ = drive(host(models), Host(lambda _unit: meter))
    assert [one.address for one in found] == [1]


def test_a_silent_host_has_no_meter(models: list[Model]) -> None:
    """Nothing answers: nothing found, within twenty seconds."""
    found, seconds = drive(host(models), Silence())
    assert found == []
    assert seconds < 20
