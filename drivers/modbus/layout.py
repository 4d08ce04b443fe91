"""Turns the registers of an answer into values: compiled once a profile, run once an answer.

1. A `Row` says where a value lies, its type, its exact factor into the base unit, and which bit patterns mean "absent".
2. `compile_page` makes one `struct.Struct` for all rows of a request. Where words or bytes are swapped, or rows
   overlap, one table of positions first puts the bytes into order.
3. Each row has a converter: raw number in, value at the meter's own resolution out, or None for an absent one.

Numbers: an integer register times a decimal factor is an exact decimal (an int, or the float nearest to it; a Decimal
beyond 2^53 steps). A 32-bit float knows seven significant digits, a 64-bit one fifteen; neither more than `DECIMALS`
decimals. NaN and infinity are always absent.
"""

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from operator import itemgetter
from typing import Any, Literal

from drivers.contract import Number
from drivers.modbus.codec import Read
from drivers.quantities import DECIMALS

Type = Literal["u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64"]
Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
Converter = Callable[[Any], Number | None]

_CODES = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q", "f32": "f", "f64": "d"}
_DIGITS = {"f32": 7, "f64": 15}

_EXACT = 2**53
"""Up to here a float holds every integer."""


@dataclass(frozen=True, slots=True)
class Row:
    """One value in the table: address, type, key of the reading, factor into the base unit, absent bit patterns."""

    at: int
    type: Type
    key: str
    factor: Fraction
    absent: frozenset[int] = frozenset()

    @property
    def registers(self) -> int:
        """How many registers it takes."""
        return struct.calcsize(f">{_CODES[self.type]}") // 2


@dataclass(frozen=True, slots=True)
class Page:
    """One request and how its answer is read."""

    read: Read
    decode: Callable[[bytes], dict[str, Number]]


def compile_page(read: Read, rows: Iterable[Row], order: Order) -> Page:
    """Compile the rows that lie within `read`."""
    rows = sorted(rows, key=lambda row: row.at)
    positions = [place for row in rows for place in _positions(row, read.start, order)]
    codes = [_CODES[row.type] for row in rows]
    if positions == sorted(set(positions)):
        return Page(read, _decoder(rows, struct.Struct(_padded(rows, codes, read)), None))
    return Page(read, _decoder(rows, struct.Struct(">" + "".join(codes)), itemgetter(*positions)))


def _positions(row: Row, start: int, order: Order) -> list[int]:
    """List the row's bytes in the payload, most significant first."""
    words = range(row.at - start, row.at - start + row.registers)
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


def _decoder(
    rows: Sequence[Row], shape: struct.Struct, pick: Callable[[bytes], tuple[int, ...]] | None
) -> Callable[[bytes], dict[str, Number]]:
    unpack = shape.unpack
    columns = [(row.key, converter(row)) for row in rows]

    def decode(payload: bytes) -> dict[str, Number]:
        raw = unpack(bytes(pick(payload)) if pick else payload)
        return {
            key: value
            for (key, convert), number in zip(columns, raw, strict=True)
            if (value := convert(number)) is not None
        }

    return decode


# --- numbers ---------------------------------------------------------------------------------------------------------


def converter(row: Row) -> Converter:
    """Choose how a raw number of this row becomes a value."""
    absent = frozenset(_as_number(row.type, bits) for bits in row.absent)
    inner = _of_float(row) if row.type in _DIGITS else _of_int(row.factor)
    if not absent:
        return inner
    return lambda raw: None if raw in absent else inner(raw)


def _as_number(kind: Type, bits: int) -> float:
    code = _CODES[kind]
    size = struct.calcsize(f">{code}")
    number: float = struct.unpack(f">{code}", bits.to_bytes(size, "big"))[0]
    return number


def _of_float(row: Row) -> Callable[[float], Number | None]:
    """Round to the digits the type holds, and to `DECIMALS`.

    A value below 10^(digits - k) keeps k decimals. `round(x * 10^k) / 10^k` gives the very float that formatting and
    parsing would, at a fifth of the cost; only numbers too long for any decimal, and NaN, go the slow way.
    """
    digits = _DIGITS[row.type]
    factor = float(row.factor)
    finest = 10.0**DECIMALS
    scaled, small = factor * finest, 10.0**digits
    coarser = [(10.0 ** (digits - k), 10.0**k) for k in range(DECIMALS - 1, -1, -1)]

    def convert(raw: float) -> Number | None:
        steps = raw * scaled
        if -small < steps < small:
            return round(steps) / finest
        value = raw * factor
        for limit, unit in coarser:
            if -limit < value < limit:
                return round(value * unit) / unit
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None

    return convert


def _of_int(factor: Fraction) -> Callable[[int], Number | None]:
    """Count in the largest decimal step that holds the factor, so that the value is exact."""
    decimals = next((k for k in range(DECIMALS) if (factor * 10**k).denominator == 1), DECIMALS)
    unit = 10**decimals
    steps_of = factor * unit

    def exact(raw: int) -> Number:
        steps: int = raw * multiplier
        if -_EXACT <= steps <= _EXACT:
            return steps / unit if unit != 1 else steps
        return Decimal(steps).scaleb(-decimals)

    def rounded(raw: int) -> Number:
        steps = round(raw * steps_of)
        return steps / unit if -_EXACT <= steps <= _EXACT else Decimal(steps).scaleb(-decimals)

    multiplier = steps_of.numerator
    return exact if steps_of.denominator == 1 else rounded


def step_of(row: Row, value: Fraction) -> Fraction:
    """Give the smallest difference this row can express near `value`, both in the base unit."""
    finest = Fraction(1, 10**DECIMALS)
    if row.type not in _DIGITS:
        return max(finest, row.factor)
    magnitude = math.floor(math.log10(abs(value))) if value else -DECIMALS
    return max(finest, Fraction(10) ** (magnitude + 1 - _DIGITS[row.type]))
