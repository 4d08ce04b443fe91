"""A meter's own clock is wrong (X5): what it stores by its own time, and bills by tariff, is then wrong too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.message import HOLDOVER

KEY = "meter_clock_s"
"""Stands among a reading's values here, and nowhere else: seconds by which the meter's clock is ahead."""


class State(NamedTuple):
    """Whether the clock was found wrong; `peak` the most it was off since, in s."""

    wrong: bool = False
    peak: float = 0.0


@dataclass(frozen=True)
class MeterClock:
    """Tells, as info, of a clock more than `above` seconds off, and once a day at most, since no setting is urgent.

    It is over at half of that: a clock about as far off as the limit would come and go. Our own clock must be right to
    judge another, so nothing is said in holdover.
    """

    name: ClassVar[str] = "meter_clock"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = (KEY,)
    above: float = 10.0
    cooldown: float = 86400.0

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take what the meter's clock showed with a reading."""
        shown = values.get(KEY)
        if shown is None or q & HOLDOVER:
            return state, None
        off = abs(float(shown))
        if off > self.above:
            peak = max(off, state.peak)
            # Size 1: that it goes on drifting is no news.
            alarm = Alarm("info", ts, round(off, 1), self.above, "s", "", 1.0, {"off_s": round(float(shown), 1)})
            return State(wrong=True, peak=peak), alarm
        if state.wrong and off <= self.above / 2:
            return self.start, Clear(ts, {"peak_s": round(state.peak, 1)})
        return state, None
