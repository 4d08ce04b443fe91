"""A plant on the roof that makes too little (E9b), by what flows out of the house.

1. What was exported on a local day is held against the median of the last 30 days. A day far below it is poor.
2. `days` poor days in a row are told: clouds pass within a week, and a plant that is off stays off. Nobody tells us
   which days were clear, and after three poor ones it is nearly always the weather. Unknown days do not count.
3. It is over on the first day that is not poor. Only while it lasts the median learns nothing, so it follows winters.

A home that needs all it makes looks like a plant that stands still: nothing is told where the median is below `least`.
"""

from dataclasses import dataclass
from statistics import median
from typing import ClassVar, NamedTuple

from gateway.alerts.calendar import Calendar
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.check import Interval

KEY = "energy_export_wh"
DAYS, ENOUGH = 30, 14
DAY_MS = 86_400_000
NEARLY = 0.9
"""The share of a day that must be known."""


class State(NamedTuple):
    """What is remembered: how far intervals are known (UTC ms), a local day with its Wh and known ms, days, a fault.

    `before` holds the Wh of the days before, `row` counts poor days, `since` is when they began (UTC ms).
    """

    end: int = 0
    day: int = 0
    sum: float = 0.0
    known: int = 0
    before: tuple[float, ...] = ()
    row: int = 0
    since: int = 0
    open: bool = False


@dataclass(frozen=True)
class PvFault:
    """Judges the export register of a home with a plant; `least` is in Wh a day."""

    name: ClassVar[str] = "pv_fault"
    start: ClassVar[State] = State()
    keys: ClassVar[tuple[str, ...]] = (KEY,)
    calendar: Calendar
    share: float = 0.3
    days: int = 6
    least: float = 1000.0
    cooldown: float = 604_800.0

    def interval(self, state: State, interval: Interval) -> tuple[State, Finding]:
        """Take what flowed out from one moment to another, a whole day at the most."""
        start, end, amount = interval.start, interval.end, interval.amount
        if start < state.end:
            return state, None
        day = self.calendar.place(start).day
        if day != state.day:
            state = state._replace(day=day, sum=0.0, known=0)
        state = state._replace(end=end)
        if amount is not None and interval.quality != "suspect" and end - start <= DAY_MS * 1.1:
            state = state._replace(sum=state.sum + amount, known=state.known + end - start)
        if self.calendar.place(end).day == day or state.known < NEARLY * DAY_MS:
            return state, None
        return self._judge(state)

    def _judge(self, state: State) -> tuple[State, Finding]:
        with_today = (*state.before, float(round(state.sum)))[-DAYS:]
        usual = median(state.before) if len(state.before) >= ENOUGH else 0.0
        if state.sum >= self.share * usual:
            finding = Clear(state.end - DAY_MS, {}) if state.open else None
            return state._replace(before=with_today, row=0, since=0, open=False), finding
        since = state.since or state.end - DAY_MS
        state = state._replace(row=min(state.row + 1, DAYS), since=since)
        if not state.open and (state.row < self.days or usual < self.least):
            return state._replace(before=with_today), None
        evidence = {"since_ms": float(since), "days": float(state.row)}
        alarm = Alarm("warning", state.end, round(state.sum), round(usual), "Wh", KEY, 1.0, evidence)
        return state._replace(open=True), alarm
