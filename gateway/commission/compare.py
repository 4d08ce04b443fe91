"""Whether a display and a register agree: the meter is read before and after somebody looks at its display.

What the display showed lies between the two readings, whatever load runs. Beyond that it may differ by the last digit
of the display or of the register, whichever is coarser: one of both was cut or rounded.
"""

from dataclasses import dataclass
from fractions import Fraction

from drivers.quantities import DECIMALS

COARSEST = 3
"""Zeros at a value's end that are taken for its resolution: registers in whole kWh or m³ are the coarsest there are."""

FLOAT = Fraction(1, 2**23)
"""Many meters keep their register as a 32-bit float, which knows 24 bits of it."""


@dataclass(frozen=True, slots=True)
class Window:
    """Where a value lies, both ends included."""

    low: Fraction
    high: Fraction

    def __mul__(self, factor: Fraction) -> "Window":
        """Multiply both ends by a factor above zero."""
        return Window(self.low * factor, self.high * factor)

    def __add__(self, other: "Window | Fraction") -> "Window":
        """Move it, or add what lies in another window."""
        more = other if isinstance(other, Window) else Window(other, other)
        return Window(self.low + more.low, self.high + more.high)

    def wider(self, slack: Fraction) -> "Window":
        """Let both ends go."""
        return Window(self.low - slack, self.high + slack)

    def meets(self, other: "Window") -> bool:
        """Tell whether one value may lie in both."""
        return self.low <= other.high and other.low <= self.high


def between(before: Fraction, after: Fraction) -> Window:
    """Give where a register was at some moment between two readings, and its resolution about that."""
    low, high = min(before, after), max(before, after)
    return Window(low, high).wider(max(_resolution(before, after), high * FLOAT))


def _resolution(before: Fraction, after: Fraction) -> Fraction:
    """Read the worth of the last digit from the digits themselves; a register of zero shows none."""
    steps = [int(abs(value) * 10**DECIMALS) for value in (before, after)]
    if not any(steps):
        return Fraction(0)
    zeros = 0
    while zeros < DECIMALS + COARSEST and all(step % 10 ** (zeros + 1) == 0 for step in steps):
        zeros += 1
    return Fraction(10**zeros, 10**DECIMALS)
