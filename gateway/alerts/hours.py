"""Intervals of any length become full clock hours: what a counter counted in each, or nothing where that is unknown.

1. An interval within an hour adds to it; one over an hour's end is shared out by time.
2. A longer one is a catch-up after a gap: its sum is known and its course is not, so the hours it touches are unknown.
   Up to an hour and a half counts as one that was merely late: hourly meters stray by a poll.
3. An hour counts once it is covered whole. Unknown ones are left out: who follows hours sees the gap between them.
4. Readings late by less than the check's patience are intervals of their own by then; what ends before the hour that is
   being filled is left out.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.alerts.calendar import HOUR_MS, Calendar, Place
from gateway.check import Interval

LONGEST_MS = 5_400_000
SLACK_MS = 1000
"""So much of an hour may be missing: intervals meet to the millisecond, but clocks are trimmed in between."""


class Hour(NamedTuple):
    """What was counted in the clock hour (UTC) from `start` (ms), in the base unit of `key`, and where that lies."""

    key: str
    start: int
    amount: float
    place: Place

    @property
    def end(self) -> int:
        """UTC ms of its end."""
        return self.start + HOUR_MS


class Filling(NamedTuple):
    """The hour that is being filled: its start, its amount so far, how much of it is covered (ms)."""

    start: int = 0
    amount: float = 0.0
    covered: int = 0


EMPTY = Filling()


def fill(state: Filling, interval: Interval, calendar: Calendar) -> tuple[Filling, list[Hour]]:
    """Take an interval; give the hours it completes, at most two."""
    begin, end, amount = interval.start, interval.end, interval.amount
    hour = begin - begin % HOUR_MS
    if amount is None or interval.quality == "suspect" or end - begin > LONGEST_MS:
        return (Filling(end - end % HOUR_MS), []) if end > state.start else (state, [])
    if hour == state.start and end < hour + HOUR_MS:  # by far the most are
        return Filling(hour, state.amount + amount, state.covered + end - begin), []
    if end <= state.start:
        return state, []
    hours: list[Hour] = []
    for start, share in _shares(begin, end, amount):
        if start != state.start:
            hours += _full(state, interval.key, calendar)
            state = Filling(start)
        part = min(end, start + HOUR_MS) - max(begin, start)
        state = Filling(start, state.amount + share, state.covered + part)
    if state.start + HOUR_MS <= end:
        hours += _full(state, interval.key, calendar)
        state = Filling(state.start + HOUR_MS)
    return state, hours


def _shares(begin: int, end: int, amount: float) -> Iterator[tuple[int, float]]:
    start = begin - begin % HOUR_MS
    while start < end:
        part = min(end, start + HOUR_MS) - max(begin, start)
        yield start, amount * part / (end - begin)
        start += HOUR_MS


def _full(state: Filling, key: str, calendar: Calendar) -> list[Hour]:
    """Give the hour if it is covered and over."""
    if state.covered < HOUR_MS - SLACK_MS:
        return []
    return [Hour(key, state.start, state.amount, calendar.place(state.start))]
