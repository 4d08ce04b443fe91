"""Watches the gateways from the hub (X4): what they say of themselves, and that they say nothing.

1. `hear` takes the topics `status` and `health` as signs, for the rules of `alerts/rules/gateway_offline.py`. Whoever
   holds the hub's connection says by `connected` and `lost` when it heard anything at all: that time does not count.
2. `look` lets the time pass. Where many gateways of a tenant are away at once there is one event for all of them, and
   none for each; whoever is away when that is over is told of then.
3. What is remembered is written when something but the last sign of life changes, with the events that came of it.
   After a restart all that is not told yet is counted anew.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from gateway.alerts.event import AlertEvent
from gateway.alerts.life import Life, alarmed, ended
from gateway.alerts.rule import Alarm, Finding
from gateway.alerts.rules.gateway_offline import (
    CAME,
    KEY,
    LEFT,
    LOST,
    WELL,
    Fleet,
    GatewayOffline,
    GatewaysOffline,
    LateReadings,
    State,
    away,
)
from gateway.config.alerts import AlertsTable
from gateway.message import MessageError, Topics
from gateway.remembered import Listener, Name, Remembered, Told, pack, unpack
from gateway.store.contract import TryAgain
from gateway.store.database import Database
from gateway.transport import Message

EVERY = 15.0
STATUS_LIMIT = 4096
"""Bytes of a status that are read: an honest one has under 300."""
GATEWAYS = 20_000
"""More are not followed: ten times the fleet one hub serves; beyond it somebody makes them up."""
FLEET = ""
"""Stands where a gateway's name would, for all of a tenant's."""

Gone = GatewayOffline | LateReadings


@dataclass(slots=True)
class Gate:
    """One gateway: its state and its alert's life by rule, and when it was last away, from and until (UTC ms)."""

    of: dict[str, tuple[State, Life]]
    absence: tuple[int, int] = (0, 0)


