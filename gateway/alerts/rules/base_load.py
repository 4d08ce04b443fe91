"""A base load that grows (E7): what runs day and night takes more than it did weeks ago.

1. A day's base load is its least mean of three hours in a row: something is off in every home for so long.
2. The median of the last seven days is held against that of the three weeks which ended eight days before them, so that
   what begins now does not hide itself.
3. It is told after `days` days in a row above, and is over when half of the rise is gone.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from gateway.alerts.hours import Hour
from gateway.alerts.rule import Alarm, Clear, Finding

HOURS = 3
RECENT, PAUSE, BEFORE = 7, 8, 21
KEPT = RECENT + PAUSE + BEFORE
ENOUGH = 20
"""Hours that make a day: one with a gap may have hidden its quiet ones."""


class State(NamedTuple):
    """What is remembered: hours, days, and what was told.

    `end` is how far hours are known (UTC ms), `last` the newest in a row, `least` the least mean of the local day
    `day`, of which `seen` hours are known; `bases` are those of the days before, in W, -1 where unknown. `row` counts
    the days in a row above, `rise` is what was told, in W.
    """

    end: int = 0
    last: tuple[float, ...] = ()
    day: int = 0
    seen: int = 0
    least: float = -1.0
    bases: tuple[float, ...] = ()
    row: int = 0
    rise: float = 0.0


@dataclass(frozen=True)
class BaseLoad:
    """Judges what an electricity meter counts when least runs; `least` is in W."""

    name: ClassVar[str] = "baseload_increase"
    start: ClassVar[State] = State()
    hour_keys: ClassVar[tuple[str, ...]] = ("energy_import_wh",)
    least: float = 120.0
    share: float = 0.35
    days: int = 5
    cooldown: float = 2_592_000.0
    factor: float = 1.0

    def hour(self, state: State, hour: Hour) -> tuple[State, Finding]:
        """Take what one hour held."""
        finding: Finding = None
        if hour.place.day != state.day:
            state, finding = self._new_day(state, hour.place.day)
        last = (*state.last, hour.amount)[-HOURS:] if hour.start == state.end else (hour.amount,)
        least = state.least
        if len(last) == HOURS:
            mean = round(sum(last) / HOURS, 1)
            least = mean if least < 0 else min(least, mean)
        return state._replace(end=hour.end, last=last, least=least, seen=state.seen + 1), finding

    def _new_day(self, state: State, day: int) -> tuple[State, Finding]:
        if not state.day:
            return state._replace(day=day), None
        base = state.least if state.seen >= ENOUGH else -1.0
        missed = (-1.0,) * min(day - state.day - 1, KEPT)
        bases = (*state.bases, base, *missed)[-KEPT:]
        state = state._replace(day=day, seen=0, least=-1.0, bases=bases)
        recent = [base for base in bases[-RECENT:] if base >= 0]
        before = [base for base in bases[: -RECENT - PAUSE] if base >= 0]
        if len(recent) < RECENT // 2 + 1 or len(before) < BEFORE * 2 // 3:
            return state, None
        return self._judge(state, median(recent), median(before))

    def _judge(self, state: State, now: float, usual: float) -> tuple[State, Finding]:
        rise, limit = now - usual, self.factor * max(self.least, self.share * usual)
        if state.rise and rise < state.rise / 2:
            return state._replace(row=0, rise=0.0), Clear(state.end, {"base_w": now})
        row = min(state.row + 1, self.days) if rise > limit else 0
        state = state._replace(row=row)
        if row < self.days:
            return state, None
        evidence = {"rise_w": round(rise), "limit_w": round(limit), "days": float(self.days)}
        alarm = Alarm("info", state.end, round(now), round(usual), "W", self.hour_keys[0], rise, evidence)
        return state._replace(rise=state.rise or rise), alarm


def median(values: list[float]) -> float:
    """Give the middle of some values; the module `statistics` would cost every gateway a megabyte for it."""
    row, half = sorted(values), len(values) // 2
    return row[half] if len(row) % 2 else (row[half - 1] + row[half]) / 2
