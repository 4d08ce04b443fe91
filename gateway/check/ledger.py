"""Sheets in the hub database: a row a version, never changed and never taken away (E2)."""

import sqlite3

import orjson

from gateway.check.sheet import Sheet, from_plain, newer, plain
from gateway.store.contract import TryAgain
from gateway.store.database import Database

_TABLES = (
    """CREATE TABLE IF NOT EXISTS sheet (
        tenant TEXT NOT NULL, meter TEXT NOT NULL, start INTEGER NOT NULL, version INTEGER NOT NULL,
        complete INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (tenant, meter, start, version)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS commissioned (
        tenant TEXT NOT NULL, meter TEXT NOT NULL, since INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (tenant, meter, since)) WITHOUT ROWID""",
)
_NEWEST = """SELECT version, body FROM sheet WHERE tenant = ? AND meter = ? AND start = ?
    ORDER BY version DESC LIMIT 1"""
_VERSIONS = "SELECT body FROM sheet WHERE tenant = ? AND meter = ? AND start = ? ORDER BY version"
_ADD = "INSERT INTO sheet VALUES (?, ?, ?, ?, ?, ?)"
_STARTS = """SELECT start, max(complete) FROM sheet WHERE tenant = ? AND meter = ? AND start >= ?
    GROUP BY start ORDER BY start"""
_COMMISSIONED = "SELECT body FROM commissioned WHERE tenant = ? AND meter = ? ORDER BY since DESC LIMIT 1"
_COMMISSION = "INSERT INTO commissioned VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


class Ledger:
    """Keeps sheets, and who each meter was when it was taken over."""

    def __init__(self, database: Database) -> None:
        """`database` is the hub's, open."""
        self._database = database

    async def open(self) -> TryAgain | None:
        """Make the tables where they are missing."""

        def work(connection: sqlite3.Connection) -> None:
            for table in _TABLES:
                connection.execute(table)

        return await self._database.write(work)

    async def keep(self, tenant: str, sheet: Sheet) -> Sheet | TryAgain:
        """Add a version of a day unless it says what the newest one does; give what stands there then."""

        def work(connection: sqlite3.Connection) -> Sheet:
            row = connection.execute(_NEWEST, (tenant, sheet.meter, sheet.start)).fetchone()
            joined = newer(_sheet(sheet.meter, sheet.start, row[1]), sheet) if row is not None else sheet
            body = orjson.dumps(plain(joined), default=str)
            if row is None or row[1] != body:
                version = row[0] + 1 if row is not None else 1
                connection.execute(_ADD, (tenant, sheet.meter, sheet.start, version, joined.complete, body))
            return joined

        return await self._database.write(work)

    async def newest(self, tenant: str, meter: str, start: int) -> Sheet | None:
        """Give the newest version of a day."""

        def work(connection: sqlite3.Connection) -> Sheet | None:
            row = connection.execute(_NEWEST, (tenant, meter, start)).fetchone()
            return None if row is None else _sheet(meter, start, row[1])

        return await self._database.read(work)

    async def versions(self, tenant: str, meter: str, start: int) -> list[Sheet]:
        """Give every version of a day, oldest first."""

        def work(connection: sqlite3.Connection) -> list[Sheet]:
            return [_sheet(meter, start, body) for (body,) in connection.execute(_VERSIONS, (tenant, meter, start))]

        return await self._database.read(work)

    async def days(self, tenant: str, meter: str, since: int) -> dict[int, bool]:
        """Give the days from `since` on that have a sheet, and whether it is complete."""
        return await self._database.read(
            lambda c: {start: bool(complete) for start, complete in c.execute(_STARTS, (tenant, meter, since))}
        )

    async def commissioned(self, tenant: str, meter: str) -> bytes | None:
        """Give what a meter was when it was last taken over."""

        def work(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute(_COMMISSIONED, (tenant, meter)).fetchone()
            return None if row is None else bytes(row[0])

        return await self._database.read(work)

    async def commission(self, tenant: str, meter: str, since: int, body: bytes) -> TryAgain | None:
        """Take a meter over as it is from `since` on; an installer who confirms a replacement does it again."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_COMMISSION, (tenant, meter, since, body))

        return await self._database.write(work)


def _sheet(meter: str, start: int, body: bytes) -> Sheet:
    return from_plain(meter, start, orjson.loads(body))
