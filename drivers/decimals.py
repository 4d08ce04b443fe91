"""Exact arithmetic on values: into fractions, and back into the shortest number that holds the result."""

from decimal import Decimal
from fractions import Fraction

from drivers.contract import Number
from drivers.quantities import DECIMALS

EXACT = 10**15
"""Up to here a number of decimal steps comes out of a float as it went in: floats keep every decimal of 15 digits, and
beyond that a hundredth may be one too small to be seen."""

_UNIT: int = 10**DECIMALS


def exact(value: Number) -> Fraction:
    """Give the decimal that a value prints as: 230.1 is 2301/10, not the nearest binary fraction."""
    return Fraction(value) if isinstance(value, int) else Fraction(str(value))


def number(value: Fraction) -> Number:
    """Round to `DECIMALS` and give an int, the float that prints so, or a Decimal beyond 10^15 steps."""
    steps = round(value * _UNIT)
    if steps % _UNIT == 0:
        return steps // _UNIT
    return steps / _UNIT if -EXACT <= steps <= EXACT else Decimal(steps).scaleb(-DECIMALS)
