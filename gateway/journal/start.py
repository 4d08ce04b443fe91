"""Opening a journal, step by step.

1. Lock the folder: a second instance is refused at once.
2. Open the file, or set a damaged one or a copy aside and begin a new stream.
3. Read what is pending and what the ledger still has to send.
4. Add the window again that a crash left in the mirror, or name the one a power cut took.
5. Commit all that, and only then remove the old mirror.
"""

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gateway.journal import identity, schema
from gateway.journal import mirror as mirrors
from gateway.journal.age import Expiry
from gateway.journal.ballast import Ballast
from gateway.journal.beside import Beside, copies, set_copy_aside
from gateway.journal.commit import Committer
from gateway.journal.database import Database
from gateway.journal.errors import Damaged, Full, InUse, JournalError, Unwritable
from gateway.journal.journal import Journal
from gateway.journal.ledger import Entry, loss_row
from gateway.journal.mirror import Found, Mirror
from gateway.journal.reader import Reader
from gateway.journal.recover import SKIP_BLOCKS, SKIP_SEQS, judge, lost_window
from gateway.journal.replay import replay
from gateway.journal.runs import count_of
from gateway.journal.salvage import Salvage
from gateway.message import ClockState, MessageError, decode_block

_SALVAGE_SECONDS = 5.0
"""A start takes at most ten seconds, and a file is seldom damaged while it holds more than this finds."""


async def open_journal(
    folder: Path,
    *,
    gw: str,
    mirror: Path | None,
    window: float,
    quota: int | None,
    keep: float,
    wall: Callable[[], int],
    clock_state: Callable[[], ClockState],
    boot: str,
    schedule: Mapping[str, float],
    patience: float,
) -> Journal:
    """Do all five steps; raises JournalError."""
    lock = _lock(folder)
    thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
    loop = asyncio.get_running_loop()
    try:
        found_file = await loop.run_in_executor(thread, _read_even_when_full, folder, quota, gw)
        database = found_file.database
        committer = Committer(database, thread, boot, Expiry(keep, wall, clock_state))
        committer.patience = patience
        tag = mirrors.tag_of(folder)
        if mirror is not None:
            with contextlib.suppress(OSError):  # status counts what a mirror cannot take
                mirror.mkdir(mode=0o700, exist_ok=True)
        found = mirrors.find(mirror, tag)
        journal = Journal(
            committer, Mirror(mirror, tag, database.meta.stream), lock, stream=database.meta.stream, window=window,
            wall=wall, clock_state=clock_state, boot=boot,
        )  # fmt: skip
        _index(committer, found_file, boot)
        if found_file.aside is not None:
            await _salvage(journal, committer, found_file.aside, boot)
        if found_file.copied is not None:
            committer.ledger.add(loss_row("journal_copied"))
            journal.keep(await committer.do(_states_of, found_file.copied), all=True)
        journal.beside += map(Beside, copies(folder))
        until = None if clock_state() == "unsynced" else wall()
        await _recover(journal, committer, database, found, boot=boot, until=until, schedule=schedule, window=window)
    except BaseException:
        thread.shutdown(wait=False)
        os.close(lock)
        raise
    return journal


