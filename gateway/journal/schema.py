"""The journal's file: how it is opened or made, and how a damaged one is set aside."""

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path

from gateway.journal.errors import Full, JournalError, Unwritable
from gateway.journal.migrate import migrate
from gateway.journal.tables import TABLES, VERSION, Meta, are_ours, write_meta

NAME = "journal.db"

_REFUSALS = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOLFS,
}  # fmt: skip
"""The disk's or the system's fault, to be tried again. Anything else, a missing column too, is a damaged file: trying
again would never end."""
_KEPT = 2
_FULL = 64 * 1024
"""The index of a shared log grows by half of this, and SQLite says "I/O error" where it cannot."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is wrong, not the disk below it."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in _REFUSALS


def refusal(error: sqlite3.Error, folder: Path) -> Unwritable:
    """Name the disk's own fault; also "I/O error" may mean that it is full."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _space(folder) < _FULL):
        return Full(f"the disk is full: {error}", "free space on it")
    return Unwritable(str(error), "free space on the disk or make it writable")


def _space(folder: Path) -> int:
    try:
        return _free(folder)
    except OSError:
        return _FULL


def _free(folder: Path) -> int:
    """Count the bytes that are left for us; `shutil` would bring the library's zip files into a gateway's memory."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def connect(path: Path, *, shared: bool = False) -> sqlite3.Connection:
    """Open the file for the one thread that may use it; raises sqlite3.Error, also when it is not there.

    A file that is gone is a disk that is not mounted: an empty one made in its place would hide the real one.

    Opened for us alone, SQLite keeps the index of its log in our memory. Shared with others, as while somebody looks
    into it, the index is a file, which the system writes to flash over and over: 40 MB a day.
    """
    if not shared:
        try:
            return _connect(path, "EXCLUSIVE", 0.0)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                raise
    return _connect(path, "NORMAL", 1.0)


def is_shared(db: sqlite3.Connection) -> bool:
    """Say whether others may open the file beside this connection."""
    return bool(db.execute("PRAGMA locking_mode").fetchone()[0] != "exclusive")


def _connect(path: Path, locking: str, timeout: float) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=timeout)
    db.text_factory = lambda data: data.decode("utf-8", "replace")  # damaged text must not raise
    try:
        for pragma in (
            f"locking_mode={locking}",  # before all else: the kind of index is chosen at the first look
            "page_size=1024",
            "journal_mode=WAL",
            "synchronous=FULL",
            "cache_size=-512",  # 512 KiB: commits append, so few pages are wanted twice
            "wal_autocheckpoint=1000",  # 1 MB of log: more seldom saves no flash any more, and the ballast must hold it
            "journal_size_limit=4194304",  # what a long reader let it grow beyond is given back
            "temp_store=MEMORY",
            "secure_delete=FAST",  # some SQLites write zeros over all that is deleted; the next blocks take those pages
        ):
            db.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def sync_folder(folder: Path) -> None:
    """Make what a folder lists last over a power cut; raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, to last over a power cut; raises OSError."""
    missing = [folder, *folder.parents]
    missing = missing[: next(place for place, path in enumerate(missing) if path.exists())]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path.parent)


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
    except sqlite3.Error as error:
        raise refusal(error, folder) from error
    except OSError as error:
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
        migrate(db, version)
        if not are_ours(db):
            raise sqlite3.DatabaseError("the journal's tables are not as they were made")
    except ValueError as error:
        db.close()
        raise sqlite3.DatabaseError(str(error)) from error
    except (sqlite3.Error, JournalError):
        db.close()
        raise
    return db


def _create(path: Path, quota: int | None) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if quota is None:
        quota = min(2 * 10**9, _free(path.parent) // 2)
    db = connect(path)
    db.execute("BEGIN")
    for table in TABLES:
        db.execute(table)
    db.execute(f"PRAGMA user_version={VERSION}")
    write_meta(db, Meta(secrets.token_hex(6), 1, 1, 0, 0, "", True, quota, 0))
    db.execute("COMMIT")
    sync_folder(path.parent)
    return db
