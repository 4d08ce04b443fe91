"""The journal's file: its tables, how it is opened, and how a damaged one is set aside.

    meta      one row: stream, the next numbers, the last window, boot, whether it was closed in order, quota
    block     one narrow row a block, so that opening reads little; payload has the bytes
    held      readings without a time yet, one chunk a window
    loss      the ledger; tally counts it by reason for ever

Pages of 1 KiB: a commit touches a handful of rows, and each touched page is written twice (log, then file).
"""

import contextlib
import os
import secrets
import shutil
import sqlite3
from pathlib import Path

from gateway.journal.errors import JournalError, Unwritable

NAME = "journal.db"
VERSION = 1
PENDING, STORED = 0x2B, 0x54
"""Seven bits apart: a flipped bit never makes an unsent block look stored. Anything but STORED counts as pending."""

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_KEPT = 2
_TABLES = """
CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), stream TEXT NOT NULL, next_seq TEXT NOT NULL,
  next_block INTEGER NOT NULL, window INTEGER NOT NULL, closed INTEGER NOT NULL, boot TEXT NOT NULL,
  clean INTEGER NOT NULL, quota INTEGER NOT NULL);
CREATE TABLE block (block INTEGER PRIMARY KEY, class INTEGER NOT NULL, state INTEGER NOT NULL, closed INTEGER NOT NULL,
  size INTEGER NOT NULL, events INTEGER NOT NULL, seqs TEXT NOT NULL);
CREATE TABLE payload (block INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE quarantine (block INTEGER PRIMARY KEY, crc INTEGER, bytes BLOB);
CREATE TABLE held (chunk INTEGER PRIMARY KEY, boot TEXT NOT NULL, released INTEGER NOT NULL, seqs TEXT NOT NULL,
  crc INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE loss (id INTEGER PRIMARY KEY, block INTEGER, row TEXT NOT NULL);
CREATE TABLE tally (reason TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file itself is wrong, not the disk below it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for the one thread that may use it; raises sqlite3.Error."""
    db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
    db.text_factory = lambda data: data.decode("utf-8", "replace")  # damaged text must not raise
    try:
        for pragma in (
            "page_size=1024",
            "journal_mode=WAL",
            "synchronous=FULL",
            "cache_size=-512",  # 512 KiB: commits append, so few pages are wanted twice
            "wal_autocheckpoint=4000",  # 4 MB of log; fewer checkpoints write hot pages less often
            "journal_size_limit=8388608",
            "temp_store=MEMORY",
        ):
            db.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def open_file(folder: Path, quota: int | None) -> tuple[sqlite3.Connection, Path | None, str]:
    """Open the journal or make a new one; give (connection, what was set aside, why).

    Raises JournalError when the disk refuses or the file is of a newer version: neither is damage.
    """
    path = folder / NAME
    why = "damaged while running" if _marker(path).exists() else ""
    if path.exists() and not why:
        try:
            return _existing(path), None, ""
        except sqlite3.Error as error:
            if not is_damage(error):
                raise Unwritable(f"{path}: {error}", "free space on the disk or make it writable") from error
            why = str(error)
    aside = set_aside(path) if why else None
    try:
        return _create(path, quota), aside, why
    except (sqlite3.Error, OSError) as error:
        raise Unwritable(f"{path}: {error}", "free space on the disk or make it writable") from error


def mark_damaged(folder: Path) -> None:
    """Tell the next start that this file must not be used again."""
    with contextlib.suppress(OSError):
        _marker(folder / NAME).touch(mode=0o600)


def set_aside(path: Path) -> Path:
    """Rename the file and its log to `*.corrupt-N`, keep the two newest; give the new name."""
    old = sorted(path.parent.glob(f"{path.name}.corrupt-*[0-9]"), key=_number)
    aside = path.with_name(f"{path.name}.corrupt-{_number(old[-1]) + 1 if old else 1}")
    for stale in old[: len(old) + 1 - _KEPT]:
        stale.unlink(missing_ok=True)
        stale.with_name(stale.name + "-wal").unlink(missing_ok=True)
    path.rename(aside)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        wal.rename(aside.with_name(aside.name + "-wal"))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    _marker(path).unlink(missing_ok=True)
    return aside


def _number(path: Path) -> int:
    tail = path.name.rpartition("-")[2]
    return int(tail) if tail.isdigit() else 0


def _marker(path: Path) -> Path:
    return path.with_name(path.name + ".damaged")


def _existing(path: Path) -> sqlite3.Connection:
    db = connect(path)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise JournalError(f"{path} was written by a newer Nabd", "install that version again")  # noqa: TRY301
        if version != VERSION or db.execute("SELECT count(*) FROM meta").fetchone()[0] != 1:
            raise _damage("the journal has no tables")
        # Walks every page of the narrow tables; a file cut short shows here.
        db.execute("SELECT count(*), sum(length(seqs)) FROM block").fetchone()
        db.execute("SELECT count(*) FROM payload").fetchone()
    except sqlite3.OperationalError as error:
        db.close()
        raise _damage(str(error)) if "no such table" in str(error) else error from error
    except (sqlite3.Error, JournalError):
        db.close()
        raise
    return db


def _damage(what: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _create(path: Path, quota: int | None) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if quota is None:
        quota = min(2 * 10**9, shutil.disk_usage(path.parent).free // 2)
    db = connect(path)
    stream = secrets.token_hex(6)
    db.executescript(
        f"BEGIN; {_TABLES} INSERT INTO meta VALUES (1, '{stream}', '1', 1, 0, 0, '', 1, {quota:d});"  # noqa: S608
        f"PRAGMA user_version={VERSION}; COMMIT;"
    )
    return db
