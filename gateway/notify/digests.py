"""Writes digests: looks now and then whether one is due, and puts it into the outbox, a message like others.

1. A digest's key is made of its day and channel, so it is written once, however often anybody looks.
2. It comes even if nothing happened: who hears only of trouble hears too little (R03). One that is more than a day
   late, for the hub was off, is left out, and so is one of a time of which nothing at all is known.
3. Once a week, or every day for who asked for that; a kind that is wanted daily makes a day's digest only on days on
   which it has something to tell.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from gateway.alerts.calendar import Calendar
from gateway.alerts.event import AlertEvent, alert_id, parse
from gateway.check.ledger import Ledger
from gateway.check.looking import keep_looking
from gateway.check.slots import days_before
from gateway.moves import since_of
from gateway.notify import answers_sql
from gateway.notify import outbox_sql as sql
from gateway.notify.digest import ACHIEVEMENT_REST_MS, TIP_REST_MS, Digest, saved_of, tip_of
from gateway.notify.goals import YEAR, goals_of, leaks_of, met_by, streak_of
from gateway.notify.kinds import kind_of
from gateway.notify.planning import Customer, Customers, local, wished
from gateway.notify.router import Contact
from gateway.notify.schedule import daily_readers, moment_of, readers, week_began
from gateway.notify.spending import Spending
from gateway.notify.week import told_by
from gateway.store.contract import TryAgain
from gateway.store.database import Database

if TYPE_CHECKING:
    from gateway.notify.costs import Costs

EVERY = 300.0
"""Seconds between two looks: a digest that is five minutes late is on time."""
TOO_LATE = timedelta(days=1)
ALERTS = 100
"""Alerts of a week that a digest knows of; of more only the number would differ."""


class Digests:
    """Writes the digests of every customer; `now` gives UTC seconds, `wake` is called when one was written.

    `costs` prices what was used; without it digests tell units only.
    """

    def __init__(self, database: Database, customers: Customers, now: Callable[[], float]) -> None:
        """`database` is the hub's, opened by its owner."""
        self.error = ""
        self.wake: Callable[[], None] = _nobody
        self.costs: Costs | None = None
        self._database, self._customers, self._now = database, customers, now
        self._ledger = Ledger(database)
        self._done: dict[str, datetime] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        await keep_looking(self, self._ledger, EVERY)

    async def look(self) -> None:
        """Write what is due; raises StoreError."""
        now = round(self._now() * 1000)
        moment = datetime.fromtimestamp(self._now(), UTC)
        self._done = {key: due for key, due in self._done.items() if moment < due + TOO_LATE}
        every = list(self._customers.values())
        for customer in await self._database.read(lambda c: [wished(c, one) for one in every]):
            at = local(customer, now)
            weekend = Calendar(customer.zone.key).weekend
            today = at.replace(hour=0, minute=0, second=0, microsecond=0)
            for contact in readers(customer.contacts):
                await self._write(customer, contact, week_began(at, weekend), 7, at)
            for contact in daily_readers(customer.contacts):
                await self._write(customer, contact, today, 1, at)

    async def _write(self, customer: Customer, contact: Contact, midnight: datetime, days: int, now: datetime) -> None:
        due = moment_of(contact, midnight)
        if not due <= now < due + TOO_LATE:
            return
        key = f"digest-{days}-{midnight:%Y%m%d}.{contact.channel}"
        if key in self._done or await self._database.read(lambda c: c.execute(sql.KNOWN, (key,)).fetchone()):
            return
        begins = days_before(round(midnight.timestamp() * 1000), customer.zone, days)
        if await self._database.read(lambda c: since_of(c, customer.tenant)) > begins:
            return  # it would tell whoever moved in what somebody else used
        digest = await self._facts(customer, contact, midnight, days)
        if digest.uses or digest.alerts:
            row = _row(customer, contact, key, digest, round(due.timestamp() * 1000))
            if isinstance(await self._database.write(lambda c: c.execute(sql.ADD, row).rowcount), TryAgain):
                return
            self.wake()
        self._done[key] = due

    async def _facts(self, customer: Customer, contact: Contact, midnight: datetime, days: int) -> Digest:
        tenant, until = customer.tenant, round(midnight.timestamp() * 1000)
        since = days_before(until, customer.zone, days)
        every = await self._alerts(tenant, contact, since, until, daily=days == 1)
        alerts = tuple(event for event in every if contact in customer.may_hear(event))
        meters = await self._database.read(lambda c: _names(c, tenant))
        if days == 1 and contact.often("digest") != "daily":
            return Digest(since, until, daily=True, alerts=alerts, names=meters)
        zone, moved = customer.zone, await self._database.read(lambda c: since_of(c, tenant))
        spending = Spending(self.costs, self._ledger, tenant, zone, moved) if self.costs is not None else None
        told = await told_by(self._ledger, tenant, list(meters.items()), zone, since, days, spending, moved)
        if days == 1:
            return Digest(since, until, daily=True, uses=told.uses, alerts=alerts, names=meters)
        before = await self._database.read(lambda c: _told(c, tenant, until - TIP_REST_MS))
        tips = {digest["tip"]: at for at, digest in before if digest["tip"]}
        last = max((at for at, digest in before if digest["saved"]), default=until - ACHIEVEMENT_REST_MS)
        away = await self._database.read(lambda c: c.execute(answers_sql.AWAY, (tenant,)).fetchone()) is not None
        tip = tip_of(told.figures, tips, until)
        saved = saved_of(told.uses, alerts, last, until, away=away)
        said = Digest(since, until, uses=told.uses, alerts=alerts, tip=tip, figures=told.figures, saved=saved)
        goals = await self._database.read(lambda c: goals_of(c, tenant))
        met = met_by(told.uses, {meters.get(goal.meter, ""): goal.amount for goal in goals}, alerts, away=away)
        return replace(said, names=meters, met=met, calm=await self._calm(customer, until))

    async def _calm(self, customer: Customer, until: int) -> int:
        """Count the days without a leak at the customer's water meter; 0 where they are not worth telling."""
        tenant = customer.tenant
        water = await self._database.read(lambda c: c.execute(sql.WATER_METERS, (tenant,)).fetchall())
        if not water:
            return 0
        since = days_before(until, customer.zone, YEAR)
        known = [await self._ledger.days(tenant, meter, since) for (meter,) in water]
        whole = {day: all(days.get(day) for days in known) for day in known[0]}
        leaks = [parse(orjson.loads(body)) for body in await self._database.read(lambda c: leaks_of(c, tenant))]
        return streak_of(whole, leaks, until, customer.zone)

    async def _alerts(
        self, tenant: str, contact: Contact, since: int, until: int, *, daily: bool
    ) -> tuple[AlertEvent, ...]:
        """Give the alerts of that time that belong into this contact's digest."""
        rows = await self._database.read(lambda c: c.execute(sql.RAISED, (tenant, since, until, ALERTS)).fetchall())
        events = [parse(orjson.loads(body)) for (body,) in rows]
        everything = contact.often("digest") == "daily"
        return tuple(
            event
            for event in events
            if (often := contact.often(kind_of(event))) != "off" and (not daily or everything or often == "daily")
        )


