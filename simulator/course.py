"""The course of a quantity in time: a rate made of steps, and the counter that is exactly its integral.

1. A day is a list of draws, each a rate from one moment to another; draws that overlap add up.
2. Their edges are swept once into steps. Beside each step stand the totals up to it, so a rate or a total is one
   bisection away, and the counter cannot drift from the rate.
3. The totals at midnight are kept for every day since the epoch. Days are built once, in order: the same seed gives
   the same register today, tomorrow and after a restart.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import add
from typing import NamedTuple

DAY = 86_400
HOUR = 3_600
EPOCH = 20_454
"""The first day with draws, counted from 1970: 2026-01-01. Before it every counter stands still at its first value."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A constant rate (units an hour, negative when given back) between two moments in unix seconds."""

    start: float
    end: float
    rate: float


class Totals(NamedTuple):
    """What went through a meter, taken and given back, in the hours of the normal tariff and of the low one."""

    taken_normal: float = 0.0
    taken_low: float = 0.0
    given_normal: float = 0.0
    given_low: float = 0.0

    @property
    def taken(self) -> float:
        """In all hours; a sum of two counters that only rise, so it only rises too."""
        return self.taken_normal + self.taken_low

    @property
    def given(self) -> float:
        """Given back in all hours."""
        return self.given_normal + self.given_low

    def plus(self, other: "Totals") -> "Totals":
        """Add each."""
        return Totals(*map(add, self, other))


Plan = Callable[[int], Iterable[Draw]]
"""Gives the draws of one local day, none of them reaching out of it; the same day always gives the same draws."""


class Course:
    """A rate over time and its counters; `offset` is the zone's seconds east of UTC, `steady` always flows.

    `extras` are scripted draws (a leak, an overload) that may last for days.
    """

    def __init__(self, plan: Plan, *, offset: int = 0, steady: float = 0.0, extras: Iterable[Draw] = ()) -> None:
        self._plan = plan
        self._offset = offset
        self._steady = steady
        self._extras = tuple(extras)
        self._midnights = [Totals()]  # one a day since EPOCH: ten years are 3,650 of them
        self._day = lru_cache(maxsize=2)(self._build)  # now, and yesterday for a late gas register

    def rate(self, time: float) -> float:
        """Give the rate at a unix time, in units an hour."""
        number = int((time + self._offset) // DAY)
        return self._day(number).rate(time) if number >= EPOCH else 0.0

    def low_tariff(self, time: float) -> bool:
        """Tell whether the low tariff holds: at night and at the weekend."""
        number = int((time + self._offset) // DAY)
        return not _in(_normal_hours(number, self._start(number)), time)

    def totals(self, time: float) -> Totals:
        """Give what went through since the epoch up to a unix time, in units."""
        number = int((time + self._offset) // DAY)
        return self._midnight(number).plus(self._day(number).totals(time)) if number >= EPOCH else Totals()

    def _midnight(self, number: int) -> Totals:
        known = self._midnights
        while len(known) <= number - EPOCH:
            day = EPOCH + len(known) - 1
            known.append(known[-1].plus(self._day(day).totals(self._start(day + 1))))
        return known[number - EPOCH]

    def _start(self, number: int) -> float:
        return float(number * DAY - self._offset)

    def _build(self, number: int) -> "_Day":
        start = self._start(number)
        return _Day(
            start, self._steady, [*self._plan(number), *_clip(self._extras, start)], _normal_hours(number, start)
        )


class _Day:
    """The steps of one day, each with the totals that stood at its beginning."""

    def __init__(self, start: float, steady: float, draws: Iterable[Draw], normal: tuple[float, float]) -> None:
        changes = {start + DAY: 0.0, normal[0]: 0.0, normal[1]: 0.0}
        changes[start] = steady
        for draw in draws:
            changes[draw.start] = changes.get(draw.start, 0.0) + draw.rate
            changes[draw.end] = changes.get(draw.end, 0.0) - draw.rate
        self._normal = normal
        self._edges = sorted(changes)
        self._rates: list[float] = []
        self._totals = [Totals()]
        rate = 0.0
        for edge, after in pairwise(self._edges):
            # Sums of floats leave 1e-13 behind where all draws have ended: a closed tap must read zero.
            rate = round(rate + changes[edge], 9)
            self._rates.append(rate)
            self._totals.append(self._grown(self._totals[-1], rate, edge, after))

    def rate(self, time: float) -> float:
        return self._rates[self._step(time)]

    def totals(self, time: float) -> Totals:
        step = self._step(time)
        return self._grown(self._totals[step], self._rates[step], self._edges[step], time)

    def _step(self, time: float) -> int:
        return min(bisect_right(self._edges, time), len(self._rates)) - 1

    def _grown(self, totals: Totals, rate: float, start: float, end: float) -> Totals:
        amount = rate * (end - start) / HOUR
        taken_normal, taken_low, given_normal, given_low = totals
        match amount >= 0, _in(self._normal, start):
            case True, True:
                taken_normal += amount
            case True, False:
                taken_low += amount
            case False, True:
                given_normal -= amount
            case _:
                given_low -= amount
        return Totals(taken_normal, taken_low, given_normal, given_low)


def _clip(draws: Iterable[Draw], start: float) -> list[Draw]:
    end = start + DAY
    return [
        Draw(max(draw.start, start), min(draw.end, end), draw.rate)
        for draw in draws
        if draw.start < end and draw.end > start
    ]


def _normal_hours(number: int, start: float) -> tuple[float, float]:
    """Give the hours of the normal tariff, 7 to 23 on working days; the rest of the day is low."""
    return (start, start) if is_weekend(number) else (start + 7 * HOUR, start + 23 * HOUR)


def _in(hours: tuple[float, float], time: float) -> bool:
    return hours[0] <= time < hours[1]


def is_weekend(number: int) -> bool:
    """Tell whether a day, counted from 1970, is a Saturday or a Sunday."""
    return (number + 3) % 7 >= 5  # noqa: PLR2004  day 0 was a Thursday; Monday counts as 0
