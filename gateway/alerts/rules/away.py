"""Water or gas that flows while nobody is at home (W5, G3).

1. The customer says that they are away; nothing is guessed. What flows in the hour after is their leaving.
2. Ice makers, softeners and boilers that guard against frost take a little every day: what flows on the first day,
   within bounds, is what is taken anyway, and a later day is told of when it is well above that.
3. It is over once nothing flowed for `over`, or when somebody is back.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from gateway.alerts.cells import UNSURE
from gateway.alerts.event import Severity
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.check import Interval

DAY_MS = 86_400_000
LEAVING_MS = 3_600_000
ANYWAY = 1.25
BOUND = 10.0
"""The first day teaches at most ten times the limit: a leak that was there already is no habit."""


class State(NamedTuple):
    """`since` when nobody is there (UTC ms, 0: somebody is), `day` the number of the day since then.

    `amount` is what flowed on that day, `first` on the first one; `step` is when it flowed last, `told` what was told.
    """

    since: int = 0
    day: int = 0
    amount: float = 0.0
    first: float = 0.0
    step: int = 0
    told: float = 0.0


@dataclass(frozen=True)
class FlowWhileAway:
    """Judges the volumes of a meter whose customer is `away`; litres of water and of gas in a day."""

    name: ClassVar[str] = "flow_while_away"
    start: ClassVar[State] = State()
    keys: ClassVar[tuple[str, ...]] = ("water_volume_l", "gas_volume_l")
    away: bool = False
    water: float = 5.0
    gas: float = 50.0
    over: float = 10_800.0
    cooldown: float = 21_600.0

    def interval(self, state: State, interval: Interval) -> tuple[State, Finding]:
        """Take what the register counted."""
        if not self.away:
            return self.start, Clear(interval.end, {}) if state.told else None
        if not 0 < state.since <= interval.end:  # they left just now, or the clock was set back
            state = State(interval.end, told=state.told)
        day = (interval.end - state.since) // DAY_MS
        if day > state.day:
            first = state.first if state.day else state.amount
            state = state._replace(day=day, amount=0.0, first=first)
        if not interval.amount or interval.quality in UNSURE:
            if state.told and interval.end - state.step >= self.over * 1000:
                return state._replace(told=0.0), Clear(state.step, {})
            return state, None
        if interval.start < state.since + LEAVING_MS:
            return state, None
        state = state._replace(amount=state.amount + interval.amount, step=interval.end)
        return self._judge(state, interval)

    def _judge(self, state: State, interval: Interval) -> tuple[State, Finding]:
        limit, severity = self._limit(interval.key)
        anyway = ANYWAY * min(state.first, BOUND * limit) if state.day else 0.0
        if state.amount <= limit + anyway:
            return state, None
        state = state._replace(told=state.amount)
        evidence = {"away_since_ms": state.since, "day_l": round(state.amount), "anyway_l": round(anyway)}
        return state, Alarm(
            severity, interval.end, round(state.amount, 1), 0.0, "l", interval.key, state.amount, evidence
        )

    def _limit(self, key: str) -> tuple[float, Severity]:
        return (self.gas, "critical") if key == "gas_volume_l" else (self.water, "warning")
