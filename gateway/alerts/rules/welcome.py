"""The first insight (X11): once in a meter's life, what its first hour showed.

1. From the first reading with a register an hour is waited for; then what it counted is told, and what flows now.
2. A day later it is over without a word; whatever comes after that, it is never told again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from drivers.quantities import BY_KEY
from gateway.alerts.rule import DOUBTFUL, Alarm, Clear, Finding

REGISTERS = ("energy_import_wh", "water_volume_l", "gas_volume_l", "heat_energy_wh")
NOW = {"power_w": "now_w", "water_flow_l_h": "now_l_h", "gas_flow_l_h": "now_l_h", "heat_power_w": "now_w"}
"""What flows now, by its key: the key of the evidence."""
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
WAITS, TOLD, OVER = 0, 1, 2


class State(NamedTuple):
    """Since when a register is followed (UTC ms, 0: not yet), which one, what it showed, and what was told of it."""

    since: int = 0
    key: str = ""
    shown: float = 0.0
    stage: int = WAITS


@dataclass(frozen=True)
class Welcome:
    """Greets a new meter with its first hour, as information; a meter without a register is greeted without figures."""

    name: ClassVar[str] = "welcome"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = ()
    cooldown: ClassVar[float] = 0.0

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take a reading."""
        if state.stage == OVER or q & DOUBTFUL:
            return state, None
        if not state.since:
            key = next((key for key in REGISTERS if key in values), "")
            return State(ts, key, float(values[key]) if key else 0.0), None
        if state.stage == TOLD:
            over = ts >= state.since + HOUR_MS + DAY_MS
            return (state._replace(stage=OVER), Clear(ts, {})) if over else (state, None)
        if ts < state.since + HOUR_MS or (state.key and state.key not in values):
            return state, None
        used = float(values[state.key]) - state.shown if state.key else -1.0
        flows = {name: round(float(values[key]), 1) for key, name in NOW.items() if key in values and values[key] > 0}
        evidence = {"since_ms": float(state.since)} | flows
        known = state.key if used >= 0 else ""  # a register that fell was exchanged in this hour
        unit = BY_KEY[known].unit if known else ""
        alarm = Alarm("info", ts, round(used, 1) if known else 0.0, 0.0, unit, known, 1.0, evidence)
        return state._replace(stage=TOLD), alarm
