"""What a meter says of itself: that somebody was at it (X1), that its battery ends (X2).

1. A flag is told when it goes up, not while it stays up: many meters keep one until somebody comes and resets it.
2. It is over when the flag is down for `DOWN` readings in a row: radio meters say it in every other telegram.
3. Batteries say so twice: by a flag, and by the time they have left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.event import Severity  # noqa: TC001  as all rules do
from gateway.alerts.rule import DOUBTFUL, Alarm, Clear, Finding

DOWN = 3
DAY_S = 86_400


class State(NamedTuple):
    """Whether it was told, whether by the flag, and the readings in a row without the flag."""

    told: bool = False
    flagged: bool = False
    down: int = 0


@dataclass(frozen=True)
class Tamper:
    """Tells of the flag `tamper`: an open cover, a magnet, a meter put in backwards, by whatever name its maker has."""

    name: ClassVar[str] = "tamper"
    start: ClassVar[State] = State()
    cooldown: float = 86_400.0

    def flags(self, state: State, ts: int, status: Sequence[str]) -> tuple[State, Finding]:
        """Take the flags that are up."""
        return _flag(state, ts, up="tamper" in status, alarm=Alarm("warning", ts, 0.0, 0.0, "", "", 1.0, {}))


@dataclass(frozen=True)
class BatteryLow:
    """Tells of the flag `battery_low`, and of a battery with less than `soon` seconds left; urgent below `urgent`."""

    name: ClassVar[str] = "battery_low"
    start: ClassVar[State] = State()
    reading_keys: ClassVar[tuple[str, ...]] = ("battery_left_s",)
    soon: float = 180.0 * DAY_S
    urgent: float = 30.0 * DAY_S
    cooldown: float = 30.0 * DAY_S

    def flags(self, state: State, ts: int, status: Sequence[str]) -> tuple[State, Finding]:
        """Take the flags that are up; that this one is down says nothing of a battery that told its days."""
        return _flag(state, ts, up="battery_low" in status, alarm=Alarm("info", ts, 0.0, 0.0, "", "", 1.0, {}))

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take how long the battery still lasts."""
        left = values.get("battery_left_s")
        if left is None or q & DOUBTFUL:
            return state, None
        seconds = float(left)
        if seconds < self.soon:
            severity: Severity = "warning" if seconds < self.urgent else "info"
            alarm = Alarm(severity, ts, round(seconds), self.soon, "s", "battery_left_s", 1.0, {})
            return state._replace(told=True), alarm
        return (self.start, Clear(ts, {})) if state.told else (state, None)


def _flag(state: State, ts: int, *, up: bool, alarm: Alarm) -> tuple[State, Finding]:
    if up:
        return State(told=True, flagged=True), None if state.told else alarm
    if not state.flagged:
        return state, None
    down = state.down + 1
    return (State(), Clear(ts, {})) if down >= DOWN else (state._replace(down=down), None)
