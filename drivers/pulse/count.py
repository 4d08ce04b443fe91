"""Counts the pulses of one meter, and tells from their spacing how fast it runs. Numbers in, numbers out.

1. A pulse counts once the contact has been still long enough: what follows the one before in less than `shortest`
   cannot be the meter, and is counted as such.
2. A direction contact says which way it ran; backward pulses have a count of their own.
3. The rate is one pulse over the spacing of the last two. While the next one is late the rate is no more than one pulse
   over the time since, and after `still` it is 0: a meter that stops says nothing.
4. Edges the system could not hold are told by gaps in its own numbering, and counted as pulses all the same.
"""

from dataclasses import dataclass
from fractions import Fraction

NANO = 10**9
STILL = 600 * NANO
"""Nanoseconds without a pulse after which a meter stands still: 6 W at 1000 pulses a kWh."""


@dataclass(frozen=True, slots=True)
class Total:
    """Pulses since the meter was first seen."""

    forward: int = 0
    backward: int = 0


@dataclass(slots=True)
class Counter:
    """One meter's contact; times are nanoseconds of the clock that stamps its edges."""

    shortest: int = 0
    still: int = STILL
    total: Total = Total()
    too_soon: int = 0
    made_up: int = 0
    _last: int | None = None
    _spacing: int | None = None
    _number: int | None = None
    _sign: int = 1

    def pulse(self, at: int, *, backward: bool = False, number: int | None = None) -> bool:
        """Take a pulse; says whether it counts. `number` is the system's own count of the line's edges."""
        lost = self._lost(number)
        if self._last is not None and at - self._last < self.shortest and not lost:
            self.too_soon += 1
            return False
        self.made_up += lost
        self.add(at, 1 + lost, backward=backward)
        return True

    def add(self, at: int, many: int, *, backward: bool = False) -> None:
        """Take pulses that came evenly since the last one, as a module that counts by itself tells them."""
        forward, back = (0, many) if backward else (many, 0)
        self.total = Total(self.total.forward + forward, self.total.backward + back)
        sign = -1 if backward else 1
        # The first spacing after a turn is no rate: the meter stood in between.
        same_way = self._last is not None and sign == self._sign
        self._spacing = max(1, (at - (self._last or 0)) // many) if same_way else None
        self._last, self._sign = at, sign

    def rate(self, now: int) -> Fraction:
        """Give pulses a second, negative when backward; 0 before two pulses have come."""
        if self._last is None or self._spacing is None or now - self._last >= self.still:
            return Fraction(0)
        return Fraction(self._sign * NANO, max(self._spacing, now - self._last))

    def _lost(self, number: int | None) -> int:
        """Give how many edges were dropped before this one."""
        before, self._number = self._number, number
        return max(0, number - before - 1) if number is not None and before is not None else 0
