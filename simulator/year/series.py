"""Draws become sums of minutes, and those a register, in whole numbers: a register is exactly the sum of the uses.

Rates are rounded to a tenth of a unit an hour and times to a second, so `PER_UNIT` parts make a unit (Wh or l).
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import add

from simulator.course import Draw

MINUTE = 60
TENTHS = 10
PER_UNIT = 3600 * TENTHS


@dataclass(frozen=True)
class Series:
    """What goes through a meter in each minute from `start` (unix seconds) on, in parts of a unit."""

    meter: str
    key: str
    start: int
    minutes: "array[int]"

    @property
    def end(self) -> int:
        """Give the unix second after the last minute."""
        return self.start + MINUTE * len(self.minutes)

    def plus(self, draws: Iterable[Draw]) -> "Series":
        """Add draws to it."""
        draws = list(draws)
        first = self._place(min((draw.start for draw in draws), default=self.start))
        last = self._place(max((draw.end for draw in draws), default=self.start) + MINUTE)
        more = minutes_of(draws, self.start + first * MINUTE, last - first)
        return self._with(first, last, list(map(add, self.minutes[first:last], more)))

    def scaled(self, start: int, end: int, parts: int, of: int) -> "Series":
        """Let only some parts of what was used pass, between two unix seconds."""
        first, last = self._place(start), self._place(end)
        return self._with(first, last, [minute * parts // of for minute in self.minutes[first:last]])

    def _place(self, moment: float) -> int:
        """Give the minute of a moment, or the nearest there is."""
        return min(max(int(moment - self.start) // MINUTE, 0), len(self.minutes))

    def _with(self, first: int, last: int, changed: list[int]) -> "Series":
        minutes = array("q", self.minutes)
        minutes[first:last] = array("q", changed)
        return replace(self, minutes=minutes)


@dataclass(frozen=True)
class Register:
    """What a meter showed: unix seconds, not always in order, and the whole units at each."""

    meter: str
    key: str
    times: list[int]
    values: list[int]


def minutes_of(draws: Iterable[Draw], start: int, count: int) -> "array[int]":
    """Sum draws up in `count` minutes from a unix second on; what lies outside is left out."""
    edges, steady = [0] * (count + 1), [0] * (count + 1)
    most = count * MINUTE
    for draw in draws:
        begin, end = max(round(draw.start) - start, 0), min(round(draw.end) - start, most)
        if end <= begin:
            continue
        rate = round(draw.rate * TENTHS)
        first, into = divmod(begin, MINUTE)
        last, over = divmod(end, MINUTE)
        if first == last:
            edges[first] += rate * (over - into)
            continue
        edges[first] += rate * (MINUTE - into)
        edges[last] += rate * over
        steady[first + 1] += rate * MINUTE
        steady[last] -= rate * MINUTE
    return array("q", list(map(add, edges, accumulate(steady)))[:count])


def net(use: "array[int]", sun: "array[int]") -> tuple["array[int]", "array[int]"]:
    """Split what is used and what the panels give into what is taken from the grid and what is given to it."""
    over = [minute - given for minute, given in zip(use, sun, strict=True)]
    return array("q", [max(minute, 0) for minute in over]), array("q", [max(-minute, 0) for minute in over])


def read(series: Series, step: int, first: int) -> Register:
    """Read a register that showed `first` at the beginning, every `step` seconds."""
    sums = list(accumulate(series.minutes, initial=first * PER_UNIT))[:: step // MINUTE]
    times = list(range(series.start, series.end + 1, step))[: len(sums)]
    return Register(series.meter, series.key, times, [parts // PER_UNIT for parts in sums])
