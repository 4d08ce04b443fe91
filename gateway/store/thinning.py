"""Thins old readings of a SQLite store: of each step of time the first stays, the others go without a trace.

1. Each meter is a piece of work of its own, in transactions of a bounded size, so that new readings never wait long.
2. What is deleted is overwritten in the file (secure_delete), and the log of changes, which holds older copies of
   pages, is emptied at the end.
"""

import sqlite3

from gateway.store.contract import TryAgain
from gateway.store.database import Database

PIECE = 5000
"""Readings that go in one transaction: a quarter of a second on a card, and a meter's hour at one a second."""

_METERS = "SELECT key FROM meter"
_SURPLUS = """SELECT ts FROM point WHERE meter = ?1 AND ts < ?2
    EXCEPT SELECT min(ts) FROM point WHERE meter = ?1 AND ts < ?2 GROUP BY ts / ?3 LIMIT ?4"""
_DELETE = "DELETE FROM point WHERE meter = ? AND ts = ?"


async def thin(database: Database, before: int, step: int) -> int | TryAgain:
    """Keep of readings before a moment only the first of each step, both in ms; gives how many went."""
    before -= before % step  # a step that is not over yet would lose its first reading to a later look
    gone = 0
    for (key,) in await database.read(lambda connection: connection.execute(_METERS).fetchall()):
        while True:
            done = await database.write(lambda connection, key=key: _piece(connection, key, before, step))  # type: ignore[misc]
            if isinstance(done, TryAgain):
                return done
            gone += done
            if done < PIECE:
                break
    return gone


async def forget(database: Database) -> TryAgain | None:
    """Empty the log of changes into the file; TryAgain while somebody still reads from it."""
    row = await database.read(_checkpoint)
    return TryAgain(f"{database.path}: somebody reads it", after=60.0) if row is None or row[0] else None


def _piece(connection: sqlite3.Connection, key: int, before: int, step: int) -> int:
    connection.execute("PRAGMA secure_delete = ON")
    surplus = connection.execute(_SURPLUS, (key, before, step, PIECE)).fetchall()
    connection.executemany(_DELETE, [(key, ts) for (ts,) in surplus])
    return len(surplus)


def _checkpoint(connection: sqlite3.Connection) -> tuple[int, int, int] | None:
    try:
        row: tuple[int, int, int] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:  # locked, full or read-only: the next look tries again
        return None
    return row
