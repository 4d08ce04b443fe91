"""One SQLite file on one thread of its own, so that no disk ever holds up the event loop.

1. Work is a function of the connection; `read` runs it as it is, `write` in one transaction that is on disk (WAL,
   synchronous FULL) when `write` returns.
2. What passes by itself or by a person's act (locked, full, read-only) comes back as TryAgain, never as an exception.
3. `steps` is the history of the schema: a file is brought forward step by step, a newer file is refused.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gateway.store.contract import StoreError, TryAgain

T = TypeVar("T")

BUSY_TIMEOUT = 2.0
"""Seconds SQLite waits for another process's transaction: far above any commit, well below a stored ack's timeout."""
PAGE_SIZE = 8192
"""Eighteen readings of twenty values fill such a page; the usual 4096 wastes 15 % more on page ends."""

_HINTS = {
    "SQLITE_BUSY": "close the other program that holds it, then try again",
    "SQLITE_FULL": "free some space on its disk",
    "SQLITE_READONLY": "make its folder and file writable for this user",
    "SQLITE_CANTOPEN": "make its folder and file writable for this user",
    "SQLITE_CORRUPT": "restore it from a backup, or move it away to start afresh",
    "SQLITE_NOTADB": "point the path at a Nabd database",
}


class Database:
    """A SQLite file, opened and closed any number of times."""

    def __init__(self, path: Path, steps: Sequence[Sequence[str]]) -> None:
        """`steps[n]` holds the statements that lead from version n of the schema to n + 1."""
        self.path = path
        self._steps = steps
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Open the file and bring its schema forward; raises StoreError."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sqlite[{self.path.name}]")
        try:
            self._connection = await self._run(self._connect)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        if self._thread is None:
            return
        if self._connection is not None:
            await self._run(self._connection.close)
        self._thread.shutdown()
        self._thread = self._connection = None

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` outside a transaction; raises StoreError when the disk or another program refuses."""
        return await self._run(lambda: self._look(work))

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T | TryAgain:
        """Run `work` in one transaction: all of it is on disk, or TryAgain and nothing is."""
        return await self._run(lambda: self._transact(work))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise StoreError(f"{self.path} is not open", "open it first")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self.path} is not open", "open it first")
        return self._connection

    def _look(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._open_connection()
        try:
            return work(connection)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"cannot read {self.path}: {error}", _hint(error) or "look at its disk") from error

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T | TryAgain:
        connection = self._open_connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            _rollback(connection)
            return _verdict(self.path, error)
        except BaseException:
            _rollback(connection)
            raise
        return result

    def _connect(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot open {self.path}: {error}", _HINTS["SQLITE_CANTOPEN"]) from error
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            _enter_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            self._migrate(connection)
        except sqlite3.Error as error:
            connection.close()
            raise StoreError(f"cannot use {self.path}: {error}", _hint(error) or "look at the file") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(self._steps):
            raise StoreError(
                f"{self.path} has schema {version}, this Nabd knows {len(self._steps)}", "install the newer Nabd again"
            )
        for step in self._steps[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(self._steps)}")
        connection.execute("COMMIT")


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Let the file be written ahead, as it stays from then on; raises sqlite3.Error.

    SQLite does not wait for others here as it does for a transaction: of two who open a new file at once one is refused
    on the spot. So we wait ourselves, as long as SQLite would.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _name(error) != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(0.01)  # on the database's own thread


def _rollback(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _verdict(path: Path, error: sqlite3.DatabaseError) -> TryAgain:
    """Sort an error of the disk or of a lock; what can only be our own mistake is raised again."""
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError | sqlite3.DataError):
        raise error
    if _name(error) in {"SQLITE_BUSY", "SQLITE_LOCKED"}:
        return TryAgain(f"{path} is locked by another program", after=0.1)
    hint = _hint(error)
    return TryAgain(f"{path}: {error}" + (f" ({hint})" if hint else ""), after=5.0, loud=True)


def _name(error: sqlite3.Error) -> str:
    """Give the primary result code: SQLITE_IOERR_WRITE is an SQLITE_IOERR."""
    return "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])


def _hint(error: sqlite3.Error) -> str:
    return _HINTS.get(_name(error), "")
