"""What can still be read of a file that was set aside: unsent blocks and held readings whose CRC is right.

Their old numbers belong to the old stream, so they are added to the new one as records, as if a mirror held them. The
store's key is meter and time: a reading that had arrived already changes nothing.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson

from gateway.journal.mirror import EVENT, READING
from gateway.journal.tables import DAMAGED, STORED
from gateway.journal.window import checksum
from gateway.message import MessageError, inflate

Records = list[tuple[int, bytes]]
"""One block or chunk as mirror records: kind and JSON."""

_AT_ONCE = 64


class Salvage:
    """Reads a damaged file, or a backup, piece by piece."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._todo = self._keys()

    def next(self) -> list[Records]:
        """Give the next blocks as records; none at the end."""
        found: list[Records] = []
        try:
            with closing(sqlite3.connect(self._path)) as db:
                while self._todo and len(found) < _AT_ONCE:
                    records = _read(db, *self._todo.pop(0))
                    found += [records] if records else []
        except sqlite3.Error:
            self._todo.clear()
        return found

    def _keys(self) -> list[tuple[str, int]]:
        try:
            with closing(sqlite3.connect(self._path)) as db:
                finished = {key for key, state in _scan(db, "block", "block, state") if state in (STORED, DAMAGED)}
                blocks = [("payload", key) for key, _ in _scan(db, "payload", "block, 0") if key not in finished]
                return blocks + [
                    ("held", key) for key, released in _scan(db, "held", "chunk, released") if not released
                ]
        except sqlite3.Error:
            return []


def _scan(db: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[int, int]]:
    """Give rows up to a damaged page, then from the other end down to it."""
    key, last = columns.partition(",")[0], -1
    try:
        for row in db.execute(f"SELECT {columns} FROM {table} ORDER BY {key}"):  # noqa: S608  our own names
            yield row
            last = row[0]
    except sqlite3.DatabaseError:
        try:
            yield from db.execute(f"SELECT {columns} FROM {table} WHERE {key} > ? ORDER BY {key} DESC", (last,))  # noqa: S608
        except sqlite3.DatabaseError:
            return


def _read(db: sqlite3.Connection, table: str, key: int) -> Records:
    name = "chunk" if table == "held" else "block"
    try:
        row = db.execute(f"SELECT crc, bytes FROM {table} WHERE {name}=?", (key,)).fetchone()  # noqa: S608
    except sqlite3.Error:
        return []
    if row is None or not isinstance(row[1], bytes) or checksum(row[1], key) != row[0]:
        return []
    try:
        if table == "held":
            return [(READING, line) for line in zlib.decompress(row[1]).split(b"\n")]
        block = orjson.loads(inflate(row[1]))
    except (zlib.error, MessageError, orjson.JSONDecodeError):
        return []
    rows = [(READING, orjson.dumps(row)) for row in (*block.get("readings", ()), *block.get("untimed", ()))]
    return rows + [(EVENT, orjson.dumps(event)) for event in block.get("events", ())]
