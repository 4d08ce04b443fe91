"""The decisions of the outbox, each inside one transaction: what an event leads to, and what a receipt leads to.

The router is pure; this reads what it must know from the tables, and writes what it says.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from gateway.alerts.calendar import Calendar
from gateway.alerts.event import OPEN, AlertEvent, Severity, parse
from gateway.notify import answers_sql
from gateway.notify import outbox_sql as sql
from gateway.notify.channels.contract import SAID_LIMIT, Delivered, Receipt, Refused, TryLater
from gateway.notify.router import DIGEST, RANK, Contact, Planned, Story, after_quiet, fallback, next_repeat, route
from gateway.notify.schedule import coming
from gateway.notify.wishes import Wishes, laid_over

PATIENCE = timedelta(minutes=10)
"""So long a channel may fail before another one takes its messages over, where there is another."""
GIVE_UP = timedelta(hours=24)
"""After a day nobody wants to be told any more: the message is set aside, and counted."""
SLOWEST = timedelta(minutes=5)
"""Between two tries of one message that fails while others get through."""
FIRST_WAIT = timedelta(seconds=5)
NEEDS_NUMBER = frozenset({"gas_continuous"})
"""To say that it may smell of gas, and not whom to call, helps nobody."""
WEEK_MS = 8 * 86_400_000
"""A local week and the shift of any time zone."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose alerts are told: a tenant, its time zone, its contacts in the order it prefers them, and whom it calls."""

    tenant: str
    zone: ZoneInfo
    contacts: tuple[Contact, ...] = ()
    emergency: str = ""

    def may_hear(self, event: AlertEvent) -> tuple[Contact, ...]:
        """Give who may be told of an event: without a number to call, programs only of gas that never stops."""
        if self.emergency or event.rule not in NEEDS_NUMBER:
            return self.contacts
        return tuple(contact for contact in self.contacts if contact.machine)


Customers = Mapping[str, Customer]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message to be sent; `since` (UTC ms) is when it was first due, `name` what people call the meter.

    `digest` holds the facts of a digest, as `digest.py` keeps them; None for an alert.
    """

    id: int
    key: str
    tenant: str
    gw: str
    channel: str
    repeat: int
    late: bool
    event: AlertEvent
    since: int
    tries: int
    name: str
    digest: Mapping[str, Any] | None = None


def customer_of(customers: Customers, tenant: str) -> Customer:
    """Give a tenant's customer; one without channels has no contacts: its alerts are kept, and told to nobody."""
    return customers.get(tenant) or Customer(tenant, ZoneInfo("UTC"))


def wished(connection: sqlite3.Connection, customer: Customer) -> Customer:
    """Lay what the customer chose over what the file says."""
    chosen = dict(connection.execute(answers_sql.WISHES, (customer.tenant,)).fetchall())
    if not chosen:
        return customer
    contacts = (
        laid_over(contact, Wishes.model_validate_json(chosen[contact.channel]))
        if contact.channel in chosen
        else contact
        for contact in customer.contacts
    )
    return replace(customer, contacts=tuple(contacts))


def local(customer: Customer, ms: int) -> datetime:
    """Give a moment in the customer's own time."""
    return datetime.fromtimestamp(ms / 1000, customer.zone)


def message_key(event: AlertEvent, channel: str, repeat: int = 0) -> str:
    """Name a message for ever; a channel belongs to one tenant, so this is unique in a hub."""
    return f"{event.key}.{channel}.{repeat}" if repeat else f"{event.key}.{channel}"


def plan_event(
    connection: sqlite3.Connection, customers: Customers, tenant: str, gw: str, body: bytes, now: int
) -> None:
    """Take one event as the collector wrote it: plan its messages and keep the alert's state. Raises MessageError."""
    event = parse(orjson.loads(body))
    customer = wished(connection, customer_of(customers, tenant))
    story = _story(connection, customer, event, now)
    planned = route(event, customer.may_hear(event), story, local(customer, now))
    machines = {contact.channel for contact in customer.contacts if contact.machine}
    stale = {plan.channel for plan in planned} if event.open else {contact.channel for contact in customer.contacts}
    for channel in stale - machines - {DIGEST}:
        # What was still waiting to be said is said better by this event.
        connection.execute(sql.DROP, (tenant, event.id, channel))
    for plan in planned:
        _add(connection, tenant, gw, event, plan)
    row = (tenant, event.id, gw, event.rule, event.meter, event.state, event.seq, event.raised, event.encode())
    connection.execute(sql.SET_ALERT, row)


