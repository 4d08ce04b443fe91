"""More power than was contracted (E6), told before the hour that is billed is over.

1. Utilities bill the mean of a clock window. What the window holds so far, and what the present power adds to its end,
   is its projection; it is judged once `early` of the window is over, when there is still time to switch something off.
2. Told once a window, and over with the first window that ends below the limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.rule import DOUBTFUL, Alarm, Clear, Finding

HOUR_MS = 3_600_000
GAP_MS = 120_000
FOLLOWS = 0.3
"""Power follows a new reading within a few of them: a kettle is no projection."""


class State(NamedTuple):
    """`last` is the newest reading, `power` the smoothed one in W; `begin` is the window's, `held` its Wh so far.

    `covered` are the ms of it that are known, `told` says that this window was told, `open` that some was.
    """

    last: int = 0
    power: float = 0.0
    begin: int = 0
    held: float = 0.0
    covered: int = 0
    told: bool = False
    open: bool = False


@dataclass(frozen=True)
class DemandLimit:
    """Judges the mean power of clock windows of `window` seconds against `limit` watts."""

    name: ClassVar[str] = "demand_limit"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = ("power_w",)
    cooldown: ClassVar[float] = 0.0
    limit: float
    window: float = 3600.0
    early: float = 0.4

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take the power of one reading."""
        power = values.get("power_w")
        late = -GAP_MS < ts - state.last <= 0  # further back it is the clock that was set
        if power is None or q & DOUBTFUL or late:
            return state, None
        width = round(self.window * 1000)
        begin, finding = ts - ts % width, None
        if begin != state.begin:
            state, finding = self._new_window(state, begin, width)
        gap = ts - max(state.last, begin)
        watts = max(0.0, float(power))
        if 0 < gap <= GAP_MS:
            smooth = state.power + FOLLOWS * (watts - state.power)
            held, covered = state.held + watts * gap / HOUR_MS, state.covered + gap
        else:
            smooth, held, covered = watts, state.held, state.covered
        state = State(ts, smooth, begin, held, covered, state.told, state.open)
        return (state, finding) if finding else self._judge(state, begin + width, width)

    def _judge(self, state: State, end: int, width: int) -> tuple[State, Finding]:
        passed = state.last - state.begin
        if state.told or passed < self.early * width or state.covered < passed / 2:
            return state, None
        known = state.held * passed / state.covered
        mean = round((known + state.power * (end - state.last) / HOUR_MS) * HOUR_MS / width, 1)
        if mean <= self.limit:
            return state, None
        evidence = {"ends_ms": end, "power_w": round(state.power)}
        alarm = Alarm("warning", state.last, round(mean), self.limit, "W", "power_w", mean, evidence)
        return state._replace(told=True, open=True), alarm

    def _new_window(self, state: State, begin: int, width: int) -> tuple[State, Finding]:
        below = state.held * HOUR_MS / width <= self.limit
        over = state.open and (not state.told or below)
        fresh = State(state.last, state.power, begin, open=state.open and not over)
        return fresh, Clear(begin, {}) if over else None
