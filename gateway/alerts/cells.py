"""Intervals of any length become full cells of one width: what a counter counted in each, or nothing where unknown.

1. An interval within a cell adds to it; one over a cell's end is shared out by time.
2. A longer one than `longest` is a catch-up after a gap: its sum is known and its course is not, so the cells it
   touches are unknown, be it by a millisecond.
3. A cell counts once it is covered whole. Unknown ones are left out: who follows cells sees the gap between them.
4. The check gives intervals in order. One that lies before the last was read on a clock that has been set since: cells
   begin anew there.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.check import Interval

UNSURE = ("suspect", "rollover")
"""Amounts that may be none: a register reset near its end looks like one that passed it, and is the more frequent."""
SLACK = 0.001
"""So much of a cell may be missing: intervals meet to the millisecond, but clocks are trimmed in between."""


class Cell(NamedTuple):
    """What was counted from `start` (UTC ms) on, for one width."""

    start: int
    amount: float


class Filling(NamedTuple):
    """The cell that is being filled: its start, its amount so far, how much of it is covered (ms; below 0: unknown)."""

    start: int = 0
    amount: float = 0.0
    covered: int = 0


EMPTY = Filling()


def fill(state: Filling, interval: Interval, width: int, longest: int) -> tuple[Filling, list[Cell]]:
    """Take an interval; give the cells it completes. `width` and `longest` are in ms."""
    _, _, begin, end, amount, quality = interval
    first = begin - begin % width
    if amount is None or quality in UNSURE or end - begin > longest:
        touched = end % width
        return Filling(end - touched, covered=-width if touched else 0), []
    if first == state.start and end < first + width:  # by far the most are
        return Filling(first, state.amount + amount, state.covered + end - begin), []
    cells: list[Cell] = []
    for start, share, part in _shares(begin, end, amount, width):
        if start != state.start:
            state = Filling(start)
        state = Filling(start, state.amount + share, state.covered + part)
        if start + width <= end and state.covered >= width * (1 - SLACK):
            cells.append(Cell(start, state.amount))
    return (Filling(state.start + width) if state.start + width <= end else state), cells


def _shares(begin: int, end: int, amount: float, width: int) -> Iterator[tuple[int, float, int]]:
    start = begin - begin % width
    while start < end:
        part = min(end, start + width) - max(begin, start)
        yield start, amount * part / (end - begin), part
        start += width
