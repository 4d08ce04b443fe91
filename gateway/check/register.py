"""Registers become intervals: what was used from when to when, and how far to trust it (the utility's "VEE").

1. The first reading of a counter is a start. From then on an equal or higher one closes an interval.
2. A drop, or a rise no such connection can carry, is held: bit SUSPECT, no interval, until later readings decide.
   a. One of the next three fits on to the last good one: it was a glitch, and one interval spans the whole time.
   b. None does: the register was reset or replaced. The time in between is an interval of unknown amount, never zero.
   c. It keeps rising faster than the limit: the limit is wrong. The rise is booked, but as suspect.
3. A drop near the end of a known modulus is a rollover, if the amount is physically possible. Nothing is guessed;
   a zero is waited for like any drop, since that is what broken readings show.
4. After a gap in time one interval covers all of it: the sum is known, its course is not.
5. What means "no value" is suspect, and no question to decide.
6. Readings are never changed; duplicates and late ones are no interval. All state is plain data (`snapshot`).
7. Whatever is out of the ordinary is told with its word (`words.Flag`); the ordinary way tells nothing.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from math import gcd, isfinite
from typing import Any

from drivers.contract import Number
from drivers.quantities import DECIMALS, Quantity
from gateway.check.limits import Limits
from gateway.check.sentinels import is_sentinel
from gateway.check.words import Flag, Interval, Quality, Remark
from gateway.message import RESET, ROLLOVER, SUSPECT

CONFIRMATIONS = 3
"""Readings after a held one that may still prove it a glitch (acceptance rules V6, V7)."""
MARGIN = 1.1
"""How much more than the limit is still believed: fuses and meters have tolerances (V9)."""
CATCH_UP_FACTOR = 3
"""An interval longer than this many usual ones is a catch-up."""
STANDING_MS = 3_600_000
"""A register that shows its count late (whole kWh, or a value renewed each quarter of an hour) may rise at once by what
the connection carries since its last step, but by no more than an hour's worth."""
LATE_LIMIT = 10
"""So many readings in a row older than the newest one mean that the newest one's clock was wrong, not theirs."""
COARSEST_STEP = 1000
"""Base units: registers of whole kWh or m³ exist, coarser ones hardly."""

_HIGH, _LOW = 0.9, 0.1
_PER_HOUR = 3_600_000
_SCALE: int = 10**DECIMALS

Tell = Callable[[Remark], None]


