"""A silent meter (X3): it used to speak, and does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.rule import Alarm, Clear, Finding

UNLEARNT_MS = 36 * 3_600_000
"""The limit until a period is known: the slowest radio meters speak twice a day, and one telegram may get lost."""
LEARN = 3
"""Gaps that make a period."""
DAY_MS = 86_400_000
SET_BACK_MS = 90_000
"""What is older than the newest reading by more than this was not late: the clock was set."""
SPEAKS, SILENT, SILENT_FOR_A_DAY = 0, 1, 2


class State(NamedTuple):
    """`heard` is the newest reading (ms, moved on while the gateway was away), `usual` the learnt period in ms.

    `stage` is what was found, `silent` since when, `back` the first reading after that (0: none yet).
    """

    heard: int = 0
    usual: float = 0.0
    learnt: int = 0
    stage: int = SPEAKS
    silent: int = 0
    back: int = 0


def excused(heard: int, since: int, until: int) -> int:
    """Move a moment on, past a time in which nobody listened, or back with a clock that was set; 0 stays (never).

    What was heard after all that stays where it is: later than the absence, or on the clock as it is now.
    """
    heard_since = heard <= until if until < since else heard >= until
    return heard if not heard or heard_since else until - max(0, since - heard)


@dataclass(frozen=True)
class Silence:
    """Raises when a meter has been silent for `periods` of its own learnt period, and for `least` at the least.

    Five periods: of a radio meter one telegram in ten may get lost, five in a row hardly do. A quarter of an hour: a
    shorter silence of a fast meter is over before anybody could act. It is over with the second reading, since a meter
    with a loose contact gives one now and then. A day of silence is told once more, for then customers are concerned.
    The period follows a meter that slows down within a few readings; one long gap moves it little.
    """

    name: ClassVar[str] = "meter_offline"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = ()
    cooldown: ClassVar[float] = 0.0
    periods: float = 5.0
    least: float = 900.0

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take that the meter spoke; what it said, and whether that is to be believed, does not matter."""
        del q, values
        heard, usual, learnt, stage, silent, back = state
        gap = ts - heard
        if gap <= 0 or not heard:
            return (state._replace(heard=ts), None) if gap < -SET_BACK_MS or not heard else (state, None)
        if learnt < LEARN:  # a meter may have been asked twice at the beginning
            usual, learnt = max(float(gap), usual), learnt + 1
        else:  # clipped, so that one night of silence does not stretch the limit for long
            usual += (min(gap, 4 * usual) - usual) / 4
        if not stage:
            return State(ts, usual, learnt), None
        if not back:
            return State(ts, usual, learnt, stage, silent, ts), None
        return State(ts, usual, learnt), Clear(ts, {"last_ms": silent, "back_ms": back})

    def tick(self, state: State, now: int) -> tuple[State, Finding]:
        """Take the time."""
        moment = self.due(state)
        if moment is None or now < moment:
            return state, None
        limit, silence = self._limit(state), moment - state.heard
        stage = SILENT if silence < DAY_MS else SILENT_FOR_A_DAY
        evidence = {"last_ms": state.heard, "limit_s": limit / 1000, "period_s": round(state.usual / 1000, 1)}
        alarm = Alarm("warning", moment, silence / 1000, limit / 1000, "s", "", float(stage), evidence)
        return state._replace(stage=stage, silent=state.silent or state.heard, back=0), alarm

    def due(self, state: State) -> int | None:
        """Name when silence becomes an alert, and then when it becomes a day's."""
        if not state.heard or state.stage == SILENT_FOR_A_DAY:
            return None
        limit = round(self._limit(state))
        return state.heard + (max(DAY_MS, limit) if state.stage else limit)

    def excuse(self, state: State, since: int, until: int) -> State:
        """Leave out the time in which nobody listened; an alert that stands stays."""
        if not state.heard:
            return State(until)
        return state if state.stage else state._replace(heard=excused(state.heard, since, until))

    def _limit(self, state: State) -> float:
        if state.learnt < LEARN:
            return UNLEARNT_MS
        return max(self.periods * state.usual, self.least * 1000)
