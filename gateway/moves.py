"""A new customer in a home: from which day on its data are theirs, and what of the former customer is forgotten.

Readings, days and alerts stay in the stores, for the operator's bills; customers are shown none that is older than
their `since`. What the former customer chose is forgotten in the transaction that notes the move.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.notify import answers
from gateway.notify.absence import set_back
from gateway.seclog import note
from gateway.store.contract import StoreError, TryAgain
from gateway.store.database import Database

_TABLE = "CREATE TABLE IF NOT EXISTS moved_in (tenant TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID"
_THERE = "SELECT 1 FROM sqlite_master WHERE name = 'moved_in'"
_ONE = "SELECT since FROM moved_in WHERE tenant = ?"
_ALL = "SELECT tenant, since FROM moved_in"
_SET = "INSERT INTO moved_in VALUES (?, ?) ON CONFLICT DO UPDATE SET since = excluded.since"
_ANSWERED = "SELECT DISTINCT meter, rule FROM answer WHERE tenant = ? AND answer <> 'reset'"
_FORGET = (
    "DELETE FROM browser WHERE tenant = ?",
    "DELETE FROM wish WHERE tenant = ?",
    "DELETE FROM goal WHERE tenant = ?",
    "DELETE FROM mute WHERE tenant = ?",
    "UPDATE answer SET done = 0 WHERE tenant = ? AND answer = 'call_me' AND done IS NULL",
    "UPDATE outbox SET state = 'dropped' WHERE tenant = ? AND state = 'waiting'",
)


def since_of(connection: sqlite3.Connection, tenant: str) -> int:
    """Give the UTC ms from which on a tenant's data are the present customer's; 0 where nobody ever moved."""
    if connection.execute(_THERE).fetchone() is None:
        return 0
    row = connection.execute(_ONE, (tenant,)).fetchone()
    return int(row[0]) if row is not None else 0


class Moves:
    """Since when each tenant's present customer lives there, kept in the hub database."""

    def __init__(
        self, database: Database, zone: ZoneInfo, more: Sequence[Callable[[sqlite3.Connection, str], None]] = ()
    ) -> None:
        """`zone` is that of the homes: a move is at its midnight; `more` forgets what others remember of a tenant."""
        self._database, self._zone, self._more = database, zone, more
        self._since: dict[str, int] = {}

    async def open(self) -> None:
        """Take up what is known; raises StoreError."""

        def work(connection: sqlite3.Connection) -> dict[str, int]:
            connection.execute(_TABLE)
            return dict(connection.execute(_ALL).fetchall())

        found = await self._database.write(work)
        if isinstance(found, TryAgain):
            raise StoreError(found.why, "look at the disk of the hub's database")
        self._since = found

    def since(self, tenant: str) -> int:
        """Give the UTC ms from which on a tenant's data are the present customer's; 0 where nobody ever moved."""
        return self._since.get(tenant, 0)

    async def move_in(self, tenant: str, day: str, now: int) -> TryAgain | None:
        """Let somebody live at a tenant's from the beginning of a day, such as 2026-11-01; raises ValueError."""
        local = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=self._zone)
        since = round(local.astimezone(UTC).timestamp() * 1000)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SET, (tenant, since))
            for meter, rule in connection.execute(_ANSWERED, (tenant,)).fetchall():
                answers.reset(connection, tenant, meter, rule, now)
            set_back(connection, tenant)
            for statement in _FORGET:
                connection.execute(statement, (tenant,))
            for forget in self._more:
                forget(connection, tenant)

        refused = await self._database.write(work)
        if refused is None:
            self._since[tenant] = since
            note("moved_in", tenant=tenant, day=day)
        return refused