def _lock(folder: Path) -> int:
    try:
        schema.make_folder(folder)
        lock = os.open(folder / "journal.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unwritable(f"{folder}: {error}", "make the folder writable for this user") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise InUse(f"{folder} is in use by another process", "stop the other instance first") from error
    return lock


@dataclass(frozen=True, slots=True)
class _File:
    """The open file and what a start must know of it; it replaces `aside`, damaged, or `copied`, not made here."""

    database: Database
    aside: Path | None
    copied: Path | None
    pending: list[tuple[int, int, int]]
    waiting: list[Entry]
    counts: dict[str, int]
    held: list[tuple[str, str, bool]]


def _read_even_when_full(folder: Path, quota: int | None, gw: str) -> _File:
    """Give the ballast up when there is not even space to open the file."""
    try:
        return _read(folder, quota, gw)
    except Full:
        if not Ballast(folder).give_up():
            raise
        return _read(folder, quota, gw)


def _read(folder: Path, quota: int | None, gw: str) -> _File:
    """Open the file and read all that is not payload; what cannot be read sets the file aside."""
    copied = _copied(folder)
    while True:
        db, damaged = schema.open_file(folder, quota)
        try:
            database = Database(db, folder, gw, quota)
            file = _File(database, damaged, copied, database.index(), *database.ledger(), database.held())
        except (Damaged, ValueError, TypeError, sqlite3.Error):
            db.close()
            if damaged is not None:
                raise  # made this moment, so it is not the file that is ill
            schema.mark_damaged(folder)
        else:
            identity.note(folder)
            return file


def _copied(folder: Path) -> Path | None:
    """Set a file aside that is a copy of the one made here."""
    try:
        return set_copy_aside(folder) if identity.is_copy(folder) else None
    except OSError as error:
        raise Unwritable(f"{folder}: {error}", "free space on the disk or make it writable") from error


def _states_of(path: Path) -> dict[str, bytes]:
    """Give what the alert engine remembered when a copy was made; nothing when that cannot be read."""
    with contextlib.suppress(JournalError), contextlib.closing(Reader(path)) as reader:
        return {meter: state for meter, (_, state) in reader.states().items()}
    return {}


def _index(committer: Committer, file: _File, boot: str) -> None:
    for block, size, closed in file.pending:
        committer.pending.add(block, size, closed)
    committer.ledger.restore(file.waiting, file.counts)
    for old, seqs, released in file.held:
        if old == boot or not released:  # those of earlier boots that went untimed are over
            committer.count_held(count_of(seqs), released=released)
    if committer.pending.blocks:
        committer.announce()


async def _recover(
    journal: Journal,
    committer: Committer,
    database: Database,
    found: list[Found],
    *,
    boot: str,
    until: int | None,
    schedule: Mapping[str, float],
    window: float,
) -> None:
    state = judge(found, database.meta)
    for file in state.finished:
        file.path.unlink(missing_ok=True)
    for file in state.ours:
        replay(journal, committer.ledger, file.records, boot, number=file.window, mirror=file.path)
    if state.lost:
        meters = await _meters(committer, schedule, window)
        for loss in lost_window(database.meta, boot, until, meters):
            committer.ledger.add(loss)
        journal.next_seq = max(journal.next_seq, database.meta.next_seq + SKIP_SEQS)
        journal.next_block += SKIP_BLOCKS
    for file in state.foreign:
        replay(journal, committer.ledger, file.records, boot, number=file.window, mirror=file.path, renumber=True)
    journal.number = max([journal.number, *(file.window for file in found)]) + 1
    journal.begin()
    journal.closed_seq = journal.next_seq
    committer.durable = (journal.next_seq, journal.next_block, journal.number - 1)
    with contextlib.suppress(Unwritable):  # it always starts; the mirror keeps what the disk refuses
        journal.shut()
        await committer.commit(always=True)
        await committer.do(database.forget_released, boot)
        for old in {old for old, _, _ in await committer.do(database.held)} - {boot}:
            await journal.end_boot(old)


async def _meters(committer: Committer, schedule: Mapping[str, float], window: float) -> dict[str | None, int | None]:
    """Name the meters of the lost window: the scheduled ones, and those of the newest blocks."""
    meters: dict[str | None, int | None] = {}
    for block in committer.pending.blocks[-8:]:
        payload = await committer.load(block)
        with contextlib.suppress(MessageError):
            rows = decode_block(payload or b"")
            meters.update(dict.fromkeys([row.meter for row in rows.readings] + [row.meter for row in rows.untimed]))
    return meters | {meter: max(1, round(window / every)) for meter, every in schedule.items() if every > 0}


async def _salvage(journal: Journal, committer: Committer, aside: Path, boot: str) -> None:
    """Bring what a damaged file still holds into the new stream, for a few seconds; name the rest."""
    salvage = await committer.do(Salvage, aside)
    deadline = time.monotonic() + _SALVAGE_SECONDS
    while time.monotonic() < deadline and (blocks := await committer.do(salvage.next)):
        for records in blocks:
            replay(journal, committer.ledger, records, boot, number=journal.number - 1, renumber=True)
        with contextlib.suppress(Unwritable):
            await committer.commit()
    committer.ledger.add(loss_row("journal_damaged"))
