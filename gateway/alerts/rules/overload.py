"""Overload (E13): the main fuse carries more than it should, for longer than it should."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.event import Severity
from gateway.alerts.rule import DOUBTFUL, Alarm, Clear, Finding

NOMINAL_V = 230.0
PHASES = (
    ("current_l1_a", "power_l1_w", "voltage_l1_v"),
    ("current_l2_a", "power_l2_w", "voltage_l2_v"),
    ("current_l3_a", "power_l3_w", "voltage_l3_v"),
)
GAP_MS = 90_000
"""A poll a minute that comes late; what the current was in a longer silence nobody knows, so a dwell starts anew."""
CLEAR_MS = 10_000
"""So long below the clearing share: one low sample of a cycling load is no end."""
POINTS = 12
NONSENSE_A = 100_000.0
"""No main fuse carries it, so it is a wrong scale or a broken word, and says nothing."""


class State(NamedTuple):
    """Since when (UTC ms, 0 for not now) each share is exceeded; `peak` in A of this episode, 0 outside of one.

    `begun` is since when what was told of it is exceeded.
    """

    last: int = 0
    strained: int = 0
    over: int = 0
    below: int = 0
    peak: float = 0.0
    begun: int = 0
    points: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Overload:
    """Judges the current of the busiest phase against the main fuse, `rating_a`.

    Above the rating for `dwell` it is critical: a motor's start is long over, and what follows is darkness. Above
    `warn_at` of it for `warn_dwell` it is a warning: contacts age by lasting heat. It is over below `clear_at`, well
    under both; then only something worse is told for `cooldown`, since cookers and chargers switch on and off.

    Where a meter tells no current of its phases, power and voltage per phase serve (230 V unless told). A total power
    alone says nothing of phases and is not judged.
    """

    name: ClassVar[str] = "overload"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = (
        *(key for current, power, _ in PHASES for key in (current, power)),
        "current_a",
    )
    rating_a: float
    dwell: float = 60.0
    warn_at: float = 0.9
    warn_dwell: float = 300.0
    clear_at: float = 0.8
    cooldown: float = 3600.0

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take the currents of one reading."""
        key, amps = _busiest(values)
        if not state.peak and amps <= self.warn_at * self.rating_a:
            return state, None
        late = -GAP_MS < ts - state.last <= 0  # further back it is the clock that was set
        if not key or q & DOUBTFUL or late:
            return state, None
        if not 0 < ts - state.last <= GAP_MS:
            state = State(peak=state.peak, begun=state.begun)
        if amps >= self.clear_at * self.rating_a:
            return self._loaded(state, ts, key, amps)
        return self._relieved(state, ts)

    def _loaded(self, state: State, ts: int, key: str, amps: float) -> tuple[State, Finding]:
        strained = (state.strained or ts) if amps > self.warn_at * self.rating_a else 0
        over = (state.over or ts) if amps > self.rating_a else 0
        points = (*state.points[1 - POINTS :], (ts, amps))
        state = State(ts, strained, over, 0, max(state.peak, amps), state.begun, points)
        if grade := self._grade(state, ts):
            severity, since, limit = grade
            state = state if state.begun else state._replace(begun=since)
            evidence = {"limit_a": limit, "since_ms": since, "peak_a": state.peak}
            return state, Alarm(severity, ts, amps, self.rating_a, "A", key, amps, evidence, points)
        return state, None

    def _grade(self, state: State, ts: int) -> tuple[Severity, int, float] | None:
        """Say how bad it is, since when, and above which current."""
        if state.over and ts - state.over >= self.dwell * 1000:
            return "critical", state.over, self.rating_a
        if state.strained and ts - state.strained >= self.warn_dwell * 1000:
            return "warning", state.strained, self.warn_at * self.rating_a
        return None

    def _relieved(self, state: State, ts: int) -> tuple[State, Finding]:
        below = state.below or ts
        if ts - below < CLEAR_MS:
            return State(ts, below=below, peak=state.peak, begun=state.begun), None
        begun = {"since_ms": state.begun} if state.begun else {}
        return self.start, Clear(below, {"peak_a": state.peak, **begun})


def _busiest(values: Mapping[str, Number]) -> tuple[str, float]:
    """Give the key and the amperes of the phase that carries most; ("", 0) where none is told."""
    best, amps = "", 0.0
    for key, power_key, voltage_key in PHASES:
        current = values.get(key)
        if current is None:
            power = values.get(power_key)
            if power is None:
                continue
            # A phase that is almost dead divides by almost nothing.
            current = float(power) / max(float(values.get(voltage_key, NOMINAL_V)), NOMINAL_V / 2)
        size = abs(float(current))
        if amps <= size < NONSENSE_A:
            best, amps = key, size
    if not best and (current := values.get("current_a")) is not None:
        size = abs(float(current))
        return ("current_a", size) if size < NONSENSE_A else ("", 0.0)
    return best, amps
