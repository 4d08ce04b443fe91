"""Raw numbers of registers to values: exact decimals, the digits a float really has, absent patterns, BCD.

1. An integer times a decimal factor is an exact decimal: an int, or the float that prints as it, or a Decimal beyond
   10^15 steps.
2. A float becomes the shortest decimal that the meter's own type would store as the same bits: 230.19999695 is 230.2,
   123456.7890625 is 123456.79. None has more than `DECIMALS` decimals of the base unit.
3. NaN, infinity, the patterns a profile calls absent, and BCD with a digit beyond 9 are no value.
"""

import math
import struct
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, Literal

from drivers.contract import Number
from drivers.decimals import EXACT
from drivers.quantities import DECIMALS

Type = Literal["u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "bcd16", "bcd32", "bcd64"]
Converter = Callable[[Any], Number | None]

CODES: dict[Type, str] = {
    "u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q", "f32": "f", "f64": "d",
    "bcd16": "H", "bcd32": "I", "bcd64": "Q",
}  # fmt: skip
DIGITS: dict[Type, int] = {"f32": 7, "f64": 15}
"""Significant digits that a float of this type always holds."""

_FINEST = 10.0**DECIMALS
_COARSEST_DECIMALS = -7
"""A float of seven digits below 10^13: more Wh than any meter counts."""

# Half the distance between neighbours, as a multiple of the distance that doubles have there.
_HALF_STEP = {"f32": 2.0**28, "f64": 0.5}


def registers_of(kind: Type) -> int:
    """Tell how many registers a number of this type takes."""
    return struct.calcsize(f">{CODES[kind]}") // 2


def converter(kind: Type, factor: Fraction, absent: frozenset[int] = frozenset()) -> Converter:
    """Choose how a raw number becomes a value; `factor` leads into the base unit, `absent` are bit patterns."""
    inner: Converter
    if kind in DIGITS:
        inner = _of_float(kind, factor)
    elif kind.startswith("bcd"):
        inner = _of_bcd(factor)
    else:
        inner = _of_int(factor)
    if not absent:
        return inner
    patterns = frozenset(_as_number(kind, bits) for bits in absent)
    return lambda raw: None if raw in patterns else inner(raw)


def _as_number(kind: Type, bits: int) -> float:
    number: float = struct.unpack(f">{CODES[kind]}", bits.to_bytes(2 * registers_of(kind), "big"))[0]
    return number


def _of_float(kind: Type, factor: Fraction) -> Callable[[float], Number | None]:
    """Try as many digits as the type always holds, then one more, until the decimal is the same float again.

    A value below 10^(digits - k) keeps k decimals. Small values, the commonest, keep all that are published: there,
    multiplying and dividing gives the very float that `round` would, at half its cost. What is no meter's value, and
    NaN, goes the slow way.
    """
    digits = DIGITS[kind]
    into_base, half = float(factor), _HALF_STEP[kind] * float(factor)
    scaled, small = into_base * _FINEST, 10.0**digits
    ladder = _ladder(digits)

    def convert(raw: float) -> Number | None:
        steps = raw * scaled
        if -small < steps < small:
            return round(steps) / _FINEST
        value = raw * into_base
        for limit, decimals in ladder:
            if -limit < value < limit:
                room = math.ulp(raw) * half
                for places in decimals:
                    shorter = round(value, places)
                    if -room <= shorter - value <= room:
                        break
                return shorter
        return _of_long_float(value, math.ulp(raw) * half, digits)

    return convert


@cache
def _ladder(digits: int) -> list[tuple[float, range]]:
    """List below which value how many decimals are tried; one list for all numbers of as many digits."""
    return [
        (10.0 ** (digits - k), range(k, min(k + 3, DECIMALS + 1))) for k in range(DECIMALS - 1, _COARSEST_DECIMALS, -1)
    ]


def _of_long_float(value: float, room: float, digits: int) -> float | None:
    if not math.isfinite(value):
        return None
    texts = (f"{value:.{count}g}" for count in range(digits, digits + 3))
    return next((shorter for text in texts if abs((shorter := float(text)) - value) <= room), value)


def _of_int(factor: Fraction) -> Callable[[int], Number | None]:
    """Count in the largest decimal step that holds the factor, so that the value is exact."""
    decimals = next((k for k in range(DECIMALS) if (factor * 10**k).denominator == 1), DECIMALS)
    unit = 10**decimals
    steps_of = factor * unit
    multiplier = steps_of.numerator

    def exact(raw: int) -> Number:
        steps: int = raw * multiplier
        if -EXACT <= steps <= EXACT:
            return steps / unit if unit != 1 else steps
        return Decimal(steps).scaleb(-decimals)

    def rounded(raw: int) -> Number:
        steps = round(raw * steps_of)
        return steps / unit if -EXACT <= steps <= EXACT else Decimal(steps).scaleb(-decimals)

    return exact if steps_of.denominator == 1 else rounded


def _of_bcd(factor: Fraction) -> Callable[[int], Number | None]:
    inner = _of_int(factor)

    def convert(raw: int) -> Number | None:
        digits = f"{raw:x}"
        return inner(int(digits)) if digits.isdecimal() else None

    return convert


def step_of(kind: Type, factor: Fraction, value: Fraction) -> Fraction:
    """Give the smallest difference that a number of this type can express near `value`, both in the base unit."""
    finest = Fraction(1, 10**DECIMALS)
    if kind not in DIGITS:
        return max(finest, factor)
    magnitude = math.floor(math.log10(abs(value))) if value else -DECIMALS
    return max(finest, Fraction(10) ** (magnitude + 1 - DIGITS[kind]))