class GateWatch:
    """Follows all gateways that a hub hears; `refused` counts what was no sign, by reason."""

    def __init__(self, database: Database, alerts: AlertsTable, now: Callable[[], int]) -> None:
        """Judge by these tables, at `now` (UTC ms); `listeners` hear each event once it is in the database."""
        self.refused: Counter[str] = Counter()
        self.listeners: list[Listener] = []
        self._now = now
        self._rules, self._bulletin = rules_of_gateways(alerts)
        self._remembered = Remembered(database, "gateway_signs")
        self._tenants: dict[str, dict[str, Gate]] = {}
        self._fleets: dict[str, tuple[Fleet, Life]] = {}
        self._changed: set[Name] = set()
        self._told: list[Told] = []
        self._deaf_since: int | None = 0

    async def open(self) -> None:
        """Take up what is remembered; raises StoreError."""
        for (tenant, name), body in (await self._remembered.open()).items():
            rows = unpack(body)
            if name == FLEET:
                state, life = rows.pop(GatewaysOffline.name)
                self._fleets[tenant] = Fleet(*state), life
                continue
            known = {rule.name: rows.pop(rule.name, ([], Life())) for rule in self._rules}
            gate = Gate({rule: (State(*state), life) for rule, (state, life) in known.items()})
            self._tenants.setdefault(tenant, {})[name] = gate
            for rule, (_, life) in rows.items():  # switched off since
                self._end(tenant, name, rule, life)

    async def run(self) -> None:
        """Look now and then; ends only when cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    def connected(self) -> None:
        """Say that signs are heard from now on."""
        if self._deaf_since is None:
            return
        for gates in self._tenants.values():
            for gate in gates.values():
                for rule in self._rules:
                    state, life = gate.of[rule.name]
                    gate.of[rule.name] = rule.excuse(state, self._deaf_since, self._now()), life
        self._deaf_since = None

    def lost(self) -> None:
        """Say that no sign is heard any more."""
        if self._deaf_since is None:
            self._deaf_since = self._now()

    def hear(self, message: Message) -> None:
        """Take a status or a health of any gateway."""
        try:
            topics, kind, _ = Topics.parse(message.topic)
            sign = _sign(message.payload) if kind == "status" or not message.payload else WELL
        except MessageError:
            self.refused["malformed"] += 1
            return
        gates = self._tenants.get(topics.tenant, {})
        if sign is None:
            if kind == "status" and gates:
                self._forget(topics.tenant, topics.gw)
        elif topics.gw in gates or sum(map(len, self._tenants.values())) < GATEWAYS:
            self._take(topics.tenant, topics.gw, sign)
        else:
            self.refused["too_many"] += 1

    def absent(self, tenant: str, gw: str, start: int, end: int) -> bool:
        """Tell whether a gateway was away in some of this time, as far as is remembered."""
        gate = self._tenants.get(tenant, {}).get(gw)
        if gate is None:
            return False
        since, until = gate.absence
        now_away = any(away(state, self._now()) and state.since < end for state, _ in gate.of.values())
        return now_away or (since < end and until > start)

    def status(self) -> dict[str, object]:
        """Count the gateways there are, and those that are away."""
        states = [state for gates in self._tenants.values() for gate in gates.values() for state, _ in gate.of.values()]
        known = sum(map(len, self._tenants.values()))
        missing = sum(away(state, self._now()) for state in states) // max(1, len(self._rules))
        return {"known": known, "away": missing, "refused": dict(self.refused)}

    async def look(self) -> None:
        """Let the time pass, and write what came of it; what the disk refuses is written at the next look."""
        if self._deaf_since is None:
            for tenant in self._tenants:
                self._judge(tenant, self._now())
        if not self._changed and not self._told:
            return
        changed, self._changed = self._changed, set()
        told = list(self._told)
        kept = await self._remembered.keep({name: self._packed(*name) for name in changed}, told)
        if isinstance(kept, TryAgain):
            self._changed |= changed
            return
        # What came in while the disk was writing waits for the next look.
        del self._told[: len(told)]
        for one in told:
            for listener in self.listeners:
                listener(one.tenant, one.event)

    def _take(self, tenant: str, gw: str, sign: int) -> None:
        now = self._now()
        gate = self._tenants.get(tenant, {}).get(gw)
        if gate is None:
            gate = self._tenants.setdefault(tenant, {})[gw] = Gate(
                {rule.name: (rule.start, Life()) for rule in self._rules}
            )
        before = [(state.sign in (LOST, LEFT), away(state, now), state) for state, _ in gate.of.values()]
        for rule in self._rules:
            state, finding = rule.reading(gate.of[rule.name][0], now, 0, {KEY: sign})
            self._live(tenant, gw, gate, rule, state, finding, now)
        after = [state for state, _ in gate.of.values()]
        if any((old.sign, old.regular, old.told) != (new.sign, new.regular, new.told)
               for (_, _, old), new in zip(before, after, strict=True)):  # fmt: skip
            self._changed.add((tenant, gw))
        if sign in (CAME, WELL) and any(left or missing for left, missing, _ in before):
            gate.absence = before[0][2].since, now

    def _judge(self, tenant: str, now: int) -> None:
        gates = self._tenants[tenant]
        many = self._count(tenant, gates, now)
        for gw, gate in gates.items():
            for rule in self._rules:
                state = gate.of[rule.name][0]
                if many and not state.told:
                    continue
                new, finding = rule.tick(state, now)
                if finding is not None:
                    self._live(tenant, gw, gate, rule, new, finding, now)

    def _count(self, tenant: str, gates: dict[str, Gate], now: int) -> bool:
        """Judge all of a tenant's gateways together; True while one event stands for all."""
        fleet, life = self._fleets.get(tenant, (Fleet(), Life()))
        if self._bulletin is None or not self._rules:
            return False
        rule = self._rules[0]
        states = [gate.of[rule.name][0] for gate in gates.values()]
        moments = [due for state in states if not state.told and (due := rule.due(state)) is not None and due <= now]
        missing = sum(away(state, now) for state in states)
        fleet, finding = self._bulletin.judge(fleet, missing, len(states), min(moments, default=None), now)
        if finding is not None:
            name = self._bulletin.name
            life, event = _step(life, name, tenant, finding, now, 0.0)
            if event is not None:
                self._told.append(Told(tenant, tenant, event))
                self._changed.add((tenant, FLEET))
            self._fleets[tenant] = fleet, life
        return fleet.told

    def _live(self, tenant: str, gw: str, gate: Gate, rule: Gone, state: State, finding: Finding, now: int) -> None:
        life = gate.of[rule.name][1]
        if finding is not None:
            life, event = _step(life, rule.name, gw, finding, now, rule.cooldown)
            if event is not None:
                self._told.append(Told(tenant, gw, event))
            self._changed.add((tenant, gw))
        gate.of[rule.name] = state, life

    def _forget(self, tenant: str, gw: str) -> None:
        """Follow a gateway no more whose status somebody took off the broker."""
        gate = self._tenants[tenant].pop(gw, None)
        if gate is not None:
            for rule, (_, life) in gate.of.items():
                self._end(tenant, gw, rule, life)
            self._changed.add((tenant, gw))

    def _end(self, tenant: str, gw: str, rule: str, life: Life) -> None:
        event = ended(life, rule, gw, None, self._now(), 0.0)[1]
        if event is not None:
            self._told.append(Told(tenant, gw, event))
        self._changed.add((tenant, gw))

    def _packed(self, tenant: str, name: str) -> bytes | None:
        if name == FLEET:
            return pack({GatewaysOffline.name: self._fleets[tenant]})
        gate = self._tenants.get(tenant, {}).get(name)
        return None if gate is None else pack(gate.of)


def rules_of_gateways(alerts: AlertsTable) -> tuple[Sequence[Gone], GatewaysOffline | None]:
    """Make the rules that watch each gateway, and the one that watches all of them, as far as they are enabled."""

    def made() -> Iterator[Gone]:
        if alerts.gateway_offline.enabled:
            yield GatewayOffline(**alerts.gateway_offline.model_dump(exclude={"enabled"}))
        if alerts.late_readings.enabled:
            yield LateReadings(**alerts.late_readings.model_dump(exclude={"enabled"}))

    many = alerts.gateways_offline
    return tuple(made()), GatewaysOffline(**many.model_dump(exclude={"enabled"})) if many.enabled else None


def _step(
    life: Life, rule: str, meter: str, finding: Finding, now: int, cooldown: float
) -> tuple[Life, AlertEvent | None]:
    if isinstance(finding, Alarm):
        return alarmed(life, rule, meter, finding, now, cooldown)
    return ended(life, rule, meter, finding, now, cooldown)


def _sign(payload: bytes) -> int | None:
    """Read a status; None for one that was taken off the broker. Raises MessageError."""
    if not payload:
        return None
    document = None
    with suppress(orjson.JSONDecodeError):
        document = orjson.loads(payload[:STATUS_LIMIT])
    if not isinstance(document, dict) or document.get("state") not in ("online", "offline"):
        raise MessageError("status is neither online nor offline")
    if document["state"] == "online":
        return CAME
    return LEFT if document.get("reason") == "shutdown" else LOST
