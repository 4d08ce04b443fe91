"""The series store in one SQLite file: the default, for one house up to some thousand meters.

The table is `point`, kept small by integer keys for meter and source; the view `reading` shows the columns other
programs rely on: tenant, meter, ts, gw, stream, seq, q, v.

Rows lie in order of arrival with a slim index on (meter, ts). Keeping the rows inside the index (WITHOUT ROWID) was
measured at four times the CPU once a thousand meters take turns, since each row then touches a page of its own.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from gateway.config.customers import StoreTable
from gateway.store import thinning
from gateway.store.contract import Row, Stored, TryAgain, Verdict
from gateway.store.database import Database

_STEPS = [
    [
        """CREATE TABLE meter (
            key INTEGER PRIMARY KEY, tenant TEXT NOT NULL, meter TEXT NOT NULL, commodity TEXT NOT NULL,
            UNIQUE (tenant, meter))""",
        """CREATE TABLE source (
            key INTEGER PRIMARY KEY, gw TEXT NOT NULL, stream INTEGER NOT NULL, UNIQUE (gw, stream))""",
        """CREATE TABLE point (
            meter INTEGER NOT NULL, ts INTEGER NOT NULL, source INTEGER NOT NULL, seq INTEGER NOT NULL,
            q INTEGER NOT NULL, v TEXT NOT NULL, PRIMARY KEY (meter, ts))""",
        """CREATE VIEW reading AS
            SELECT m.tenant, m.meter, p.ts, s.gw, s.stream, p.seq, p.q, p.v, m.commodity
            FROM point p JOIN meter m ON m.key = p.meter JOIN source s ON s.key = p.source""",
    ]
]

_INSERT = "INSERT INTO point VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_ADD_METER = """INSERT INTO meter (tenant, meter, commodity) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET commodity = excluded.commodity RETURNING key"""
_ADD_SOURCE = "INSERT INTO source (gw, stream) VALUES (?, ?) ON CONFLICT DO UPDATE SET gw = gw RETURNING key"
_DIFFERS = "SELECT 1 FROM point WHERE meter = ? AND ts = ? AND (source <> ? OR seq <> ?)"

_COLUMNS = "tenant, gw, meter, ts, stream, seq, q, v, commodity"
_QUERY = f"SELECT {_COLUMNS} FROM reading WHERE tenant = ? AND meter = ? AND ts >= ? AND ts < ? ORDER BY ts"  # noqa: S608
_LATEST = """SELECT m.tenant, s.gw, m.meter, p.ts, s.stream, p.seq, p.q, p.v, m.commodity
    FROM meter m
    JOIN point p ON p.meter = m.key AND p.ts = (SELECT max(ts) FROM point WHERE meter = m.key)
    JOIN source s ON s.key = p.source
    WHERE m.tenant = ? ORDER BY m.meter"""


def from_config(config: StoreTable) -> "SQLiteStore":
    """Make the store that `[store]` describes."""
    return SQLiteStore(config.path)


class SQLiteStore:
    """Keeps readings in `path`; durable when `write` returns.

    `conflicts` counts readings that were left out because another one, by its stream and seq, already holds their key.
    """

    def __init__(self, path: Path) -> None:
        """`path` and its folder are made by `open`."""
        self.conflicts = 0
        self._database = Database(path, _STEPS)
        self._keys = _Keys()

    async def open(self) -> None:
        """Make ready; raises StoreError."""
        await self._database.open()

    async def close(self) -> None:
        """Let the file go."""
        await self._database.close()
        self._keys = _Keys()

    async def write(self, rows: Sequence[Row]) -> Verdict:
        """Take a batch in one transaction."""
        done = await self._database.write(lambda connection: self._insert(connection, rows))
        if isinstance(done, TryAgain):
            return done
        self._keys = done.keys
        self.conflicts += done.conflicts
        return Stored()

    async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
        """Give one meter's readings with start <= ts < end, by time."""
        return await self._database.read(lambda c: _rows(c.execute(_QUERY, (tenant, meter, start, end))))

    async def latest(self, tenant: str) -> list[Row]:
        """Give the newest reading of each meter."""
        return await self._database.read(lambda c: _rows(c.execute(_LATEST, (tenant,))))

    async def count(self) -> int:
        """How many readings there are in all."""
        return await self._database.read(lambda c: int(c.execute("SELECT count(*) FROM point").fetchone()[0]))

    async def thin(self, before: int, step: int) -> int | TryAgain:
        """Keep of readings before a moment only the first of each step, both in ms; gives how many went."""
        return await thinning.thin(self._database, before, step)

    async def forget(self) -> TryAgain | None:
        """Empty the log of changes, which still holds what was thinned."""
        return await thinning.forget(self._database)

    def _insert(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> "_Done":
        keys = self._keys.copy()
        points = [
            (keys.meter(connection, row), row.ts, keys.source(connection, row), row.seq, row.q,
             orjson.dumps(row.v).decode())
            for row in rows
        ]  # fmt: skip
        before = connection.total_changes
        connection.executemany(_INSERT, points)
        if connection.total_changes - before == len(points):
            return _Done(keys, 0)
        return _Done(keys, sum(1 for point in points if connection.execute(_DIFFERS, point[:4]).fetchone()))


@dataclass(frozen=True, slots=True)
class _Keys:
    """The integer keys known so far. A transaction works on a copy, which counts only once it has committed."""

    meters: dict[tuple[str, str], int] = field(default_factory=dict)
    sources: dict[tuple[str, int], int] = field(default_factory=dict)

    def copy(self) -> "_Keys":
        return _Keys(self.meters.copy(), self.sources.copy())

    def meter(self, connection: sqlite3.Connection, row: Row) -> int:
        name = (row.tenant, row.meter)
        if name not in self.meters:
            self.meters[name] = connection.execute(_ADD_METER, (*name, row.commodity)).fetchone()[0]
        return self.meters[name]

    def source(self, connection: sqlite3.Connection, row: Row) -> int:
        name = (row.gw, row.stream)
        if name not in self.sources:
            self.sources[name] = connection.execute(_ADD_SOURCE, name).fetchone()[0]
        return self.sources[name]


@dataclass(frozen=True, slots=True)
class _Done:
    """A transaction that committed: the keys it knew, and how many readings found their place taken."""

    keys: _Keys
    conflicts: int


def _rows(found: Iterable[tuple[str, str, str, int, int, int, int, str, str]]) -> list[Row]:
    return [
        Row(tenant, gw, meter, ts, stream, seq, q, orjson.loads(v), commodity)
        for tenant, gw, meter, ts, stream, seq, q, v, commodity in found
    ]
