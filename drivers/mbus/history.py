"""Compact profiles: many stored values of one quantity in one record. A telegram's records in, stored values out.

1. A record whose VIFE says `compact_profile` holds a byte of control, a byte of spacing, and values of equal length.
2. Control says how each value counts (by itself, or against the one before it), and the unit of the spacing; the last
   four bits are a DIF's: how a value is written.
3. The record of the same quantity and storage is the base, and a date of the same storage is when the base was stored.
   Values follow under the next storage numbers, each one spacing later; of an inverse profile, one spacing earlier.
4. What control and spacing do not say for certain stays raw: then the record gives nothing here.

Facts: captured telegrams of allocators and water meters beside what wmbusmeters reads in them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from drivers.mbus import values
from drivers.mbus.modifiers import INVERSE_PROFILE, PROFILES
from drivers.mbus.records import Record, Records
from drivers.mbus.tables import DATE, TIME

_HEAD = 2
_LENGTHS = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 8, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
"""Bytes of a value by the last four bits of control; a float (5) was never seen."""
_FIRST_BCD = 9

_ABSOLUTE, _INCREMENTS, _DECREMENTS, _DIFFERENCES = range(4)
_DAYS, _MONTH = 3, 0xFE
_MOST_SPACING = 250
_SECONDS = (1, 60, 3600)
_MONTHS = 12

Moment = date | datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """One value of a profile: `value` after all scaling in `unit`, None where the meter has none.

    `at` is when it was stored, on the meter's own clock; None where the telegram has no date for its base. `record` is
    the profile.
    """

    record: Record
    storage: int
    value: values.Exact | None
    at: Moment | None


def is_profile(record: Record) -> bool:
    """Tell whether a record holds a profile."""
    return not PROFILES.isdisjoint(record.modifiers)


def stored(records: Records) -> tuple[Stored, ...]:
    """Give the values of all profiles of a telegram, in the order they stand there."""
    return tuple(value for record in records.records if is_profile(record) for value in _values(record, records))


def _values(record: Record, records: Records) -> Iterator[Stored]:
    data = record.value
    size = _LENGTHS.get(data[0] & 0x0F, 0) if isinstance(data, bytes) and len(data) > _HEAD else 0
    if not isinstance(data, bytes) or not size or (len(data) - _HEAD) % size:
        return
    mode, direction = data[0] >> 6, -1 if INVERSE_PROFILE in record.modifiers else 1
    step = _stepper(data[0] >> 4 & 0x03, data[1])
    base = next((other for other in records.records if _is_base(other, record)), None)
    last = base.value if base is not None and isinstance(base.value, (int, Fraction)) else None
    start = next((other.value for other in records.records if _is_date_of(other, record)), None)
    if step is None or (mode != _ABSOLUTE and last is None):
        return
    for number, at in enumerate(range(_HEAD, len(data), size), start=1):
        raw = _read(data[at : at + size], data[0] & 0x0F, signed=mode in (_ABSOLUTE, _DIFFERENCES))
        found = None if raw is None else raw * record.scale
        if mode != _ABSOLUTE:
            # Once one is missing, those behind it hang in the air.
            last = found = None if found is None or last is None else last + _sign(mode) * direction * found
        moment = step(start, direction * number) if isinstance(start, date) else None
        yield Stored(record, record.storage + number, _plain(found), moment)


def _sign(mode: int) -> int:
    return -1 if mode == _DECREMENTS else 1


def _plain(number: values.Exact | None) -> values.Exact | None:
    return number.numerator if number is not None and number.denominator == 1 else number


def _read(data: bytes, kind: int, *, signed: bool) -> int | None:
    """Read a value; none where all its bits are set, which is how unsigned ones say that there is none."""
    if kind >= _FIRST_BCD:
        return values.bcd(data)
    if signed:
        return values.integer(data)
    return None if data == b"\xff" * len(data) else values.unsigned(data)


def _is_base(other: Record, record: Record) -> bool:
    """Tell whether this is the value that a profile begins from."""
    words = tuple(word for word in record.modifiers if word not in PROFILES)
    mine = (record.quantity, record.function, record.storage, record.tariff, record.subunit, words)
    return mine == (other.quantity, other.function, other.storage, other.tariff, other.subunit, other.modifiers)


def _is_date_of(other: Record, record: Record) -> bool:
    return other.quantity in (DATE, TIME) and not other.modifiers and other.storage == record.storage


# --- when ------------------------------------------------------------------------------------------------------------

_Step = Callable[[Moment, int], Moment | None]


def _stepper(unit: int, spacing: int) -> _Step | None:
    """Give what leads from the base's moment to that of a value; None for a spacing nobody can tell."""
    if unit == _DAYS and spacing == _MONTH:
        return _months
    if not 0 < spacing <= _MOST_SPACING:
        return None
    each = timedelta(days=spacing) if unit == _DAYS else timedelta(seconds=spacing * _SECONDS[unit])
    return lambda start, steps: _later(start, each * steps)


def _later(start: Moment, much: timedelta) -> Moment | None:
    """Add to a moment; a date by less than a day, and years that no calendar has, give none."""
    if not isinstance(start, datetime) and much % timedelta(days=1):
        return None
    try:
        return start + much
    except OverflowError:
        return None


def _months(start: Moment, months: int) -> Moment | None:
    """Add months; a day that the month does not have is its last one."""
    year, month = divmod(start.year * _MONTHS + start.month - 1 + months, _MONTHS)
    try:
        first = start.replace(year=year, month=month + 1, day=1)
    except ValueError:
        return None
    if (start + timedelta(days=1)).day == 1:
        return _last_of(first)
    last = _last_of(first)
    return first.replace(day=min(start.day, last.day))


def _last_of(first: Moment) -> Moment:
    """Give the last day of the month that a moment is the first day of."""
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
