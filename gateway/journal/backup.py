"""Copies a journal while it is in use, and brings a copy back.

1. `back_up` makes a whole copy of the file at one moment, and proves it before it gets its name.
2. `restore` begins a new stream: the copy's numbers may have been used for other readings since. What the copy had not
   sent goes into the new journal under new numbers; a reading that the store has after all changes nothing there.
"""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from gateway.journal import schema
from gateway.journal.errors import JournalError, Unwritable
from gateway.journal.journal import Journal
from gateway.journal.reader import Reader
from gateway.journal.salvage import Salvage


def back_up(folder: Path, target: Path) -> int:
    """Copy the journal in `folder` to a new file; give its size in bytes. Raises JournalError."""
    journal = folder / schema.NAME
    Reader(journal).close()  # there is one, of this version
    if target.exists():
        raise JournalError(f"{target} is there already", "name a new file")
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with (
            closing(sqlite3.connect(f"{journal.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            (state,) = copy.execute("PRAGMA integrity_check").fetchone()
        if state != "ok":
            raise JournalError(f"the copy is damaged: {state}", "the journal may be too: see nabd journal ls")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(target)
    except (sqlite3.Error, OSError) as error:
        raise Unwritable(f"{target}: {error}", "name a file on a disk with space") from error
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


async def restore(folder: Path, source: Path, gw: str) -> int:
    """Make a journal in `folder` from a backup; give the number of readings brought along. Raises JournalError."""
    if (folder / schema.NAME).exists():
        raise JournalError(f"there is a journal in {folder} already", "stop the program and move it away first")
    with closing(Reader(source)) as reader:
        reader.meta()
        states = {meter: state for meter, (_, state) in reader.states().items()}
    journal = await Journal.open(
        folder, gw=gw, mirror=None, wall=lambda: time.time_ns() // 1_000_000, clock_state=lambda: "synced",
        boot="restored",
    )  # fmt: skip
    first, salvage = journal.next_seq, Salvage(source)
    try:
        while blocks := salvage.next():
            for records in blocks:
                journal.bring(records)
            await journal.flush()
        journal.keep(states, all=True)
        await journal.flush()
    finally:
        await journal.close()
    return journal.next_seq - first
