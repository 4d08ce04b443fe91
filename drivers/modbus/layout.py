"""Turns the registers of an answer into values: compiled once a profile, run once an answer.

1. A `Row` says where a value lies, its type, its exact factor into the base unit, and which bit patterns mean "absent".
   It may need a second place: a power of ten that scales it, or a part to be added. Both then lie in one request, so
   that they belong to one moment. A `Status` row gives words instead of a value.
2. `compile_page` makes one `struct.Struct` for all plain rows of a request. Where words or bytes are swapped, or rows
   overlap, one table of positions first puts the bytes into order.
3. Each row has a converter (numbers.py): raw number in, value out, or None for an absent one.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from operator import itemgetter
from typing import Any, Literal

from drivers.contract import Number
from drivers.decimals import exact, number
from drivers.modbus.codec import Read
from drivers.modbus.numbers import CODES, Type, converter, registers_of
from drivers.modbus.plan import Span

Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
ORDERS: tuple[Order, ...] = ("ABCD", "CDAB", "BADC", "DCBA")
HOLDING, INPUT = 3, 4

MOST_SCALE = 10
"""Powers of ten beyond this are no scale (SunSpec allows -10 to 10), the pattern 0x8000 for "none" among them."""

Take = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A second place that a value is made from."""

    at: int
    type: Type


@dataclass(frozen=True, slots=True)
class Row:
    """One value in a table (a function): address, type, key of the reading, factor into the base unit, absent patterns.

    `scale` is where its power of ten stands, `plus` what is added to it, in the same unit.
    """

    at: int
    type: Type
    key: str
    factor: Fraction
    absent: frozenset[int] = frozenset()
    table: int = HOLDING
    scale: Part | None = None
    plus: Part | None = None

    @property
    def registers(self) -> int:
        """How many registers its own number takes."""
        return registers_of(self.type)

    @property
    def span(self) -> Span:
        """All that must be read for it, in one request."""
        return _around(self, *(part for part in (self.scale, self.plus) if part))


@dataclass(frozen=True, slots=True)
class Status:
    """A register whose bits are words of `quantities.FLAGS`: (mask, word)."""

    at: int
    type: Type
    flags: tuple[tuple[int, str], ...]
    table: int = HOLDING

    @property
    def span(self) -> Span:
        """All that must be read for it."""
        return _around(self)


@dataclass(frozen=True, slots=True)
class Page:
    """One request and how its answer is read; `rows` is what it was compiled from."""

    read: Read
    decode: Callable[[bytes], dict[str, Number]]
    status: Callable[[bytes], tuple[str, ...]] | None = None
    rows: tuple[Row | Status, ...] = field(default=(), repr=False)


def _around(*parts: Part | Row | Status) -> Span:
    return Span(min(part.at for part in parts), max(part.at + registers_of(part.type) for part in parts))


def compile_page(read: Read, rows: Iterable[Row | Status], order: Order) -> Page:
    """Compile the rows that lie within `read`."""
    rows = tuple(sorted(rows, key=lambda row: row.at))
    plain = [row for row in rows if isinstance(row, Row) and not (row.scale or row.plus)]
    made = [row for row in rows if isinstance(row, Row) and (row.scale or row.plus)]
    states = [row for row in rows if isinstance(row, Status)]
    decode = _plain_decoder(plain, read, order) if plain else lambda _payload: {}
    if made:
        decode = _with(decode, [(row.key, _maker(row, read.start, order)) for row in made])
    return Page(read, decode, _status_decoder(states, read.start, order) if states else None, rows)


# --- plain rows ------------------------------------------------------------------------------------------------------


def _plain_decoder(rows: Sequence[Row], read: Read, order: Order) -> Callable[[bytes], dict[str, Number]]:
    places = [place for row in rows for place in positions(row, read.start, order)]
    codes = [CODES[row.type] for row in rows]
    columns = [(row.key, converter(row.type, row.factor, row.absent)) for row in rows]
    if places == sorted(set(places)):
        unpack, pick = struct.Struct(_padded(rows, codes, read)).unpack, None
    else:
        unpack, pick = struct.Struct(">" + "".join(codes)).unpack, itemgetter(*places)

    def decode(payload: bytes) -> dict[str, Number]:
        raw = unpack(bytes(pick(payload)) if pick else payload)
        return {
            key: value
            for (key, convert), number in zip(columns, raw, strict=True)
            if (value := convert(number)) is not None
        }

    return decode


def positions(part: Part | Row | Status, start: int, order: Order) -> list[int]:
    """List a number's bytes in the payload, most significant first."""
    words = range(part.at - start, part.at - start + registers_of(part.type))
    if order in ("CDAB", "DCBA"):
        words = words[::-1]
    swap = order in ("BADC", "DCBA")
    return [2 * word + (half ^ swap) for word in words for half in (0, 1)]


def _padded(rows: Sequence[Row], codes: Sequence[str], read: Read) -> str:
    """Name every register of the answer to `struct`: a row, or padding."""
    text, at = ">", read.start
    for row, code in zip(rows, codes, strict=True):
        text += f"{2 * (row.at - at)}x{code}"
        at = row.at + row.registers
    return text + f"{2 * (read.start + read.count - at)}x"


# --- rows made of two places, and status -----------------------------------------------------------------------------


def _with(
    decode: Callable[[bytes], dict[str, Number]], made: Sequence[tuple[str, Callable[[bytes], Number | None]]]
) -> Callable[[bytes], dict[str, Number]]:
    def decode_all(payload: bytes) -> dict[str, Number]:
        values = decode(payload)
        values.update((key, value) for key, make in made if (value := make(payload)) is not None)
        return values

    return decode_all


def _taker(part: Part | Row | Status, start: int, order: Order) -> Take:
    """Make what takes one raw number out of a payload."""
    pick, unpack = itemgetter(*positions(part, start, order)), struct.Struct(f">{CODES[part.type]}").unpack
    return lambda payload: unpack(bytes(pick(payload)))[0]


def _maker(row: Row, start: int, order: Order) -> Callable[[bytes], Number | None]:
    raw_of = _taker(row, start, order)
    if row.scale:
        power_of = _taker(row.scale, start, order)

        @cache  # at most 21 converters
        def scaled(power: int) -> Callable[[Any], Number | None]:
            return converter(row.type, row.factor * Fraction(10) ** power, row.absent)

        def times(payload: bytes) -> Number | None:
            power = power_of(payload)
            return scaled(power)(raw_of(payload)) if -MOST_SCALE <= power <= MOST_SCALE else None

        return times
    convert = converter(row.type, row.factor, row.absent)
    assert row.plus is not None  # noqa: S101  who calls has looked
    more_of, convert_more = _taker(row.plus, start, order), converter(row.plus.type, row.factor)

    def plus(payload: bytes) -> Number | None:
        value, more = convert(raw_of(payload)), convert_more(more_of(payload))
        return None if value is None or more is None else number(exact(value) + exact(more))

    return plus


def _status_decoder(rows: Sequence[Status], start: int, order: Order) -> Callable[[bytes], tuple[str, ...]]:
    takers = [(_taker(row, start, order), row.flags) for row in rows]

    def status(payload: bytes) -> tuple[str, ...]:
        return tuple({word: None for take, flags in takers for mask, word in flags if take(payload) & mask})

    return status
