"""A day's intervals become its slots: quarter-hours, or the meter's own interval where that is longer.

1. The edges are made from the zone, so a day of 23 or 25 hours has 92 or 100 quarters (V1).
2. An interval no longer than a slot is shared out over the slots it touches. A longer one is an outage: its sum is
   known, its course is not, and the slots it touches stay unknown until somebody estimates them.
3. Estimates (E1) are always graded so, and add up to what the register truly rose by: evenly up to an hour, beyond as
   on the same weekday of the last three weeks; without those evenly up to two hours, and nothing beyond.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from drivers.quantities import DECIMALS
from gateway.check.words import Interval

Grade = Literal["actual", "corrected", "estimated", "unknown"]
RANK: dict[Grade, int] = {"actual": 3, "corrected": 2, "estimated": 1, "unknown": 0}
"""A slot's newer version may not rank lower than the one before (E2)."""

QUARTER_MS = 900_000
EVENLY_MS = 3_600_000
"""Up to here an outage is shared out evenly (Ontario's limit)."""
AT_MOST_MS = 7_200_000
"""And up to here where no like day is known (below Austria's limit)."""

Typical = Callable[[int], float | None]
"""Gives what is usual in the slot that begins at a UTC ms, or None."""


class Slot(NamedTuple):
    """What was used from `start` to `end` (UTC ms), and how that is known; an unknown amount is None."""

    start: int
    end: int
    amount: float | None
    grade: Grade


def edges_of(day: int, zone: ZoneInfo, every_ms: int = 0) -> tuple[int, ...]:
    """Give the edges of the slots of the local day around `day` (UTC ms), the day's end included."""
    local = datetime.fromtimestamp(day / 1000, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    begin, end = (_ms(midnight) for midnight in (local, local + timedelta(days=1)))
    return (*range(begin, end, max(QUARTER_MS, every_ms)), end)


def days_before(day: int, zone: ZoneInfo, days: int) -> int:
    """Give the beginning of the local day so many days before the one that begins at `day`."""
    return _ms(datetime.fromtimestamp(day / 1000, zone) - timedelta(days=days))


def _ms(local: datetime) -> int:
    return round(local.astimezone(UTC).timestamp() * 1000)


@dataclass(slots=True)
class _Cell:
    start: int
    end: int
    amount: float = 0.0
    covered: int = 0
    grade: Grade = "actual"

    def slot(self) -> Slot:
        if self.covered < self.end - self.start:
            return Slot(self.start, self.end, None, "unknown")
        return Slot(self.start, self.end, round(self.amount, DECIMALS), self.grade)


@dataclass(slots=True)
class Slots:
    """Gathers the intervals of one register on one day; `total` is None once part of the day's use is unknown."""

    edges: Sequence[int]
    longest: int
    _cells: list[_Cell] = field(init=False)
    _outages: list[Interval] = field(default_factory=list)
    _total: float = 0.0
    _covered: int = 0

    def __post_init__(self) -> None:
        """Begin with empty slots."""
        self._cells = [_Cell(start, end) for start, end in pairwise(self.edges)]

    def add(self, interval: Interval) -> None:
        """Take an interval, which may begin before the day or end after it."""
        begin, end = max(interval.start, self.edges[0]), min(interval.end, self.edges[-1])
        if interval.amount is None or interval.quality == "suspect" or begin >= end:
            return
        length = interval.end - interval.start
        if length > self.longest:
            self._outages.append(interval)
            if end - begin == length:
                self._sum(interval.amount, length)
            return
        self._sum(interval.amount * (end - begin) / length, end - begin)
        self._share(interval, lambda a, b: (b - a) / length, "corrected" if interval.quality == "rollover" else None)

    @property
    def total(self) -> float | None:
        """Give the day's use where registers tell all of it, with or without its course."""
        return round(self._total, DECIMALS) if self._covered == self.edges[-1] - self.edges[0] else None

    def estimate(self, typical: Typical) -> None:
        """Fill the slots of outages whose sum is known."""
        for outage in self._outages:
            length = outage.end - outage.start
            if length > EVENLY_MS and self._as_usual(outage, typical):
                continue
            if length <= AT_MOST_MS:
                self._share(outage, lambda a, b: (b - a) / length, "estimated")  # noqa: B023  used at once

    def slots(self) -> tuple[Slot, ...]:
        """Give the day as it is known now."""
        return tuple(cell.slot() for cell in self._cells)

    def _sum(self, amount: float, length: int) -> None:
        self._total += amount
        self._covered += length

    def _as_usual(self, outage: Interval, typical: Typical) -> bool:
        """Share an outage out like the same hours of other weeks; tell whether they were known."""
        size, first = self.edges[1] - self.edges[0], self.edges[0]
        usual: dict[int, float] = {}
        for start in range(first + (outage.start - first) // size * size, outage.end, size):
            if (amount := typical(start)) is None:
                return False
            usual[start] = amount * (min(start + size, outage.end) - max(start, outage.start)) / size
        whole = sum(usual.values())
        if not whole:
            return False
        within = lambda a, _: usual[first + (a - first) // size * size] / whole  # noqa: E731
        self._share(outage, within, "estimated")
        return True

    def _share(self, interval: Interval, share: Callable[[int, int], float], grade: Grade | None) -> None:
        """Add to each slot its share of an interval's amount: `share` of the part from one moment to another."""
        size, first = self.edges[1] - self.edges[0], self.edges[0]
        begin, end = max(interval.start, first), min(interval.end, self.edges[-1])
        for cell in self._cells[(begin - first) // size : (end - 1 - first) // size + 1]:
            a, b = max(begin, cell.start), min(end, cell.end)
            cell.amount += (interval.amount or 0.0) * share(a, b)
            cell.covered += b - a
            if grade is not None and RANK[grade] < RANK[cell.grade]:
                cell.grade = grade
