"""What flows the wrong way (E9, W6): water pressed back into the main, energy pushed out by a home without a plant.

1. A main register that fell by a little, and stays below where it was, ran backwards. A fall of one step that comes
   back is noise; one as large as a register of its own is a new meter, which the check tells of.
2. A register of the other direction that rises says the same: every litre of it, and above `export` Wh a day where no
   solar plant is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.check import Interval
from gateway.message import ESTIMATED, LOAD_PROFILE, TIME_REPAIRED

DAY_MS = 86_400_000
FORWARD = {"water_volume_l": "l", "gas_volume_l": "l", "energy_import_wh": "Wh"}
BACKWARD = {"water_volume_reverse_l": "l", "energy_export_wh": "Wh"}
LATE_MS = 3_600_000
"""A reading so much older than the newest was late, or came twice; further back it is the clock that was set."""
LEAST = 2.0
MOST = {"l": 1000.0, "Wh": 10_000.0}
"""What may flow back before anybody looks; a larger fall is another register."""
OLD = ESTIMATED | LOAD_PROFILE | TIME_REPAIRED


class State(NamedTuple):
    """What is remembered of the main register, and of the other direction.

    `top` is the most the main register showed, `low` its value since it fell (-1: it did not), `seen` the readings
    since, `at` the newest one (UTC ms). `day` is the number of the day (UTC), `out` what came out on it; `told` is when
    it was told (UTC ms).
    """

    top: float = 0.0
    low: float = -1.0
    seen: int = 0
    at: int = 0
    day: int = 0
    out: float = 0.0
    told: int = 0


@dataclass(frozen=True)
class ReverseFlow:
    """Judges falls of the main register, and rises of the other direction; `export` is in Wh a day."""

    name: ClassVar[str] = "reverse_flow"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = tuple(FORWARD)
    keys: ClassVar[tuple[str, ...]] = tuple(BACKWARD)
    pv: bool = False
    export: float = 200.0
    cooldown: float = 86_400.0

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take the main register as the meter shows it: the check holds a fall back until it is decided."""
        for key, unit in FORWARD.items():
            value = values.get(key)
            if value is not None:
                return self._main(state, ts, key, unit, float(value)) if not q & OLD else (state, None)
        return state, None

    def _main(self, state: State, ts: int, key: str, unit: str, value: float) -> tuple[State, Finding]:
        top, _, _, at, day, out, told = state
        if at - LATE_MS < ts <= at:
            return state, None
        fall = top - value
        if fall <= 0 or fall > MOST[unit]:
            return self._over(State(value, -1.0, 0, ts, day, out, told), ts)
        state = state._replace(at=ts)
        if fall < LEAST:
            return state._replace(low=-1.0, seen=0), None
        if state.low < 0:
            return state._replace(low=value, seen=1), None
        state = state._replace(low=min(state.low, value), seen=2)
        fell = round(state.top - state.low, 3)
        evidence = {"fell_" + unit.lower(): fell}
        # From here on it counts forward again from below; what was lost is told once.
        return state._replace(top=value, low=-1.0, seen=0, told=ts), Alarm(
            "warning", ts, fell, 0.0, unit, key, fell, evidence
        )

    def interval(self, state: State, interval: Interval) -> tuple[State, Finding]:
        """Take what the register of the other direction counted."""
        _, key, _, end, amount, _ = interval
        unit = BACKWARD[key]
        if not amount or (unit == "Wh" and self.pv):
            return self._over(state, end)
        top, low, seen, at, day, before, told = state
        today = end // DAY_MS
        out = amount + before if today == day else amount
        shown = round(out, 3)
        limit = self.export if unit == "Wh" else LEAST
        if out < limit:
            return State(top, low, seen, at, today, shown, told), None
        return State(top, low, seen, at, today, shown, end), Alarm("warning", end, shown, limit, unit, key, out, {})

    def _over(self, state: State, now: int) -> tuple[State, Finding]:
        """Nothing flowed back for a day: it is over."""
        if not state.told or 0 <= now - state.told < DAY_MS:
            return state, None
        return state._replace(told=0), Clear(now, {})
