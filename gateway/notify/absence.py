"""Being away: that nobody is at home at a tenant's, until somebody says otherwise or the named day has come.

The day one is back begins at its midnight: what is drawn on it is no longer drawn in nobody's presence. That being away
has ended is written, and its message into the outbox, in one transaction; it is told once, in no quiet hours.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from gateway.alerts.event import AlertEvent, alert_id
from gateway.notify import answers_sql as sql
from gateway.notify import outbox_sql
from gateway.notify.planning import Customers, customer_of, local, wished
from gateway.notify.router import after_quiet
from gateway.store.contract import StoreError, TryAgain
from gateway.store.database import Database

RULE = "away_over"
EVERY = 60.0
"""Seconds between two looks: being away ends at a midnight, when nobody waits for it."""
LONGEST_DAYS = 366
"""Who is away for longer has moved out."""


def set_away(connection: sqlite3.Connection, tenant: str, now: int, until: int | None = None) -> None:
    """Say that nobody is at home at a tenant's meters, inside the caller's transaction; `until` (UTC ms) ends it."""
    connection.execute(sql.UNTIL_TABLE)
    connection.execute(sql.LEAVE, (now, tenant))
    connection.execute(sql.SET_UNTIL, (tenant, until))


def set_back(connection: sqlite3.Connection, tenant: str) -> None:
    """Say that somebody is at home again, inside the caller's transaction."""
    connection.execute(sql.UNTIL_TABLE)
    connection.execute(sql.RETURN, (tenant,))
    connection.execute(sql.SET_UNTIL, (tenant, None))


def until_of(connection: sqlite3.Connection, tenant: str) -> int | None:
    """Give until when (UTC ms) a tenant is away; None where that is open, or somebody is at home."""
    row = connection.execute(sql.UNTIL, (tenant,)).fetchone()
    return None if row is None else row[1]


def midnight(day: date, zone: ZoneInfo) -> int:
    """Give the moment (UTC ms) at which a local day begins."""
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)


class Absences:
    """Ends what is over; `now` gives UTC seconds, `wake` is called when a message was written."""

    def __init__(self, database: Database, customers: Customers, now: Callable[[], float]) -> None:
        """`database` is the hub's, opened by its owner."""
        self.error = ""
        self.wake: Callable[[], None] = lambda: None
        self._database, self._customers, self._now = database, customers, now

    async def open(self) -> None:
        """Make the table where it is missing; raises StoreError."""
        made = await self._database.write(lambda c: c.execute(sql.UNTIL_TABLE).rowcount)
        if isinstance(made, TryAgain):
            raise StoreError(made.why, "look at the disk of the hub's database")

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
                self.error = ""
            except StoreError as error:
                self.error = str(error)
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """End what is over now; raises StoreError."""
        now = round(self._now() * 1000)
        over = await self._database.read(lambda c: c.execute(sql.OVER, (now,)).fetchall())
        if not over:
            return

        def work(connection: sqlite3.Connection) -> None:
            for tenant, until in over:
                set_back(connection, tenant)
                self._tell(connection, tenant, until, now)

        if not isinstance(await self._database.write(work), TryAgain):
            self.wake()

    def _tell(self, connection: sqlite3.Connection, tenant: str, until: int, now: int) -> None:
        """Write the message to the first person who is not told of emergencies only."""
        customer = wished(connection, customer_of(self._customers, tenant))
        contact = next((one for one in customer.contacts if not (one.machine or one.second)), None)
        if contact is None:
            return
        event = AlertEvent(
            id=alert_id(RULE, tenant, until), seq=1, rule=RULE, meter=tenant or "home", state="cleared",
            severity="info", raised=until, at=now, cleared=until,
        )  # fmt: skip
        due = round(after_quiet(contact, local(customer, now)).timestamp() * 1000)
        key = f"{event.key}.{contact.channel}"
        connection.execute(
            outbox_sql.ADD,
            (key, tenant, "", event.id, 1, event.state, "info", contact.channel, 0, False, event.encode(), due, due,
             "waiting"),
        )  # fmt: skip
