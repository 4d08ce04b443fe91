"""The alerts a page shows: those that are open, those lately over, and what people answered to them.

It hears events as they come by topic or from the engine of the same program, in any order and any number of times: the
highest `seq` of an alert is what it says now.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import orjson

from gateway.alerts.event import AlertEvent, parse
from gateway.message import MessageError, Topics
from gateway.notify.links import Action
from gateway.notify.outbox import AlertState
from gateway.transport import Message
from gateway.web.rights import Visitor

KEPT = 200
"""Alerts of a tenant that are kept: more open ones than that no person can read; the oldest falls."""
ALL = 20_000
"""Alerts of all tenants: a hundred of them with all that is kept of each; then the one known longest falls."""
LATELY_MS = 24 * 3_600_000


@dataclass(slots=True)
class Alert:
    """One alert by its newest event, and the answer it got."""

    tenant: str
    event: AlertEvent
    answer: Action | None = None


class AlertBook:
    """All alerts of one program; `dropped` counts what was no event."""

    def __init__(self, now: Callable[[], int]) -> None:
        """`now` gives UTC ms."""
        self.dropped = 0
        self._now = now
        self._alerts: dict[tuple[str, str], Alert] = {}
        self._of_tenant: dict[str, dict[str, Alert]] = {}
        self._changes: dict[str, int] = {}
        self._changed = 0

    def take(self, tenant: str, event: AlertEvent) -> None:
        """Take one step of an alert's life."""
        known = self._alerts.get((tenant, event.id))
        if known is not None:
            if event.seq > known.event.seq:
                known.event = event
                self._note(tenant)
            return
        own = self._of_tenant.get(tenant, {})
        if len(own) >= KEPT:
            self._drop(tenant, min(own, key=lambda name: (own[name].event.open, own[name].event.at)))
        elif len(self._alerts) >= ALL:
            self._drop(*next(iter(self._alerts)))
        self._alerts[tenant, event.id] = Alert(tenant, event)
        self._of_tenant.setdefault(tenant, {})[event.id] = self._alerts[tenant, event.id]
        self._note(tenant)

    def changes(self, tenant: str) -> int:
        """Give a number that is another one after each change of a tenant's alerts."""
        return self._changes.get(tenant, 0)

    def _note(self, tenant: str) -> None:
        self._changed += 1
        self._changes[tenant] = self._changed

    def _drop(self, tenant: str, alert: str) -> None:
        del self._alerts[tenant, alert], self._of_tenant[tenant][alert]
        self._note(tenant)
        if not self._of_tenant[tenant]:
            del self._of_tenant[tenant], self._changes[tenant]

    def restore(self, states: Iterable[AlertState]) -> None:
        """Take what the outbox kept over a restart: alerts that live, and who saw them."""
        for state in states:
            self.take(state.tenant, state.event)
            if state.acknowledged is not None:
                self.answered(state.tenant, state.event.id, "acknowledge")

    def hear(self, message: Message) -> None:
        """Take the CloudEvent that a gateway sends on its topic `event`."""
        try:
            topics, kind, _ = Topics.parse(message.topic)
            document = orjson.loads(message.payload)
            event = parse(document.get("data") if kind == "event" and isinstance(document, dict) else None)
        except (MessageError, orjson.JSONDecodeError):
            self.dropped += 1
        else:
            self.take(topics.tenant, event)

    def answered(self, tenant: str, alert: str, action: Action) -> None:
        """Note what somebody answered, on a page or by a link."""
        if (known := self._alerts.get((tenant, alert))) is not None:
            known.answer = action
            self._note(tenant)

    def find(self, alert: str, visitor: Visitor) -> Alert | None:
        """Give an alert by its id, if it is for a visitor's eyes.

        Two tenants' alerts have one id where their meters do; of those an operator gets that of the home they look at.
        """
        found = [known for (_, name), known in self._alerts.items() if name == alert]
        seen = [known for known in found if visitor.sees(known.tenant, known.event.raised)]
        return min(seen, key=lambda known: known.tenant != visitor.tenant, default=None)

    def open(self, visitor: Visitor) -> Sequence[Alert]:
        """List those that live in the home a visitor looks at, the gravest and newest first."""
        grave = {"critical": 0, "warning": 1, "info": 2}
        living = [alert for alert in self._of(visitor) if alert.event.open]
        return sorted(living, key=lambda alert: (grave[alert.event.severity], -alert.event.raised))

    def over(self, visitor: Visitor) -> Sequence[Alert]:
        """List those of that home that ended within a day, newest first."""
        since = self._now() - LATELY_MS
        ended = [alert for alert in self._of(visitor) if not alert.event.open and alert.event.at > since]
        return sorted(ended, key=lambda alert: -alert.event.at)

    def _of(self, visitor: Visitor) -> Iterable[Alert]:
        for alert in self._of_tenant.get(visitor.tenant, {}).values():
            if visitor.sees(alert.tenant, alert.event.raised):
                yield alert