def settle(connection: sqlite3.Connection, customer: Customer, sent: Waiting, receipt: Receipt, now: int) -> None:
    """Write what became of one message, and plan what follows from it."""
    if isinstance(receipt, Delivered):
        connection.execute(sql.SENT, (now, receipt.id[:SAID_LIMIT], sent.id))
        _remind(connection, customer, sent, now)
        return
    why, waited = receipt.why[:SAID_LIMIT], timedelta(milliseconds=now - sent.since)
    other = _other(connection, customer, sent) if isinstance(receipt, Refused) or waited >= PATIENCE else None
    if isinstance(receipt, TryLater) and other is None and waited < GIVE_UP:
        pause = min(FIRST_WAIT * 2 ** min(sent.tries, 10), SLOWEST)
        connection.execute(sql.LATER, (now + max(_ms(pause), round(receipt.after * 1000)), why, sent.id))
        return
    # Given to another channel it is not lost, so it is not counted as set aside, unless this one refused it.
    statement = sql.GIVE_WAY if isinstance(receipt, TryLater) and other is not None else sql.ASIDE
    connection.execute(statement, (now, why, sent.id))
    if other is not None:
        due = after_quiet(other, local(customer, now)) if sent.event.severity != "critical" else local(customer, now)
        _add(connection, sent.tenant, sent.gw, sent.event, Planned(other.channel, due, sent.late))


def _story(connection: sqlite3.Connection, customer: Customer, event: AlertEvent, now: int) -> Story:
    told: set[str] = set()
    worst: Severity | None = None
    name = (customer.tenant, event.id)
    for channel, telling, severity, state, tries, repeat in connection.execute(sql.STORY, name):
        if telling not in OPEN or channel == DIGEST:
            continue
        # A critical alert is told at its end even if its beginning never got through.
        if state == "sent" or tries or (severity == "critical" and not repeat):
            told.add(channel)
        worst = severity if worst is None or RANK[severity] > RANK[worst] else worst
    known = connection.execute(sql.ALERT, name).fetchone()
    newest = parse(orjson.loads(known[2])) if known else None
    people = {contact.channel for contact in customer.contacts if not contact.machine}
    interruptions = tuple(
        (channel, local(customer, since))
        for since, channel in connection.execute(sql.INTERRUPTIONS, (customer.tenant, now - WEEK_MS))
        if channel in people
    )
    at = local(customer, now)
    interruptions += tuple(coming(customer.contacts, at, Calendar(customer.zone.key).weekend))
    return Story(
        told=frozenset(told),
        worst=worst,
        over=newest is not None and not newest.open and newest.seq > event.seq,
        acknowledged=known is not None and known[3] is not None,
        muted=connection.execute(sql.MUTED, (customer.tenant, event.rule, event.meter, now)).fetchone() is not None,
        interruptions=interruptions,
    )


def _add(connection: sqlite3.Connection, tenant: str, gw: str, event: AlertEvent, plan: Planned) -> None:
    due = _ms(plan.due - datetime.fromtimestamp(0, UTC))
    state = "digest" if plan.channel == DIGEST else "waiting"
    row = (
        message_key(event, plan.channel, plan.repeat), tenant, gw, event.id, event.seq, event.state, event.severity,
        plan.channel, plan.repeat, plan.late, event.encode(), due, due, state,
    )  # fmt: skip
    connection.execute(sql.ADD, row)


def _remind(connection: sqlite3.Connection, customer: Customer, sent: Waiting, now: int) -> None:
    """Plan the next telling of a critical alert, unless somebody saw it or something newer was said."""
    if any(contact.machine for contact in customer.contacts if contact.channel == sent.channel):
        return
    due = next_repeat(sent.event, sent.repeat, local(customer, now))
    known = connection.execute(sql.ALERT, (sent.tenant, sent.event.id)).fetchone()
    if due is None or known is None or known[3] is not None:
        return
    if orjson.loads(known[2])["seq"] == sent.event.seq:
        _add(connection, sent.tenant, sent.gw, sent.event, Planned(sent.channel, due, repeat=sent.repeat + 1))


def _other(connection: sqlite3.Connection, customer: Customer, sent: Waiting) -> Contact | None:
    """Find who takes a message over: never for a machine's, a reminder or an end, which belong to their channel."""
    machine = any(contact.machine for contact in customer.contacts if contact.channel == sent.channel)
    if machine or sent.repeat or not sent.event.open:
        return None
    tried = connection.execute(sql.TRIED, (sent.tenant, sent.event.id, sent.event.seq)).fetchall()
    through = connection.execute(sql.DELIVERED, (sent.tenant, sent.event.id, sent.event.seq)).fetchone()
    nobody = through is None
    name = fallback(sent.event, customer.contacts, frozenset(channel for (channel,) in tried), nobody=nobody)
    return next((contact for contact in customer.contacts if contact.channel == name), None)


def _ms(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))
