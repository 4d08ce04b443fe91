"""The outbox: what is to be told, on disk together with the decision to tell it.

1. `plan` takes the events that the collector wrote since it was last asked, routes them, and writes messages, each
   alert's state and how far it came in one transaction: an event is planned once, whatever dies when.
2. `due` gives a channel's messages, of one alert one at a time; `settle` writes what became of them. A message whose
   receipt was not written is sent again, with the same key.
3. `act` does what a link allows: acknowledging ends the reminders of an alert, muting silences what is not critical
   of one rule at one meter for a week, and answers are kept (`answers.py`).

Its tables lie in the hub database's file, and its work runs on that file's thread.
"""

import secrets
import sqlite3
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

import orjson

from gateway.alerts.event import AlertEvent, parse
from gateway.message import MessageError
from gateway.notify import answers, answers_sql
from gateway.notify import outbox_sql as sql
from gateway.notify.channels.contract import Receipt
from gateway.notify.links import KEY_BYTES, LASTS, Link
from gateway.notify.planning import Customers, Waiting, customer_of, plan_event, settle, wished
from gateway.notify.router import Contact
from gateway.notify.wishes import Wishes, keeps_safety, laid_over
from gateway.store.contract import StoreError, TryAgain
from gateway.store.database import Database

BATCH = 100
"""Events planned in one transaction: some 30 ms, after which the collector may write again."""
KEPT_MS = 90 * 86_400_000
"""So long it is remembered what was told: a quarter, for questions; the caps need a week."""
_LINK_KEY = "link"


@dataclass(frozen=True, slots=True)
class AlertState:
    """An alert as it stands: its newest event, and who has seen it when (UTC ms)."""

    tenant: str
    gw: str
    event: AlertEvent
    acknowledged: int | None = None
    by: str | None = None


Acted = Literal["done", "unknown"]


