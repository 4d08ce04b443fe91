"""Looks into a journal without touching it, also while a program keeps writing to it.

Every look is a short one: a reader that lingers would keep SQLite from bringing its log into the file.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.journal import schema
from gateway.journal.errors import Damaged, JournalError, Unwritable
from gateway.journal.held import unpack
from gateway.journal.runs import count_of
from gateway.journal.tables import DAMAGED, STORED, VERSION, Meta, read_meta
from gateway.journal.window import checksum
from gateway.message import MessageError, inflate

_AT_ONCE = 64
_DAMAGED = "a program that starts sets a damaged journal aside and begins a new one"
STATES = {STORED: "stored", DAMAGED: "damaged"}
"""Any other state is "waiting"."""


@dataclass(frozen=True, slots=True)
class BlockLine:
    """One block: `closed` is UTC ms, `size` bytes as sent, `readings` how many are in it."""

    block: int
    state: str
    closed: int
    size: int
    readings: int


@dataclass(frozen=True, slots=True)
class Found:
    """One reading: its row as the block has it, and where it is: stored, waiting, or held until its time is known."""

    row: Mapping[str, Any]
    state: str
    block: int | None


class Reader:
    """One journal, opened to read; `unreadable` counts blocks whose checksum fails."""

    def __init__(self, path: Path) -> None:
        """Open a journal's file; raises JournalError."""
        if not path.exists():
            raise JournalError(f"there is no journal at {path}", "name the configuration that keeps it with -c")
        self.unreadable, self._path = 0, path
        try:
            self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            raise self._error(error) from error
        if version != VERSION:
            self._db.close()
            raise JournalError(f"{path} is of another version", "start the program once, then look again")

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def meta(self) -> Meta:
        """Say where the journal stands."""
        try:
            return read_meta(self._db)
        except (ValueError, sqlite3.Error) as error:
            raise Damaged(f"{self._path}: {error}", _DAMAGED) from error

    def losses(self) -> dict[str, int]:
        """Give the ledger's counts by reason."""
        return dict(self._ask("SELECT reason, count FROM tally ORDER BY reason"))

    def states(self) -> Mapping[str, tuple[int, bytes]]:
        """Give what the alert engine remembers of each meter, with the newest block it knows."""
        rows = self._ask("SELECT meter, block, crc, bytes FROM state")
        return {meter: (block, data) for meter, block, crc, data in rows if checksum(data, block) == crc}

    def blocks(self) -> Iterator[BlockLine]:
        """Give every block, oldest first."""
        query = "SELECT block, state, closed, size, seqs FROM block WHERE block > ? ORDER BY block LIMIT ?"
        for block, state, closed, size, seqs in self._pages(query):
            yield BlockLine(block, STATES.get(state, "waiting"), closed, size, count_of(seqs))

    def readings(self, *, unsent: bool = False) -> Iterator[Found]:
        """Give every reading, oldest block first, then those held; with `unsent` none that the store has."""
        query = (
            "SELECT block, state, crc, bytes FROM block JOIN payload USING (block) WHERE block > ?"
            " ORDER BY block LIMIT ?"
        )
        for block, state, crc, data in self._pages(query):
            if unsent and state in STATES:
                continue
            for row in self._rows(block, crc, data):
                yield Found(row, STATES.get(state, "waiting"), block)
        for chunk, crc, data in self._pages(
            "SELECT chunk, crc, bytes FROM held WHERE chunk > ? AND released = 0 ORDER BY chunk LIMIT ?"
        ):
            lines = unpack(chunk, crc, data)
            self.unreadable += lines is None
            for line in (lines or b"").splitlines():
                yield Found(orjson.loads(line), "held", None)

    def _rows(self, block: int, crc: int, data: bytes) -> Iterator[Mapping[str, Any]]:
        if checksum(data, block) != crc:
            self.unreadable += 1
            return
        try:
            told = orjson.loads(inflate(data))
        except (MessageError, orjson.JSONDecodeError):
            self.unreadable += 1
            return
        yield from told.get("readings", ())
        yield from told.get("untimed", ())

    def _pages(self, query: str) -> Iterator[tuple[Any, ...]]:
        last = -1
        while rows := self._ask(query, last, _AT_ONCE):
            yield from rows
            last = rows[-1][0]

    def _ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            with closing(self._db.execute(query, values)) as cursor:
                return cursor.fetchall()
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> JournalError:
        if schema.is_damage(error):
            return Damaged(f"{self._path}: {error}", _DAMAGED)
        return Unwritable(f"{self._path}: {error}", "run this as the user whose journal it is")
