"""Load profiles as meters keep them: gaps in rows, times without zone, rows by number, and what is denied."""

from collections.abc import Generator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drivers import profiles
from drivers.contract import DecodeError, Refused
from drivers.dlms import clock
from drivers.dlms.data import Data, Tag
from drivers.dlms.layout import History
from drivers.dlms.objects import CLOCK, Access, Denied, Descriptor, Query, Result, Selector
from drivers.dlms.reading import Known, Row, read_counter, read_history, read_nameplate, read_objects, read_registers

CODE = bytes((1, 0, 99, 1, 0, 255))
ENERGY = Descriptor(3, bytes((1, 0, 1, 8, 0, 255)), 2)
LAYOUT = profiles.load("dlms").layout
OSLO = ZoneInfo("Europe/Oslo")
NULL = Data(Tag.NULL)


class Meter:
    """Stands in for a client: attributes by descriptor; rows are chosen by number only where `by_time` is False."""

    def __init__(self, told: dict[Descriptor, Data], *, by_time: bool = True) -> None:
        self.told, self.by_time = told, by_time
        self.asked: list[tuple[Descriptor, Access | None]] = []

    def get(self, target: Descriptor, access: Access | None = None) -> Generator[bytes, bytes, Result]:
        """Answer at once."""
        yield from ()
        self.asked.append((target, access))
        if access is not None and access.selector == Selector.RANGE and not self.by_time:
            return Denied(13)
        return self.told.get(target, Denied(4))

    def get_all(self, queries: Sequence[Query]) -> Generator[bytes, bytes, tuple[Result, ...]]:
        """Answer at once."""
        answers = []
        for target, access in queries:
            answers.append((yield from self.get(target, access)))
        return tuple(answers)


def run(script: Generator[bytes, bytes, Any]) -> Any:
    """Run a script that needs no bytes."""
    try:
        next(script)
    except StopIteration as done:
        return done.value
    raise AssertionError


def column(target: Descriptor) -> Data:
    """Name a column."""
    parts = (
        Data(Tag.UINT16, target.class_id), Data(Tag.OCTET_STRING, target.obis), Data(Tag.INT8, target.index),
        Data(Tag.UINT16, 0),
    )  # fmt: skip
    return Data(Tag.STRUCTURE, parts)


def profile(*rows: tuple[Data, ...], period: int = 900) -> dict[Descriptor, Data]:
    """Make a meter's load profile of time and energy."""
    return {
        Descriptor(7, CODE, 3): Data(Tag.ARRAY, (column(CLOCK), column(ENERGY))),
        Descriptor(7, CODE, 4): Data(Tag.UINT32, period),
        Descriptor(7, CODE, 7): Data(Tag.UINT32, 1000),
        Descriptor(7, CODE, 2): Data(Tag.ARRAY, tuple(Data(Tag.STRUCTURE, row) for row in rows)),
        Descriptor(3, ENERGY.obis, 3): Data(Tag.STRUCTURE, (Data(Tag.INT8, 1), Data(Tag.ENUM, 30))),
    }


def at(moment: datetime, status: int = 0) -> Data:
    """Write a row's time."""
    return Data(Tag.OCTET_STRING, clock.encode(moment)[:-1] + bytes((status,)))


def energy(value: int) -> Data:
    """Write a row's energy."""
    return Data(Tag.UINT32, value)


def history(meter: Meter, since: datetime, until: datetime, zone: ZoneInfo = OSLO) -> list[Row]:
    """Read the rows."""
    rows: list[Row] = run(
        read_history(meter, LAYOUT, History(Descriptor(7, CODE, 2), zone), Known(), since, until)  # type: ignore[arg-type]
    )
    return rows


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def test_nothing_in_a_row_means_as_before() -> None:
    """No value is that of the row before; no time is one period later; scaler and unit are the register's."""
    meter = Meter(profile((at(NOON), energy(100)), (NULL, energy(101)), (NULL, NULL), (at(NOON + 4 * QUARTER), NULL)))
    rows = history(meter, NOON, NOON + 4 * QUARTER)
    assert [(row.at, row.said.values["energy_import_wh"]) for row in rows] == [
        (NOON, 1000), (NOON + QUARTER, 1010), (NOON + 2 * QUARTER, 1010), (NOON + 4 * QUARTER, 1010),
    ]  # fmt: skip


