"""The one connection to the file: opened anew after every failure whose end is unknown."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateway.journal import schema
from gateway.journal.errors import Damaged, Full, Unwritable


class Connection:
    """Belongs to the database thread."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        """Take over an open file, the journal in `folder`."""
        self.db: sqlite3.Connection | None = db
        self._folder, self._path = folder, folder / schema.NAME
        self.shared, self._failed = schema.is_shared(db), False

    @contextlib.contextmanager
    def use(self) -> Iterator[sqlite3.Connection]:
        """Turn SQLite's errors into ours; after one the file is opened anew.

        But not when the disk is full: nothing was synced in vain there, and to open the file again takes space.
        """
        try:
            if self.db is None:
                self.db = self._open()
            yield self.db
        except sqlite3.Error as error:
            if schema.is_damage(error):
                self._drop()
                raise Damaged(str(error), "restart: the file is set aside and a new one begun") from error
            refusal = schema.refusal(error, self._folder)
            if not (isinstance(refusal, Full) and self._roll_back()):
                self._drop()
            raise refusal from error
        except BaseException:
            self._drop()
            raise

    def share(self) -> None:
        """Let others look into the file, until `reclaim`; raises sqlite3.Error, then the next use opens it."""
        self.close()
        self.db = schema.connect(self._path, shared=True)
        self.shared = True

    def reclaim(self) -> None:
        """Have the file for us alone from the next use on, or shared still while somebody looks into it."""
        self.close()

    def close(self) -> None:
        """Let the file go; the log is merged into it."""
        if self.db is not None:
            with contextlib.suppress(sqlite3.Error):
                self.db.close()
            self.db = None

    def sizes(self) -> tuple[int, int]:
        """Bytes of the file and of its log; callable from any thread."""
        return _size(self._path), _size(self._path.with_name(self._path.name + "-wal"))

    def _drop(self) -> None:
        self._failed = True
        self.close()

    def _open(self) -> sqlite3.Connection:
        """Open the file again; after a failure trust nothing of its log that the disk has not taken anew."""
        db = schema.connect(self._path)
        if self._failed:
            self._bring_in(db)
            self._failed = False
        self.shared = schema.is_shared(db)
        return db

    @staticmethod
    def _bring_in(db: sqlite3.Connection) -> None:
        """Write all of the log into the file, and sync that, or close it and raise.

        After a failed sync the system may think that it wrote what it did not: pages that look whole here are gone
        after the next power cut.
        """
        try:
            (busy, _, _) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error:
            db.close()
            raise
        if busy:
            db.close()
            raise Unwritable("the journal's log cannot be brought in while others read it", "end what reads it")

    def _roll_back(self) -> bool:
        """Undo what a full disk interrupted, and keep the connection; False when that fails too."""
        try:
            if self.db is not None and self.db.in_transaction:
                self.db.execute("ROLLBACK")
        except sqlite3.Error:
            return False
        return self.db is not None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
