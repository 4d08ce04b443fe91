"""Numbers that mean "no value": what meters show where they have none, at whatever decimal scale it was read (V14).

Drivers drop the patterns that a profile names, NaN and BCD digits beyond 9. What is here looks at digits alone, for the
patterns no profile names; the same digits come up by chance about once in 100,000 values.
"""

from math import isfinite

from drivers.contract import Number
from drivers.quantities import DECIMALS

_WORDS = {bits - less for width in (16, 32, 64) for bits in (2**width, 2 ** (width - 1)) for less in (0, 1)}
_NINES = {int("9" * digits) for digits in range(5, 11)}
"""Displays of five digits and more with every segment lit by an error; four nines are a reading like others."""
_NO_VALUE = frozenset((_WORDS | _NINES) - {2**16, 2**32})


def is_sentinel(value: Number) -> bool:
    """Tell whether a value is infinite, no number, or shows the digits of one of these."""
    if not isfinite(value):
        return True
    if value in _NO_VALUE:
        return True
    digits = round(abs(float(value)) * 10**DECIMALS)
    while digits and digits % 10 == 0:
        digits //= 10
    return digits in _NO_VALUE