def test_the_hour_that_comes_twice_is_told_by_summer_time() -> None:
    """Local times without deviation, on the night the clocks go back."""
    twice = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001  as the meter says it
    meter = Meter(profile((at(twice, 0x80), energy(1)), (at(twice, 0x00), energy(2))))
    day = datetime(2026, 10, 25, tzinfo=UTC)
    rows = history(meter, day, day + timedelta(hours=5))
    assert [row.at for row in rows] == [day + timedelta(minutes=30), day + timedelta(minutes=90)]


def test_rows_outside_are_left_out_and_doubtful_ones_marked() -> None:
    """A meter that gives all its rows gives no more than was asked for; a clock it doubts is told."""
    meter = Meter(profile(*((at(NOON + n * QUARTER, 2 * (n == 2)), energy(n)) for n in range(-3, 9))))
    rows = history(meter, NOON + QUARTER, NOON + 3 * QUARTER)
    assert [(row.at, row.is_doubtful) for row in rows] == [
        (NOON + QUARTER, False), (NOON + 2 * QUARTER, True), (NOON + 3 * QUARTER, False),
    ]  # fmt: skip


def test_a_meter_that_knows_no_times_is_asked_by_number() -> None:
    """Its newest rows, as many as the gap has and some to spare."""
    meter = Meter(profile((at(NOON), energy(1))), by_time=False)
    assert len(history(meter, NOON - 4 * QUARTER, NOON)) == 1
    access = meter.asked[-1][1]
    assert access is not None
    assert [part.content for part in access.parameter.elements][:2] == [1000 - (4 + 8) + 1, 0]


def test_rows_that_do_not_fit_their_columns_are_refused() -> None:
    """A row of another length would put values under wrong names."""
    with pytest.raises(DecodeError, match="columns"):
        history(Meter(profile((at(NOON), energy(1), energy(2)))), NOON, NOON)
    with pytest.raises(Refused, match="no such object"):
        history(Meter({}), NOON, NOON)


def test_what_a_meter_lacks_is_asked_for_once() -> None:
    """Scalers and what was denied are known from the first reading on."""
    meter, known = Meter(profile() | {ENERGY: energy(5)}), Known()
    said, told = run(read_registers(meter, LAYOUT, known))  # type: ignore[arg-type]
    assert (dict(said.values), told) == ({"energy_import_wh": 50}, None)
    assert said.left_out["denied_value"] == len(LAYOUT.registers) - 1
    meter.asked.clear()
    said, _ = run(read_registers(meter, LAYOUT, known))  # type: ignore[arg-type]
    assert said.values == {"energy_import_wh": 50}
    assert [target for target, _ in meter.asked] == [CLOCK, ENERGY]
    with pytest.raises(Refused, match="gives no value"):
        run(read_registers(Meter({}), LAYOUT, Known()))  # type: ignore[arg-type]


def test_nameplate_counter_and_objects() -> None:
    """Text that can be shown, a number, and codes; anything else is left out or refused."""
    name, serial = (Descriptor(1, bytes((0, 0, first, second, 0, 255)), 2) for first, second in ((42, 0), (96, 1)))
    shown = Meter({name: Data(Tag.OCTET_STRING, b"NBD1"), serial: Data(Tag.OCTET_STRING, b"\x00\x01")})
    assert run(read_nameplate(shown)) == {"name": "NBD1"}  # type: ignore[arg-type]
    code = bytes((0, 0, 43, 1, 0, 255))
    assert run(read_counter(Meter({Descriptor(1, code, 2): energy(9)}), code)) == 9  # type: ignore[arg-type]
    with pytest.raises(DecodeError, match="no number"):
        run(read_counter(Meter({Descriptor(1, code, 2): NULL}), code))  # type: ignore[arg-type]
    item = Data(Tag.STRUCTURE, (Data(Tag.UINT16, 3), Data(Tag.UINT8, 0), Data(Tag.OCTET_STRING, ENERGY.obis)))
    listed = Meter({Descriptor(15, bytes((0, 0, 40, 0, 0, 255)), 2): Data(Tag.ARRAY, (item, NULL))})
    assert run(read_objects(listed)) == (Descriptor(3, ENERGY.obis, 0),)  # type: ignore[arg-type]
