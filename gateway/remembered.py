"""What rules at the hub remember, and the events that came of it: written in one transaction.

Whoever is killed before judges again, whoever is killed after does not. An event stands among those of a gateway, as
the notifier reads them, under a name made of its alert and its number: written twice, it stands there once.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import orjson

from gateway.alerts.event import AlertEvent
from gateway.alerts.life import Life
from gateway.hubdb_sql import ADD_EVENT
from gateway.store.contract import StoreError, TryAgain
from gateway.store.database import Database

NOT_A_JOURNAL = 1 << 48
"""Journals number their streams below this."""
NAME_DIGITS = 12
"""Hexadecimal digits of an alert's id that fit beside it."""

Name = tuple[str, str]
"""A tenant, and the meter or gateway of it."""

Listener = Callable[[str, AlertEvent], None]
"""Is told of a tenant's event once it is in the database."""


class Told(NamedTuple):
    """An event of a tenant's gateway."""

    tenant: str
    gw: str
    event: AlertEvent


def write_event(connection: sqlite3.Connection, told: Told) -> None:
    """Put an event among those of a gateway."""
    event = told.event
    stream = NOT_A_JOURNAL + int(event.id[:NAME_DIGITS], 16)
    connection.execute(ADD_EVENT, (told.tenant, told.gw, stream, event.raised, event.seq, event.at, event.encode()))


class Remembered:
    """A table of what is remembered, by tenant and name."""

    def __init__(self, database: Database, table: Literal["gateway_signs", "welcomed"]) -> None:
        self._database, self._table = database, table

    async def open(
        self, first: Callable[[sqlite3.Connection], Mapping[Name, bytes]] | None = None
    ) -> dict[Name, bytes]:
        """Give what is remembered; a table that is made now begins with what `first` finds. Raises StoreError."""

        def work(connection: sqlite3.Connection) -> dict[Name, bytes]:
            known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (self._table,)).fetchone()
            if known is None:
                connection.execute(
                    f"CREATE TABLE {self._table} (tenant TEXT NOT NULL, name TEXT NOT NULL, state BLOB NOT NULL,"
                    " PRIMARY KEY (tenant, name)) WITHOUT ROWID"
                )
                self._put(connection, first(connection) if first is not None else {})
            rows = connection.execute(f"SELECT tenant, name, state FROM {self._table}")  # noqa: S608  our own names
            return {(tenant, name): state for tenant, name, state in rows}

        found = await self._database.write(work)
        if isinstance(found, TryAgain):
            raise StoreError(found.why, "look at the disk of the hub's database")
        return found

    async def keep(self, states: Mapping[Name, bytes | None], told: Iterable[Told]) -> TryAgain | None:
        """Write what changed (None: forget it) and the events that came of it, all or nothing."""

        def work(connection: sqlite3.Connection) -> None:
            gone = [name for name, state in states.items() if state is None]
            connection.executemany(f"DELETE FROM {self._table} WHERE tenant = ? AND name = ?", gone)  # noqa: S608
            self._put(connection, {name: state for name, state in states.items() if state is not None})
            for one in told:
                write_event(connection, one)

        return await self._database.write(work)

    def _put(self, connection: sqlite3.Connection, states: Mapping[Name, bytes]) -> None:
        rows = [(*name, state) for name, state in states.items()]
        connection.executemany(f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?, ?)", rows)  # noqa: S608


def pack(rules: Mapping[str, tuple[tuple[Any, ...], Life]]) -> bytes:
    """Write down each rule's state, a flat tuple, and the life of its alert."""
    return orjson.dumps({name: [list(state), list(life)] for name, (state, life) in rules.items()})


def unpack(body: bytes) -> dict[str, tuple[list[Any], Life]]:
    """Read what `pack` wrote: by rule the parts of its state, and the life of its alert."""
    return {name: (state, Life(*life)) for name, (state, life) in orjson.loads(body).items()}