class Register:
    """One counter of one meter: its last good reading, and those held since. Times in ms."""

    __slots__ = ("_held", "_late", "_modulus", "_moved", "_newest", "_rate", "_tell", "_ts", "_usual", "_value")

    def __init__(self, ts: int, value: Number, tell: Tell) -> None:
        self._ts = self._moved = self._newest = ts
        self._value = value
        self._usual = self._late = 0
        self._held: list[tuple[int, Number]] = []
        self._rate = 0.0
        self._modulus: Number | None = None
        self._tell = tell

    @property
    def value(self) -> Number:
        """The last good reading."""
        return self._value

    def limit(self, quantity: Quantity, limits: Limits) -> None:
        """Take over what the meter can do; the rate becomes base units a millisecond, margin included."""
        self._rate = limits.rate_of(quantity) * MARGIN / _PER_HOUR
        self._modulus = limits.modulus.get(quantity.key)

    def take(self, meter: str, key: str, ts: int, value: Number, closed: list[Interval]) -> int:
        """Judge the next reading, add the intervals it closes, give its bits of quality."""
        if ts <= self._newest:
            return self._take_late(meter, key, ts)
        self._newest = ts
        self._late = 0
        delta = _minus(value, self._value)
        if 0 <= delta <= self._rate * (ts - self._ts):
            closed.append(self._book(meter, key, ts, value, delta))
            return 0
        return self._take_unusual(meter, key, ts, value, delta, closed)

    def _take_unusual(self, meter: str, key: str, ts: int, value: Number, delta: Number, closed: list[Interval]) -> int:
        """Judge a reading that is not simply an amount more than the last one."""
        if not isfinite(value):
            return self._leave_out(meter, key, ts)
        if self._may_rise(delta, ts, value):
            closed.append(self._book(meter, key, ts, value, delta))
            return 0
        if value and self._modulus is not None and self._rolls_over(delta, ts, value, self._modulus):
            self._roll_over(meter, key, ts, value, self._modulus, closed)
            return ROLLOVER
        if value and -step_of(value, self._value) <= _amount(delta) < 0:
            # The last digit trembles in registers that meters compute (V4); the higher value stays.
            if self._held:
                self._tell_held(meter, key, "glitch")
            return 0
        if is_sentinel(value):
            return self._leave_out(meter, key, ts)
        return self._hold(meter, key, ts, value, closed)

    def _leave_out(self, meter: str, key: str, ts: int) -> int:
        self._tell(Remark(meter, key, "na", ts, ts))
        return SUSPECT

    def _book(self, meter: str, key: str, ts: int, value: Number, delta: Number) -> Interval:
        """Close an interval and start the next one."""
        start, usual = self._ts, self._usual
        length = ts - start
        quality: Quality = "good"
        if length != usual:
            if usual and length > CATCH_UP_FACTOR * usual:
                quality = "catch_up"
            # What is usual follows a new pace within a few readings, yet one gap or one burst hardly moves it.
            self._usual = min(max(length, usual // 2), 2 * usual) if usual else length
        self._ts, self._value = ts, value
        if self._held:
            self._tell_held(meter, key, "glitch")
        if not delta:
            return Interval(meter, key, start, ts, 0.0, quality)
        self._moved = ts
        return Interval(meter, key, start, ts, round(float(delta), DECIMALS), quality)

    def _may_rise(self, delta: Number, ts: int, value: Number) -> bool:
        """Tell whether a rise beyond the rate is a coarse or late register's."""
        if delta < 0:
            return False
        since = min(self._ts, max(self._moved, ts - STANDING_MS))
        return delta <= self._rate * (ts - since) + step_of(value, self._value)

    def _rolls_over(self, delta: Number, ts: int, value: Number, modulus: Number) -> bool:
        """Tell whether the register passed its end (V5)."""
        if delta >= 0 or self._value < _HIGH * float(modulus) or value > _LOW * float(modulus):
            return False
        through = _minus(modulus, _minus(self._value, value))
        return self._may_rise(through, ts, value)

    def _roll_over(self, meter: str, key: str, ts: int, value: Number, modulus: Number, closed: list[Interval]) -> None:
        """Close the interval in which the register passed its end."""
        self._tell(Remark(meter, key, "roll", self._ts, ts))
        through = _minus(modulus, _minus(self._value, value))
        closed.append(self._book(meter, key, ts, value, through)._replace(quality="rollover"))

    def _take_late(self, meter: str, key: str, ts: int) -> int:
        """Leave out a duplicate or late reading; after many of them start over at their time, keeping the count."""
        self._tell(Remark(meter, key, "late" if ts < self._newest else "dup", ts, ts))
        if ts < self._newest:
            self._late += 1
            if self._late >= LATE_LIMIT:
                self._newest = ts
                heard = ts - LATE_LIMIT * self._usual  # the last good reading, by the clock as it is now
                self._ts, self._moved = min(heard, self._ts), min(heard, self._moved)
                self._late = 0
                self._held.clear()
        return 0

    def _hold(self, meter: str, key: str, ts: int, value: Number, closed: list[Interval]) -> int:
        held = self._held
        if held and (value < held[-1][1] or held[0][1] < self._value <= value):
            # It neither goes on from the held ones nor from the last good one: the question starts anew.
            self._tell_held(meter, key, "glitch")
        held.append((ts, value))
        self._tell(Remark(meter, key, "neg" if value < self._value else "imposs", ts, ts))
        if len(held) <= CONFIRMATIONS:
            return SUSPECT
        return self._confirm(meter, key, closed)

    def _confirm(self, meter: str, key: str, closed: list[Interval]) -> int:
        """Decide about held readings that went on from one another."""
        held, start, value = self._held, self._ts, self._value
        last, shown = held[-1]
        if self._modulus is not None and self._rolls_over(_minus(shown, value), last, shown, self._modulus):
            held.clear()
            self._roll_over(meter, key, last, shown, self._modulus, closed)
            return ROLLOVER
        pairs = list(pairwise(held))
        steady = all(_minus(b, a) <= self._rate * (end - begin) + step_of(b, a) for (begin, a), (end, b) in pairs)
        self._ts, self._value = held[-1]
        self._moved = self._ts
        self._held = []
        if not steady and held[0][1] >= value:
            self._tell(Remark(meter, key, "imposs", start, self._ts))
            closed.append(Interval(meter, key, start, self._ts, _amount(_minus(self._value, value)), "suspect"))
            return SUSPECT
        self._tell(Remark(meter, key, "reset", start, held[0][0]))
        closed.append(Interval(meter, key, start, held[0][0], None, "reset"))
        quality: Quality = "good" if steady else "suspect"
        closed.extend(Interval(meter, key, a[0], b[0], _amount(_minus(b[1], a[1])), quality) for a, b in pairs)
        return RESET

    def _tell_held(self, meter: str, key: str, flag: Flag) -> None:
        """Let the held readings go with one word for all of them."""
        self._tell(Remark(meter, key, flag, self._held[0][0], self._held[-1][0]))
        self._held.clear()

    def snapshot(self) -> list[Any]:
        """Give the state as a list; `restored` takes it back."""
        held = [[ts, _plain(value)] for ts, value in self._held]
        return [self._ts, _plain(self._value), self._newest, self._moved, self._usual, self._late, held]

    @classmethod
    def restored(cls, row: Sequence[Any], tell: Tell) -> "Register":
        """Make the register that gave `row`."""
        ts, value, newest, moved, usual, late, held = row
        register = cls(ts, _number(value), tell)
        register._newest, register._moved, register._usual, register._late = newest, moved, usual, late
        register._held = [(when, _number(what)) for when, what in held]
        return register


def _minus(a: Number, b: Number) -> Number:
    try:
        return a - b  # type: ignore[operator]
    except TypeError:  # a Decimal and a float do not mix; trying costs nothing until they meet
        return Decimal(str(a)) - Decimal(str(b))


def _amount(delta: Number) -> float:
    return round(float(delta), DECIMALS)


def step_of(a: Number, b: Number) -> float:
    """Guess a register's resolution from two readings: the largest power of ten that both are multiples of."""
    common = gcd(round(a * _SCALE), round(b * _SCALE))
    step = 1
    while common and common % 10 == 0 and step < COARSEST_STEP * _SCALE:
        common //= 10
        step *= 10
    return step / _SCALE


def _plain(value: Number) -> int | float | str:
    return str(value) if isinstance(value, Decimal) else value


def _number(value: float | str) -> Number:
    return Decimal(value) if isinstance(value, str) else value
