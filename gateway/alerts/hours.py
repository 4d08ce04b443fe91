"""Hours as rules judge them: what a counter counted in one clock hour, and where that hour lies."""

from typing import NamedTuple

from gateway.alerts.calendar import HOUR_MS, Calendar, Place
from gateway.alerts.cells import Filling, fill
from gateway.check import Interval

LONGEST_MS = 5_400_000
"""Hourly meters stray by a poll; what spans more than an hour and a half is a gap."""


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


def hours_of(state: Filling, interval: Interval, calendar: Calendar) -> tuple[Filling, list[Hour]]:
    """Take an interval; give the hours it completes."""
    state, cells = fill(state, interval, HOUR_MS, LONGEST_MS)
    if not cells:
        return state, []
    return state, [Hour(interval.key, cell.start, cell.amount, calendar.place(cell.start)) for cell in cells]
