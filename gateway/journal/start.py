"""Opening a journal, step by step.

1. Lock the folder: a second instance is refused at once.
2. Open the file, or set a damaged one aside and begin a new stream.
3. Read what is pending and what the ledger still has to send.
4. Add the window again that a crash left in the mirror, or name the one a power cut took.
5. Commit all that, and only then remove the old mirror.
"""

import asyncio
import contextlib
import fcntl
import os
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson

from gateway.journal import mirror as mirrors
from gateway.journal import schema
from gateway.journal.commit import Committer
from gateway.journal.database import Database
from gateway.journal.errors import InUse, Unwritable
from gateway.journal.journal import Journal
from gateway.journal.ledger import loss_row
from gateway.journal.mirror import EVENT, LOSS, READING, Found, Mirror
from gateway.journal.recover import SKIP_BLOCKS, SKIP_SEQS, judge, lost_window, readings
from gateway.journal.runs import count_of
from gateway.journal.window import Window
from gateway.message import ClockState, Loss, MessageError, decode_block


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
) -> Journal:
    """Do all five steps; raises JournalError."""
    lock = _lock(folder)
    thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
    loop = asyncio.get_running_loop()
    try:
        database, why = await loop.run_in_executor(thread, _database, folder, quota, gw)
        expire = lambda: None if clock_state() == "unsynced" else wall() - int(keep * 1000)  # noqa: E731
        committer = Committer(database, thread, boot, expire)
        tag = f"{zlib.crc32(os.fsencode(folder.resolve())):08x}"
        found = mirrors.find(mirror, tag)
        journal = Journal(
            committer, Mirror(mirror, tag, database.meta.stream), lock, stream=database.meta.stream, window=window,
            wall=wall, clock_state=clock_state, boot=boot,
        )  # fmt: skip
        await _index(committer, database)
        if why:
            committer.ledger.add(loss_row("journal_damaged"))
        until = None if clock_state() == "unsynced" else wall()
        await _recover(journal, committer, database, found, boot=boot, until=until, schedule=schedule, window=window)
    except BaseException:
        thread.shutdown(wait=False)
        os.close(lock)
        raise
    return journal


def _lock(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / "journal.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unwritable(f"{folder}: {error}", "make the folder writable for this user") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise InUse(f"{folder} is in use by another process", "stop the other instance first") from error
    return lock


def _database(folder: Path, quota: int | None, gw: str) -> tuple[Database, str]:
    db, _, why = schema.open_file(folder, quota)
    return Database(db, folder, gw, quota), why


async def _index(committer: Committer, database: Database) -> None:
    for block, size, closed in await committer.do(database.index):
        committer.pending.add(block, size, closed)
    committer.ledger.restore(*await committer.do(database.ledger))
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
        _replay(journal, committer, file, boot)
    if state.lost:
        meters = await _meters(committer, schedule, window)
        for loss in lost_window(database.meta, boot, until, meters):
            committer.ledger.add(loss)
        journal.next_seq = max(journal.next_seq, database.meta.next_seq + SKIP_SEQS)
        journal.next_block += SKIP_BLOCKS
    for file in state.foreign:
        _replay(journal, committer, file, boot, renumber=True)
    journal.number = max([journal.number, *(file.window for file in found)]) + 1
    journal.begin()
    committer.durable = (journal.next_seq, journal.next_block, journal.number - 1)
    with contextlib.suppress(Unwritable):  # it always starts; the mirror keeps what the disk refuses
        journal.shut()
        await committer.commit(always=True)
        await committer.do(database.forget_released, boot)
        for old in {old for old, _, _ in await committer.do(database.held)} - {boot}:
            await journal.end_boot(old)
        chunks = await committer.do(database.held)
        journal.unrepaired = sum(count_of(seqs) for _, seqs, _ in chunks)
        journal.held = sum(count_of(seqs) for _, seqs, released in chunks if not released)


async def _meters(committer: Committer, schedule: Mapping[str, float], window: float) -> dict[str | None, int | None]:
    """Name the meters of the lost window: the scheduled ones, and those of the newest blocks."""
    meters: dict[str | None, int | None] = {}
    for block in committer.pending.blocks[-8:]:
        payload = await committer.load(block)
        with contextlib.suppress(MessageError):
            rows = decode_block(payload or b"")
            meters.update(dict.fromkeys([row.meter for row in rows.readings] + [row.meter for row in rows.untimed]))
    return meters | {meter: max(1, round(window / every)) for meter, every in schedule.items() if every > 0}


def _replay(journal: Journal, committer: Committer, file: Found, boot: str, *, renumber: bool = False) -> None:
    """Queue the window a mirror file holds, under its own numbers or, after a new stream began, under new ones."""
    window = Window({})
    for kind, row, data in readings(file):
        if kind == EVENT:
            window.events.append(data)
        elif kind == LOSS:
            committer.ledger.add(Loss.model_validate(row), file.window)
        elif kind == READING:
            if renumber:
                row["seq"] = journal.next_seq
            seq = row["seq"]
            journal.next_seq = max(journal.next_seq, seq + 1)
            _put(window, seq, row, orjson.dumps(row) if renumber else data, boot)
    if not window.empty:
        journal.push(window, number=file.window, mirror=file.path)


def _put(window: Window, seq: int, row: dict[str, Any], data: bytes, boot: str) -> None:
    if "ts" in row:
        window.add(seq, row["meter"], row["ts"], data)
    elif row["boot"] == boot:
        window.held.add(seq, data)
    else:  # its boot is over, so no anchor will come
        window.add(seq, row["meter"], row["mono"], data, timed=False)
