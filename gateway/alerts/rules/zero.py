"""A register that stands still for longer than this home ever lets it (E8, W7): nobody there, or a meter that is stuck.

1. Every home is still at times. The limit is four times the longest stand of the last four weeks, within bounds:
   something runs in every home with electricity, while taps rest over a long weekend.
2. It is proven, not just odd, when the meter itself says that power flows while its register does not move: then it is
   stuck, and a warning.
3. Gas is not judged: a home that neither heats nor cooks with it for weeks is ordinary. Who is away uses nothing, and
   what their stand was teaches nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.rule import DOUBTFUL, Alarm, Clear, Finding
from gateway.check import Interval

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
WEEK_MS = 7 * DAY_MS
LEARN_MS = 14 * DAY_MS
WEEKS = 4
TIMES = 4
BOUNDS = {"energy_import_wh": (6 * HOUR_MS, 48 * HOUR_MS), "water_volume_l": (72 * HOUR_MS, 96 * HOUR_MS)}
"""The least and the most a stand may last. A refrigerator runs within six hours; a stuck register is worth two days."""
PROVEN_WH = 1000.0
"""So much must have flowed by the meter's own power: registers of whole kWh step that late."""
GAP_MS = 900_000


class State(NamedTuple):
    """What is remembered: the stand that is on, those of the weeks, and what the power says meanwhile.

    `born` is the first interval (UTC ms), `step` the newest step, `end` how far the register is known; `longest` are
    the longest stands in ms of this week and those before, `week` its number. `at` and `flowed` are the newest power
    and the Wh since the step; `told` is 1 for odd, 2 for proven.
    """

    born: int = 0
    step: int = 0
    end: int = 0
    longest: tuple[int, ...] = (0,)
    week: int = 0
    at: int = 0
    flowed: float = 0.0
    told: int = 0


@dataclass(frozen=True)
class ZeroConsumption:
    """Judges how long the register of electricity or water stands still; nothing of it while the customer is `away`."""

    name: ClassVar[str] = "zero_consumption"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = ("power_w",)
    keys: ClassVar[tuple[str, ...]] = ("energy_import_wh", "water_volume_l")
    cooldown: ClassVar[float] = 0.0
    away: bool = False
    factor: float = 1.0

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take the power that the meter shows; it proves that a register which stands is stuck."""
        power = values.get("power_w")
        if power is None or q & DOUBTFUL or not state.step:
            return state, None
        born, step, end, longest, week, at, flowed, told = state
        if power > 0 and 0 < ts - at <= GAP_MS:
            flowed += float(power) * ((ts - at) / HOUR_MS)
        state = State(born, step, end, longest, week, ts, flowed, told)
        if flowed < PROVEN_WH or told == 2 or ts <= step:  # noqa: PLR2004  proven is told once
            return state, None
        evidence = {"since_ms": step, "flowed_wh": round(flowed)}
        stand = round((ts - step) / 1000)
        alarm = Alarm("warning", ts, stand, 0.0, "s", "energy_import_wh", 1.0, evidence)
        return state._replace(told=2), alarm

    def interval(self, state: State, interval: Interval) -> tuple[State, Finding]:
        """Take what the register counted."""
        born, step, known, longest, week, at, flowed, told = state
        _, key, start, end, amount, _ = interval
        if not born or amount is None:  # new, or replaced: what was known is of another register
            return State(born or end, end, end, longest, week), Clear(end, {}) if told else None
        if end <= known:  # the clock was set back
            born, step, at = min(born, start), min(step, start), 0
        if end // WEEK_MS != week:
            week, longest = end // WEEK_MS, (0, *longest)[: WEEKS + 1]
        if not amount:
            return self._stands(State(born, step, end, longest, week, at, flowed, told), key)
        # What was told, or stood while nobody was at home, says nothing of how long this home is still.
        if start - step > longest[0] and not told and not self.away:
            longest = (start - step, *longest[1:])
        return State(born, end, end, longest, week, at), Clear(end, {"since_ms": step}) if told else None

    def _stands(self, state: State, key: str) -> tuple[State, Finding]:
        if self.away:  # a stand while nobody is at home is none
            return state._replace(step=state.end), None
        least, most = BOUNDS[key]
        if state.end - state.step < least * self.factor:
            return state, None
        limit = round(self.factor * min(most, max(least, TIMES * max(state.longest))))
        stand = state.end - state.step
        if state.told or stand < limit or state.end - state.born < LEARN_MS:
            return state, None
        evidence = {"since_ms": state.step, "longest_s": round(max(state.longest) / 1000)}
        alarm = Alarm("info", state.step + limit, round(stand / 1000), round(limit / 1000), "s", key, 1.0, evidence)
        return state._replace(told=1), alarm