class Outbox:
    """The messages of every customer of this hub; `customers` by tenant."""

    def __init__(self, database: Database, customers: Customers) -> None:
        """`database` is the hub's, opened by its owner."""
        self._database = database
        self._customers = customers

    async def link_key(self) -> bytes:
        """Give the key that signs links, made at the first call and kept; raises StoreError."""

        def work(connection: sqlite3.Connection) -> bytes:
            connection.execute(sql.ADD_KEY, (_LINK_KEY, secrets.token_bytes(KEY_BYTES)))
            return bytes(connection.execute(sql.KEY, (_LINK_KEY,)).fetchone()[0])

        key = await self._database.write(work)
        if isinstance(key, TryAgain):
            raise StoreError(key.why, "look at the disk of the hub's database")
        return key

    async def retire(self, channels: AbstractSet[str], now: int) -> None:
        """Set aside what waits for channels that are no longer configured, so that it does not wait for ever."""

        def work(connection: sqlite3.Connection) -> None:
            for (channel,) in connection.execute(sql.CHANNELS).fetchall():
                if channel not in channels:
                    connection.execute(sql.RETIRE, (now, "the channel is no longer configured", channel))

        await self._database.write(work)

    async def plan(self, now: int) -> int | TryAgain:
        """Plan what came in, at most a batch; gives the number of events taken, so 0 when there is nothing new."""

        def work(connection: sqlite3.Connection) -> int:
            (after,) = connection.execute(sql.COUNTER, ("planned",)).fetchone()
            rows = connection.execute(sql.EVENTS, (after, BATCH)).fetchall()
            unreadable = 0
            for _, tenant, gw, body in rows:
                try:
                    plan_event(connection, self._customers, tenant, gw, body, now)
                except (MessageError, orjson.JSONDecodeError):
                    unreadable += 1
            if unreadable:
                connection.execute(sql.ADD_COUNTER, (unreadable, "unreadable_events"))
            connection.execute(sql.SET_COUNTER, (rows[-1][0], "planned"))
            return len(rows)

        # Most of the time there is nothing, and a transaction that writes nothing still costs a lock.
        if not await self._database.read(_anything_new):
            return 0
        return await self._database.write(work)

    async def due(self, channel: str, now: int, limit: int) -> list[Waiting]:
        """Give what a channel should send at `now` (UTC ms): what is critical first, then the oldest.

        There are more than `limit` where some of them are told together.
        """
        return await self._database.read(
            lambda c: [_waiting(c, row) for row in c.execute(sql.DUE, (channel, now, limit, channel, now)).fetchall()]
        )

    async def next_due(self, channel: str) -> int | None:
        """Give when a channel's next message is due (UTC ms)."""
        found: int | None = await self._database.read(lambda c: c.execute(sql.NEXT_DUE, (channel,)).fetchone()[0])
        return found

    async def settle(self, done: Sequence[tuple[Waiting, Receipt]], now: int) -> TryAgain | None:
        """Write what became of messages, all or nothing."""

        def work(connection: sqlite3.Connection) -> None:
            for sent, receipt in done:
                settle(connection, customer_of(self._customers, sent.tenant), sent, receipt, now)

        return await self._database.write(work)

    async def wish(self, tenant: str, channel: str, wishes: Wishes, now: int) -> Acted | Literal["unsafe"] | TryAgain:
        """Keep what a customer chose for a channel; "unsafe" when nobody would hear any more of what is critical."""

        def work(connection: sqlite3.Connection) -> Acted | Literal["unsafe"]:
            customer = wished(connection, customer_of(self._customers, tenant))
            if channel not in {contact.channel for contact in customer.contacts}:
                return "unknown"
            changed = (laid_over(one, wishes) if one.channel == channel else one for one in customer.contacts)
            if not keeps_safety(changed):
                return "unsafe"
            row = (tenant, channel, wishes.model_dump_json(exclude_none=True).encode(), now)
            connection.execute(answers_sql.SET_WISH, row)
            return "done"

        return await self._database.write(work)

    async def contacts(self, tenant: str) -> tuple[Contact, ...]:
        """Give a customer's channels as they are wished by now."""
        customer = customer_of(self._customers, tenant)
        return (await self._database.read(lambda c: wished(c, customer))).contacts

    async def act(self, link: Link, now: int) -> Acted | TryAgain:
        """Do what a link allows, at `now` (UTC ms); doing it again changes nothing."""

        def work(connection: sqlite3.Connection) -> Acted:
            name = (link.tenant, link.alert)
            if connection.execute(sql.ALERT, name).fetchone() is None:
                return "unknown"
            if link.action == "mute":
                connection.execute(sql.MUTE, (now + LASTS * 1000, link.channel, *name))
            answers.note(connection, link, now)
            connection.execute(sql.ACKNOWLEDGE, (now, link.channel, *name))
            connection.execute(sql.DROP_REPEATS, name)
            return "done"

        return await self._database.write(work)

    async def alert(self, tenant: str, alert: str) -> AlertState | None:
        """Give an alert as it stands."""
        row = await self._database.read(lambda c: c.execute(sql.ALERT, (tenant, alert)).fetchone())
        return _state(row) if row else None

    async def alerts(self, tenant: str, limit: int = 50, *, only_open: bool = False) -> list[AlertState]:
        """Give a tenant's alerts, newest first."""
        statement = sql.OPEN_ALERTS if only_open else sql.LATEST_ALERTS
        rows = await self._database.read(lambda c: c.execute(statement, (tenant, limit)).fetchall())
        return [_state(row) for row in rows]

    async def counts(self) -> dict[str, dict[str, int]]:
        """Count messages by channel and state, and events nobody could read."""

        def work(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
            found: dict[str, Counter[str]] = {}
            for channel, state, number in connection.execute(sql.COUNTS):
                found.setdefault(channel or "digest", Counter())[state] += number
            (unreadable,) = connection.execute(sql.COUNTER, ("unreadable_events",)).fetchone()
            return {**{name: dict(states) for name, states in found.items()}, "events": {"unreadable": unreadable}}

        return await self._database.read(work)

    async def forget(self, now: int) -> TryAgain | None:
        """Delete what was told long ago."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(sql.FORGET, (now - KEPT_MS,))

        return await self._database.write(work)


def _anything_new(connection: sqlite3.Connection) -> bool:
    (after,) = connection.execute(sql.COUNTER, ("planned",)).fetchone()
    return connection.execute(sql.EVENTS, (after, 1)).fetchone() is not None


def _waiting(connection: sqlite3.Connection, row: tuple[int, str, str, str, str, int, int, bytes, int, int]) -> Waiting:
    id_, key, tenant, gw, channel, repeat, late, body, since, tries = row
    document = orjson.loads(body)
    event = parse(document)
    known = connection.execute(sql.METER, (tenant, event.meter)).fetchone()
    name = str(orjson.loads(known[0]).get("name") or event.meter) if known else event.meter
    digest = document.get("digest")
    return Waiting(id_, key, tenant, gw, channel, repeat, bool(late), event, since, tries, name, digest)


def _state(row: tuple[str, str, bytes, int | None, str | None]) -> AlertState:
    tenant, gw, body, acknowledged, by = row
    return AlertState(tenant, gw, parse(orjson.loads(body)), acknowledged, by)
