"""A power cut (E11): told at once by the meter's last gasp, or afterwards by a register that stood still in a silence.

1. A meter that says `power_fail` is going dark: after `dwell` seconds without another word it is a power cut.
2. A meter without a last gasp just falls silent, which says little: cables fall out too. What it shows afterwards does:
   in a silence of some hours a home with power counts its base load, and a home without counts nothing.
3. So a home's base load is learnt, as the least hour of each day; without one above `base` watts nothing is said. The
   interval that ends a silence holds ordinary use too: half of what is usual at that hour is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from gateway.alerts.calendar import HOUR_MS, Calendar
from gateway.alerts.hours import Hour
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.check import Interval

KEY = "energy_import_wh"
DAYS = 7
USUALS = 2
"""A silence is one of more than two usual gaps between readings."""
SHARE = 0.75
"""Less than three quarters of the least hour of a week, hour after hour: no home with power takes so little."""
FOLLOWS = 0.1


class State(NamedTuple):
    """What is remembered: the pace of readings, the base load, the last gasp, and a cut that was told.

    `usual` is the usual gap in ms; `bases` are the least hours of the last days in Wh, `least` today's, of day `day`;
    `hours` is what the hours of a day usually hold. `gasp` is when the meter said that power fails, `out` when the cut
    that was told began, `back` when the last one was over (UTC ms; 0: none).
    """

    usual: float = 0.0
    bases: tuple[float, ...] = ()
    least: float = -1.0
    day: int = 0
    hours: tuple[float, ...] = (0.0,) * 24
    gasp: int = 0
    out: int = 0
    back: int = 0


@dataclass(frozen=True)
class Outage:
    """Judges silences of an electricity meter; `base` is in W, `dwell` in seconds."""

    name: ClassVar[str] = "outage"
    start: ClassVar[State] = State()
    keys: ClassVar[tuple[str, ...]] = (KEY,)
    hour_keys: ClassVar[tuple[str, ...]] = (KEY,)
    cooldown: ClassVar[float] = 0.0
    calendar: Calendar
    base: float = 30.0
    least: float = 300.0
    dwell: float = 60.0
    pv: bool = False

    def flags(self, state: State, ts: int, status: Sequence[str]) -> tuple[State, Finding]:
        """Take whether the meter says that its power fails."""
        failing = "power_fail" in status
        if failing:
            return (state if state.gasp else state._replace(gasp=ts)), None
        if state.gasp and not state.out:
            return state._replace(gasp=0), None
        if not state.out:
            return state, None
        back = state.back or ts
        evidence = {"since_ms": state.out, "lasted_s": round((back - state.out) / 1000)}
        return state._replace(out=0, gasp=0, back=back), Clear(back, evidence)

    def tick(self, state: State, now: int) -> tuple[State, Finding]:
        """Take the time: a meter that gasped and says nothing more is dark."""
        moment = self.due(state)
        if moment is None or now < moment:
            return state, None
        alarm = Alarm("critical", moment, round(self.dwell), 0.0, "s", "", 1.0, {"since_ms": state.gasp})
        return state._replace(out=state.gasp, back=0), alarm

    def due(self, state: State) -> int | None:
        """Name when a last gasp becomes a power cut."""
        return state.gasp + round(self.dwell * 1000) if state.gasp and not state.out else None

    def excuse(self, state: State, since: int, until: int) -> State:
        """While nobody listened a meter may have come back."""
        del since, until
        return state if state.out else state._replace(gasp=0)

    def hour(self, state: State, hour: Hour) -> tuple[State, Finding]:
        """Learn the base load."""
        hours = list(state.hours)
        hours[hour.place.hour] += round(FOLLOWS * (hour.amount - hours[hour.place.hour]), 1)
        state = state._replace(hours=tuple(hours))
        if hour.place.day == state.day:
            least = hour.amount if state.least < 0 else min(state.least, hour.amount)
            return state._replace(least=least), None
        bases = (*state.bases, state.least)[-DAYS:] if state.least >= 0 else state.bases
        return state._replace(day=hour.place.day, least=hour.amount, bases=bases), None

    def interval(self, state: State, interval: Interval) -> tuple[State, Finding]:
        """Take what the register counted over a gap."""
        gap = interval.end - interval.start
        if gap == state.usual:  # by far the most are
            return state, None
        silent = state.usual and gap > max(USUALS * state.usual, self.least * 1000)
        usual = state.usual + (min(gap, 4 * state.usual) - state.usual) / 8 if state.usual else float(gap)
        state = state._replace(usual=usual)
        told = state.out or interval.start < state.back <= interval.end
        if not silent or interval.amount is None or told or len(state.bases) < DAYS:
            return state, None
        base = sorted(state.bases)[1]  # one day of seven may have been spent elsewhere
        ordinary = state.hours[self.calendar.place(interval.end - 1).hour] * min(usual, HOUR_MS) / HOUR_MS
        dark = base * (gap - usual) / HOUR_MS
        if self.pv or base < self.base or interval.amount > SHARE * dark + ordinary / 2:
            return state, None
        begun = interval.start
        evidence = {"since_ms": begun, "lasted_s": round(gap / 1000), "base_w": round(base)}
        alarm = Alarm("info", begun, round(gap / 1000), 0.0, "s", KEY, 1.0, evidence)
        return state._replace(out=begun, back=interval.end), alarm
