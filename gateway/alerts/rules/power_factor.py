"""A low power factor (E14): current that is paid for and does no work; businesses are billed for it, homes are not.

A quarter of an hour counts when its mean power factor is below `below` and enough flows for that to matter; told after
`dwell` of such quarters in a row, over after as many good ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.rule import DOUBTFUL, Alarm, Clear, Finding

QUARTER_MS = 900_000


class State(NamedTuple):
    """`begin` is the quarter's (UTC ms), `active`, `apparent` and `readings` its sums; `told` says that it was told.

    `low` and `good` are the quarters in a row.
    """

    begin: int = 0
    active: float = 0.0
    apparent: float = 0.0
    readings: int = 0
    low: int = 0
    good: int = 0
    told: bool = False


@dataclass(frozen=True)
class LowPowerFactor:
    """Judges active against apparent power; `least` is in VA, `dwell` in seconds."""

    name: ClassVar[str] = "low_power_factor"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = ("power_w",)
    below: float = 0.85
    least: float = 1000.0
    dwell: float = 7200.0
    cooldown: float = 2_592_000.0

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take the powers of one reading."""
        active, apparent = values.get("power_w"), _apparent(values)
        late = state.begin - QUARTER_MS <= ts < state.begin  # further back it is the clock that was set
        if active is None or apparent is None or q & DOUBTFUL or late:
            return state, None
        finding: Finding = None
        begin = ts - ts % QUARTER_MS
        if begin != state.begin:
            state, finding = self._quarter(state, begin)
        sums = (state.active + abs(float(active)), state.apparent + apparent, state.readings + 1)
        return State(begin, *sums, state.low, state.good, state.told), finding

    def _quarter(self, state: State, begin: int) -> tuple[State, Finding]:
        needed = max(1, round(self.dwell * 1000 / QUARTER_MS))
        if not state.readings or begin != state.begin + QUARTER_MS:
            return State(begin, told=state.told), None
        factor = state.active / state.apparent if state.apparent else 1.0
        bad = factor < self.below and state.apparent / state.readings > self.least
        low, good = (min(state.low + 1, needed), 0) if bad else (0, min(state.good + 1, needed))
        fresh = State(begin, low=low, good=good, told=state.told)
        if low >= needed:
            alarm = Alarm("info", begin, round(factor, 2), self.below, "", "power_factor", 1.0, {})
            return fresh._replace(told=True), alarm
        if state.told and good >= needed:
            return fresh._replace(told=False), Clear(begin, {})
        return fresh, None


def _apparent(values: Mapping[str, Number]) -> float | None:
    apparent, active, reactive = (values.get(key) for key in ("apparent_power_va", "power_w", "reactive_power_var"))
    if apparent is not None:
        return abs(float(apparent))
    return hypot(float(active), float(reactive)) if active is not None and reactive is not None else None
