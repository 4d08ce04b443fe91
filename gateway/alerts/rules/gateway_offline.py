"""A gateway that is gone (X4), its readings that are late for customers, and many gateways gone at once.

1. A gateway gives signs: it comes with a word (`CAME`), says each minute that it is well (`WELL`), leaves with a word
   (`LEFT`), or the broker says in its place that it is gone (`LOST`). Three minutes missed are as good as that.
2. What lasts is told: after `dwell`, or after `planned` where it left with a word, for then somebody works at it.
3. It is over once the gateway has been well for `calm`: one that comes and goes is told once.
4. Only what was heard here before can be missed, and only while the hub itself had a broker (`excuse`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from drivers.contract import Number
from gateway.alerts.event import Severity
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.alerts.rules.silence import excused

KEY = "gateway_sign"
"""Stands for a gateway's sign here, and nowhere else."""
CAME, WELL, LOST, LEFT = 1, 2, 3, 4
MISSED_MS = 3 * 60_000
"""A gateway says each minute that it is well: one message may get lost, three hardly do."""


class State(NamedTuple):
    """`sign` is the last one (0: none yet), `since` when it came or the absence began, `counted` from when it counts.

    `regular` says that the gateway tells each minute that it is well, `told` that its absence was told, `back` since
    when it has been here again (0: it is not).
    """

    sign: int = 0
    since: int = 0
    counted: int = 0
    regular: bool = False
    told: bool = False
    back: int = 0


def away(state: State, now: int) -> bool:
    """Tell whether a gateway is missing; one that left with a word is not, until that was told."""
    if state.sign in (LOST, LEFT):
        return state.sign == LOST or state.told
    return state.regular and now - state.counted > MISSED_MS


@dataclass(frozen=True)
class _Absence:
    """What both rules of a gateway share: its signs, and how long it may be away."""

    severity: ClassVar[Severity]
    start: ClassVar[State] = State()
    cooldown: ClassVar[float] = 0.0
    reading_keys: ClassVar[tuple[str, ...]] = (KEY,)
    dwell: float = 300.0
    planned: float = 1800.0
    calm: float = 1800.0

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Take a sign."""
        del q
        sign = int(values[KEY])
        if sign in (LOST, LEFT):
            # Brokers keep it and say it again; of a gateway never seen at work nobody knows that it is missing.
            if sign == state.sign or not state.sign:
                return state, None
            since = state.since if state.told else ts
            return state._replace(sign=sign, since=since, counted=ts, back=0), None
        if sign == WELL and state.sign == LEFT:  # kept by the broker from before: who comes back says so
            return state, None
        regular = state.regular or sign == WELL
        if not state.told:
            return State(sign, ts, ts, regular), None
        there = state.back and ts - state.counted <= MISSED_MS
        back = state.back if there or (state.back and not regular) else ts
        if ts - back >= self.calm * 1000:
            return self._over(state._replace(sign=sign, regular=regular), ts, back)
        return State(sign, state.since, ts, regular, told=True, back=back), None

    def tick(self, state: State, now: int) -> tuple[State, Finding]:
        """Take the time."""
        moment = self.due(state)
        if moment is None or now < moment:
            return state, None
        if state.told:
            return self._over(state, moment, state.back)
        limit = self.planned if state.sign == LEFT else self.dwell
        lasted = (moment - state.since) / 1000
        alarm = Alarm(self.severity, moment, lasted, limit, "s", "", 1.0, {"since_ms": float(state.since)})
        return state._replace(told=True, back=0), alarm

    def due(self, state: State) -> int | None:
        """Name when an absence is told, or when one that says nothing each minute has been back for long enough."""
        if state.told:
            return state.back + round(self.calm * 1000) if state.back and not state.regular else None
        if state.sign in (LOST, LEFT):
            limit = max(self.planned, self.dwell) if state.sign == LEFT else self.dwell
            return state.counted + round(limit * 1000)
        return state.counted + MISSED_MS + round(self.dwell * 1000) if state.regular else None

    def excuse(self, state: State, since: int, until: int) -> State:
        """Leave out the time in which the hub itself heard nobody; what was told stays told."""
        counted = excused(state.counted, since, until)
        return state._replace(counted=counted, since=state.since if state.told or state.sign > WELL else counted)

    def _over(self, state: State, at: int, back: int) -> tuple[State, Finding]:
        evidence = {"since_ms": float(state.since), "back_ms": float(back)}
        return State(state.sign, at, at, state.regular), Clear(back, evidence)


@dataclass(frozen=True)
class GatewayOffline(_Absence):
    """Tells the operator of a gateway that is gone, after `dwell`: what restarts or changes networks is back by then.

    Half an hour is what working at it takes (`planned`), and what tells that it stays (`calm`).
    """

    name: ClassVar[str] = "gateway_offline"
    severity: ClassVar[Severity] = "warning"


@dataclass(frozen=True)
class LateReadings(_Absence):
    """Tells customers, as information, once a gateway has been gone for so long that they miss readings."""

    name: ClassVar[str] = "late_readings"
    severity: ClassVar[Severity] = "info"
    dwell: float = 21_600.0


class Fleet(NamedTuple):
    """What is remembered of a tenant's gateways: whether it was told that many are away."""

    told: bool = False


@dataclass(frozen=True)
class GatewaysOffline:
    """Tells, in place of one message for each, that more than `share` of a tenant's gateways are away at once.

    That has one cause: a network, a power cut, a certificate. Below `least` gateways a share says nothing of a region.
    It is over at half of `share`; whoever is away then still is told of one by one.
    """

    name: ClassVar[str] = "gateways_offline"
    start: ClassVar[Fleet] = Fleet()
    cooldown: ClassVar[float] = 0.0
    reading_keys: ClassVar[tuple[str, ...]] = (KEY,)
    share: float = 0.3
    least: int = 10

    def judge(self, fleet: Fleet, away_now: int, known: int, due: int | None, now: int) -> tuple[Fleet, Finding]:
        """Take how many of the known ones are away; `due` is when the first of them is to be told, None for none."""
        if known >= self.least and away_now > self.share * known and (fleet.told or due is not None):
            when = now if due is None else due
            alarm = Alarm("warning", when, away_now, known, "", "gateways", float(away_now), {"away": away_now})
            return Fleet(told=True), alarm
        if fleet.told and away_now <= self.share * known / 2:
            return Fleet(), Clear(now, {"away": away_now})
        return fleet, None
