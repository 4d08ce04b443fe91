"""The journal's file: its tables, how it is opened, and how a damaged one is set aside.

    meta      one row: stream, the next numbers, the last window, boot, whether it was closed in order, quota
    block     one narrow row a block, so that opening reads little; payload has the bytes
    held      readings without a time yet, one chunk a window
    loss      the ledger; tally counts it by reason for ever
    state     what the alert engine remembers of each meter, and the newest block it knows

Pages of 1 KiB: a commit touches a handful of rows, and each touched page is written twice (log, then file).
"""

import contextlib
import os
import secrets
import shutil
import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path

from gateway.journal.errors import JournalError, Unwritable

NAME = "journal.db"
VERSION = 1
PENDING, STORED, DAMAGED = 0x2B, 0x54, 0x4D
"""Several bits apart: a flipped bit never makes an unsent block look stored. What is none of them counts as pending."""

_REFUSALS = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOLFS,
}  # fmt: skip
"""The disk's or the system's fault, to be tried again. Anything else, a missing column too, is a damaged file: trying
again would never end."""
_KEPT = 2
_TABLES = """
CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), stream TEXT NOT NULL, next_seq TEXT NOT NULL,
  next_block INTEGER NOT NULL, window INTEGER NOT NULL, closed INTEGER NOT NULL, boot TEXT NOT NULL,
  clean INTEGER NOT NULL, quota INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE block (block INTEGER PRIMARY KEY, class INTEGER NOT NULL, state INTEGER NOT NULL, closed INTEGER NOT NULL,
  size INTEGER NOT NULL, events INTEGER NOT NULL, seqs TEXT NOT NULL);
CREATE TABLE payload (block INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE held (chunk INTEGER PRIMARY KEY, boot TEXT NOT NULL, released INTEGER NOT NULL, seqs TEXT NOT NULL,
  crc INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE loss (id INTEGER PRIMARY KEY, block INTEGER, row TEXT NOT NULL);
CREATE TABLE tally (reason TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE state (meter TEXT PRIMARY KEY, block INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Meta:
    """The one row of `meta`; `closed` is the newest window's close time, `clean` whether the end was in order."""

    stream: str
    next_seq: int
    next_block: int
    window: int
    closed: int
    boot: str
    clean: bool
    quota: int


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is wrong, not the disk below it."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in _REFUSALS


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


def open_file(folder: Path, quota: int | None) -> tuple[sqlite3.Connection, Path | None]:
    """Open the journal or make a new one; give the connection and the damaged file that was set aside for it.

    Raises JournalError when the disk refuses or the file is of a newer version: neither is damage.
    """
    path = folder / NAME
    damaged = _marker(path).exists()
    try:
        if path.exists() and not damaged:
            try:
                return _existing(path), None
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                damaged = True
        aside = set_aside(path) if damaged and path.exists() else None
        return _create(path, quota), aside
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
        tables = [sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
        if tables != [sql.strip() for sql in _TABLES.split(";") if sql.strip()]:
            raise sqlite3.DatabaseError("the journal's tables are not as they were made")
    except (sqlite3.Error, JournalError):
        db.close()
        raise
    return db


def _create(path: Path, quota: int | None) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if quota is None:
        quota = min(2 * 10**9, shutil.disk_usage(path.parent).free // 2)
    db = connect(path)
    db.executescript(f"BEGIN; {_TABLES} PRAGMA user_version={VERSION};")
    write_meta(db, Meta(secrets.token_hex(6), 1, 1, 0, 0, "", True, quota))
    db.execute("COMMIT")
    return db


def read_meta(db: sqlite3.Connection) -> Meta:
    """Read the one row back; raises ValueError when it was damaged."""
    row = db.execute(
        "SELECT stream, next_seq, next_block, window, closed, boot, clean, quota, crc FROM meta"
    ).fetchone()
    if row is None:
        raise ValueError("there is no meta row")
    meta = Meta(row[0], int(row[1]), row[2], row[3], row[4], row[5], bool(row[6]), row[7])
    if _checksum(meta) != row[8]:
        raise ValueError("the meta row fails its checksum")
    return meta


def write_meta(db: sqlite3.Connection, meta: Meta) -> None:
    """Write the one row; next_seq as text, because SQLite's integers end at 2^63."""
    values = (meta.stream, str(meta.next_seq), meta.next_block, meta.window, meta.closed, meta.boot, meta.clean)
    db.execute("REPLACE INTO meta VALUES (1,?,?,?,?,?,?,?,?,?)", (*values, meta.quota, _checksum(meta)))


def _checksum(meta: Meta) -> int:
    return zlib.crc32(repr(meta).encode())
