"""M-Bus data records: bytes in, values out. The same records come by wire and by radio.

1. A record is a DIF (length, function, storage), up to ten DIFEs (storage, tariff, subunit), a VIF (quantity, unit,
   power of ten), up to ten VIFEs (what changes its meaning), then the data.
2. `walk` gives one record after another; `rest` of the result is the manufacturer's block behind DIF 0F or 1F, kept as
   it came, and `more` tells that another telegram follows.
3. A value the meter marks as missing (a VIFE with an error, BCD that is none, an invalid date) is None, never a number.
4. Whatever is cut off or too long is a DecodeError; nothing is guessed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal

from drivers.contract import DecodeError
from drivers.mbus import values
from drivers.mbus.modifiers import UNMODIFIED, Modified, modify
from drivers.mbus.tables import (
    CONTAINERS,
    DATES,
    EXTENDED_FB,
    EXTENDED_FD,
    MANUFACTURER,
    PLAIN,
    TEXT,
    UNKNOWN,
    UNSIGNED,
    Meaning,
)  # fmt: skip

Function = Literal["instantaneous", "maximum", "minimum", "error"]
Content = int | Fraction | str | date | datetime | bytes | None

MAX_EXTENSIONS = 10
"""DIFEs, and VIFEs, of one record."""

EXTENDED = 0x80
MANUFACTURER_DATA, MORE_RECORDS, FILLER = 0x0F, 0x1F, 0x2F

_FUNCTIONS: tuple[Function, ...] = ("instantaneous", "maximum", "minimum", "error")
_LENGTHS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
_REAL, _VARIABLE, _SPECIAL = 5, 13, 15
_BCD = (9, 10, 11, 12, 14)

_FB, _FD, _TEXT, _MANUFACTURER = 0xFB, 0xFD, 0x7C, 0x7F

# The longest text a record holds; C0 and up of the length byte are numbers.
_LONGEST_TEXT = 0xBF


# Bytes of a long binary number, by the last digit of its length byte F0 to F6.
_LONG_BINARIES = {0: 16, 1: 20, 2: 24, 3: 28, 4: 32, 5: 48, 6: 64}


@dataclass(frozen=True, slots=True)
class Record:
    """One record: what is measured, in which unit, and its value after all scaling; None where the meter has none.

    Of a record `described_by_text` the unit is the meter's own words, a unit or a name.

    `head` is DIF to the last VIFE (and text) as on the wire; it stands at `start`, the data at `data_at` to `end`.
    `modifiers` change what `quantity` means (`per_hour`, `at_l1`, `when`). `error` is what the meter says instead of a
    value. `scale` is what the wire's number was multiplied by, and what those inside a profile still must be.
    """

    start: int
    data_at: int
    end: int
    head: bytes
    function: Function
    storage: int
    tariff: int
    subunit: int
    quantity: str
    unit: str | None
    value: Content
    modifiers: tuple[str, ...] = ()
    error: str | None = None
    scale: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Records:
    """All records of a telegram; `rest` is the manufacturer's own block, `more` tells that another telegram follows."""

    records: tuple[Record, ...]
    rest: bytes = b""
    more: bool = False


def decode_records(data: bytes, *, cut_off: bool = False) -> Records:
    """Take the data of a telegram apart; raises DecodeError.

    `cut_off`: where the records stop making sense, the rest is taken for the maker's own, as some radio meters send it.
    """
    records: list[Record] = []
    rest, more = b"", False
    try:
        for item in walk(data):
            if isinstance(item, Record):
                records.append(item)
            elif item.is_manufacturers:
                rest, more = data[item.start + 1 :], item.more
    except DecodeError:
        if not cut_off:
            raise
        rest = data[records[-1].end if records else 0 :]
    return Records(tuple(records), rest, more)


@dataclass(frozen=True, slots=True)
class Mark:
    """A DIF that stands alone: a filler, a request for everything, or the head of the manufacturer's block."""

    start: int
    end: int
    dif: int

    @property
    def is_manufacturers(self) -> bool:
        """Whether everything behind it is the manufacturer's."""
        return self.dif in (MANUFACTURER_DATA, MORE_RECORDS)

    @property
    def more(self) -> bool:
        """Whether another telegram follows."""
        return self.dif == MORE_RECORDS


def walk(data: bytes) -> Iterator[Record | Mark]:
    """Give records and marks in order; raises DecodeError where the bytes stop making sense."""
    cursor = _Cursor(data)
    while cursor.at < len(data):
        dif = data[cursor.at]
        if dif & 0x0F != _SPECIAL:
            yield _record(cursor)
            continue
        start = cursor.at
        mark = Mark(start, len(data) if dif in (MANUFACTURER_DATA, MORE_RECORDS) else start + 1, dif)
        yield mark
        cursor.at = mark.end


