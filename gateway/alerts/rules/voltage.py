"""Voltage outside of what appliances are made for (E10), and a phase that is gone (E12).

1. Meters are read now and then: what is told was seen, and dips between two readings were not.
2. A dip or a swell lies beyond a tenth of the nominal voltage, in two readings in a row; it is over once the voltage is
   back by `back`. Half the nominal voltage is no dip: that phase is gone.
3. The nominal voltage is the place's own; where none is given, 127 or 230 V, whichever the first readings are nearer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.event import Severity  # noqa: TC001  as all rules do
from gateway.alerts.rule import DOUBTFUL, Alarm, Clear, Finding

PHASES = ("voltage_l1_v", "voltage_l2_v", "voltage_l3_v")
KEYS = (*PHASES, "voltage_v")
USUAL = (127.0, 230.0)
GAP_MS = 900_000
SETTLED_MS = 60_000
"""What is as it should be is noted once a minute, and costs next to nothing in between."""
DAY_MS = 86_400_000
OFTEN = 3
LONG_MS = 300_000
GONE, PRESENT = 0.5, 0.8


class State(NamedTuple):
    """What is remembered: the nominal voltage, the dip that is on, and those of the day.

    `last` is the newest reading, `since` when the voltage left its band (UTC ms, 0: it is within), `worst` the most it
    was off, in V; `told` says that this one was told, `day` and `times` how many began on this day (UTC).
    """

    nominal: float = 0.0
    last: int = 0
    since: int = 0
    worst: float = 0.0
    told: bool = False
    day: int = 0
    times: int = 0


@dataclass(frozen=True)
class VoltageQuality:
    """Judges the voltages of a meter, all phases as one; `nominal` None learns it."""

    name: ClassVar[str] = "voltage_quality"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = KEYS
    nominal: float | None = None
    band: float = 0.1
    back: float = 0.02
    cooldown: float = 86_400.0

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take the voltages of one reading."""
        nominal = self.nominal or state.nominal
        if not state.since and 0 < ts - state.last < SETTLED_MS and nominal:
            off = self.band * nominal
            if _between(values, KEYS, nominal - off, nominal + off):
                return state, None
        volts = [(float(values[key]), key) for key in KEYS if key in values]
        if not volts or q & DOUBTFUL or _late(state.last, ts):
            return state, None
        nominal = nominal or _nearest(volts[0][0])
        known = [(abs(volt - nominal), volt, key) for volt, key in volts if volt >= GONE * nominal]
        if not known:
            return state._replace(last=ts), None
        off, volt, key = max(known)
        gap = not 0 < ts - state.last <= GAP_MS
        state = state._replace(last=ts, nominal=nominal, since=0 if gap and not state.told else state.since)
        if off <= (self.band - (self.back if state.since else 0.0)) * nominal:
            return self._within(state, ts)
        if off <= self.band * nominal:
            return state, None
        return self._outside(state, ts, volt, key)

    def _outside(self, state: State, ts: int, volt: float, key: str) -> tuple[State, Finding]:
        off = abs(volt - state.nominal)
        if not state.since:
            day = ts // DAY_MS
            times = state.times + 1 if day == state.day else 1
            return state._replace(since=ts, worst=volt, day=day, times=times), None
        worst = volt if off > abs(state.worst - state.nominal) else state.worst
        state = state._replace(worst=worst, told=True)
        severity: Severity = "warning" if ts - state.since > LONG_MS or state.times > OFTEN else "info"
        evidence = {"since_ms": state.since, "worst_v": worst, "seen_today": float(state.times)}
        return state, Alarm(severity, ts, round(volt, 1), state.nominal, "V", key, 1.0, evidence)

    def _within(self, state: State, ts: int) -> tuple[State, Finding]:
        since, worst, told = state.since, state.worst, state.told
        if not since:
            return state, None
        state = state._replace(since=0, worst=0.0, told=False)
        return state, Clear(ts, {"since_ms": since, "worst_v": worst}) if told else None


class Phase(NamedTuple):
    """`last` is the newest reading, `since` when a phase was first seen gone (UTC ms, 0: none is), `told` if told."""

    last: int = 0
    since: int = 0
    told: bool = False


@dataclass(frozen=True)
class PhaseFault:
    """Judges whether one of three phases is gone while another is there; motors burn on two phases."""

    name: ClassVar[str] = "phase_fault"
    start: ClassVar[Phase] = Phase()
    reading_keys: ClassVar[tuple[str, ...]] = PHASES
    nominal: float | None = None
    dwell: float = 60.0
    cooldown: float = 21_600.0

    def reading(self, state: Phase, ts: int, q: int, values: Mapping[str, Number]) -> tuple[Phase, Finding]:
        """Take the voltages of the phases."""
        if (
            not state.since
            and 0 < ts - state.last < SETTLED_MS
            and _between(values, PHASES, GONE * (self.nominal or USUAL[-1]), math.inf)
        ):
            return state, None
        volts = [(float(values[key]), key) for key in PHASES if key in values]
        if len(volts) < len(PHASES) or q & DOUBTFUL or _late(state.last, ts):
            return state, None
        (low, key), (high, _) = min(volts), max(volts)
        nominal = self.nominal or _nearest(high)
        gone = low < GONE * nominal and high > PRESENT * nominal
        if not gone:
            told, since = state.told, state.since
            return Phase(ts), Clear(ts, {"since_ms": since}) if told else None
        since = state.since if state.since and 0 < ts - state.last <= GAP_MS else ts
        state = Phase(ts, since, state.told)
        if ts - since < self.dwell * 1000:
            return state, None
        alarm = Alarm("warning", ts, round(low, 1), nominal, "V", key, 1.0, {"since_ms": since, "other_v": high})
        return state._replace(told=True), alarm


def _between(values: Mapping[str, Number], keys: tuple[str, ...], low: float, high: float) -> bool:
    """Tell whether all of these voltages that are there lie between two: so do all but a few readings of a year."""
    for key in keys:
        volt = values.get(key)
        if volt is not None and not low <= volt <= high:
            return False
    return True


def _late(last: int, ts: int) -> bool:
    """Tell whether a reading is late; what lies further back is no late one, but of a clock that was set."""
    return -GAP_MS < ts - last <= 0


def _nearest(volt: float) -> float:
    return min(USUAL, key=lambda usual: abs(usual - volt))