def _nobody() -> None:
    """Wake nobody."""


def _names(connection: sqlite3.Connection, tenant: str) -> dict[str, str]:
    return {
        meter: str(orjson.loads(info).get("name") or meter)
        for meter, info in connection.execute(sql.METERS_OF, (tenant,)).fetchall()
    }


def _told(connection: sqlite3.Connection, tenant: str, since: int) -> list[tuple[int, Mapping[str, Any]]]:
    """Give when digests were written since then, and what they said; oldest first."""
    rows = connection.execute(sql.DIGESTS, (tenant, since)).fetchall()
    return [(at, orjson.loads(body)["digest"]) for at, body in rows]


def _row(customer: Customer, contact: Contact, key: str, digest: Digest, due: int) -> tuple[Any, ...]:
    """Make the outbox's row: an event of a rule of its own, with the facts beside it."""
    name = alert_id("weekly_digest", customer.tenant, digest.until)
    event = AlertEvent(
        id=name, seq=1, rule="weekly_digest", meter=customer.tenant or "home", state="raised", severity="info",
        raised=due, at=due,
    )  # fmt: skip
    body = orjson.dumps(event.to_dict() | {"digest": digest.to_dict()})
    telling = "daily" if digest.daily else "digest"
    return (
        key, customer.tenant, "", name, 1, telling, "info", contact.channel, 0, False, body, due, due, "waiting",
    )  # fmt: skip