class _Cursor:
    """A place in the data; reading past the end is a DecodeError."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise DecodeError("the record is cut off", "is the whole telegram there?")
        taken, self.at = self.data[self.at : end], end
        return taken

    def extensions(self, first: int, kind: str) -> list[int]:
        """Read what follows a byte as long as its top bit says so."""
        found: list[int] = []
        while first & EXTENDED:
            if len(found) == MAX_EXTENSIONS:
                raise DecodeError(f"more than {MAX_EXTENSIONS} {kind}s", "the telegram is damaged")
            first = self.byte()
            found.append(first)
        return found


def _record(cursor: _Cursor) -> Record:
    start = cursor.at
    dif = cursor.byte()
    storage, tariff, subunit = _places(dif, cursor.extensions(dif, "DIFE"))
    meaning, extensions = _meaning(cursor)
    modified = modify(extensions)
    data_at = cursor.at
    value = _value(cursor, dif & 0x0F, meaning, modified)
    unit, scale = meaning.unit, meaning.scale
    if modified is not UNMODIFIED:
        unit, scale = _changed(meaning, modified)
    return Record(
        start, data_at, cursor.at, cursor.data[start:data_at], _FUNCTIONS[dif >> 4 & 0x03], storage, tariff, subunit,
        meaning.quantity, unit, None if modified.error else _scaled(value, scale, modified.offset), modified.words,
        modified.error, scale,
    )  # fmt: skip


def _places(dif: int, extensions: list[int]) -> tuple[int, int, int]:
    """Give storage, tariff and subunit; each DIFE adds four bits, two and one above those before."""
    storage, tariff, subunit = dif >> 6 & 1, 0, 0
    for number, extension in enumerate(extensions):
        storage |= (extension & 0x0F) << 1 + 4 * number
        tariff |= (extension >> 4 & 0x03) << 2 * number
        subunit |= (extension >> 6 & 1) << number
    return storage, tariff, subunit


def _meaning(cursor: _Cursor) -> tuple[Meaning, list[int]]:
    """Read VIF, text and VIFEs: what the value is, and what changes it."""
    vif = cursor.byte()
    code = vif & ~EXTENDED
    if code == _TEXT:
        # The text stands between VIF and VIFEs, its length first.
        name = values.text(cursor.take(cursor.byte()))
        return Meaning(TEXT, name), cursor.extensions(vif, "VIFE")
    extensions = cursor.extensions(vif, "VIFE")
    if vif in (_FB, _FD):
        table = EXTENDED_FB if vif == _FB else EXTENDED_FD
        return table.get(extensions[0] & ~EXTENDED, UNKNOWN), extensions[1:]
    if code == _MANUFACTURER:
        return MANUFACTURER, []
    return PLAIN.get(code, UNKNOWN), extensions


def _changed(meaning: Meaning, modified: Modified) -> tuple[str | None, Fraction]:
    """Give unit and factor of a value that VIFEs changed."""
    if modified.is_date:
        return None, Fraction(1)
    if modified.seconds:
        return "s", modified.seconds * modified.scale
    return meaning.unit, meaning.scale * modified.scale


def _scaled(value: Content, scale: Fraction, offset: Fraction) -> Content:
    if not isinstance(value, (int, Fraction)) or (scale == 1 and not offset):
        return value
    if isinstance(value, int) and not offset:  # nearly always, and three times as fast
        value *= scale.numerator
        return Fraction(value, scale.denominator) if value % scale.denominator else value // scale.denominator
    exact = value * scale + offset
    return exact.numerator if exact.denominator == 1 else exact


# --- data ------------------------------------------------------------------------------------------------------------

_TIMES: dict[int, Callable[[bytes], Content]] = {
    2: values.date_g,
    3: values.clock_j,
    4: values.time_f,
    6: values.time_i,
}


def _value(cursor: _Cursor, kind: int, meaning: Meaning, modified: Modified) -> Content:
    if kind == _VARIABLE:
        return _variable(cursor, is_container=meaning.quantity in CONTAINERS or modified.is_profile)
    length = _LENGTHS[kind]
    if length == 0:
        return None
    data = cursor.take(length)
    if kind in _BCD:
        return values.bcd(data)
    if kind == _REAL:
        return values.real(data)
    if (meaning.quantity in DATES or modified.is_date) and length in _TIMES:
        return _TIMES[length](data)
    return values.unsigned(data) if meaning.quantity in UNSIGNED else values.integer(data)


def _variable(cursor: _Cursor, *, is_container: bool) -> Content:
    """Read data whose first byte says how long it is, and what."""
    length = cursor.byte()
    if length <= _LONGEST_TEXT:
        return cursor.take(length) if is_container else values.text(cursor.take(length))
    high, low = length >> 4, length & 0x0F
    if high in (0xC, 0xD) and low <= 9:  # noqa: PLR2004  digits, two a byte
        number = values.bcd(cursor.take(low))
        return -number if number is not None and high == 0xD else number  # noqa: PLR2004
    if high == 0xE:  # noqa: PLR2004
        return cursor.take(low)
    if high == 0xF and low in _LONG_BINARIES:  # noqa: PLR2004
        return cursor.take(_LONG_BINARIES[low])
    raise DecodeError(f"a variable length of {length:#04x} is reserved", "the telegram is damaged")
