"""Copies laid in the journal's place: a new stream, no number twice, and what was not sent comes along."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import identity
from gateway.journal.beside import copies


@pytest.fixture(autouse=True)
def judged(tmp_path: Path) -> None:
    """Go on only where the file system gives inodes a generation, as ext4 does."""
    if not identity.inode_of(tmp_path):
        pytest.skip("the file system of the temporary folder draws no inode generations: put it on ext4")


@contextlib.asynccontextmanager
async def running(bench: Any) -> AsyncIterator[Any]:
    """Have a journal with its own task and short windows."""
    journal = await bench.open(window=0.02)
    task = asyncio.create_task(journal.run())
    try:
        yield journal
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await journal.close()


async def given(bench: Any, count: int) -> tuple[str, set[int], set[tuple[str, int]]]:
    """Add readings and commit; give stream, seqs and (meter, ts) of what is pending then."""
    journal = await bench.open()
    bench.fill(journal, count)
    journal.keep({"m-1": b"remembered"}, all=True)
    await journal.flush()
    rows = [row for block in await bench.blocks(journal) for row in block.readings]
    await journal.close()
    return journal.stream, {row.seq for row in rows}, {(row.meter, row.ts) for row in rows}


async def taken_in(journal: Any) -> None:
    """Wait until nothing lies beside the journal any more."""
    async with asyncio.timeout(10):
        while journal.beside:
            await asyncio.sleep(0.01)


async def test_a_restored_copy_begins_a_new_stream(bench: Any) -> None:
    """Yesterday's folder, copied back, gives no (stream, seq) again; its unsent readings and its states are kept."""
    old, _, unsent = await given(bench, 5)
    shutil.copytree(bench.folder, bench.root / "yesterday")
    await given(bench, 5)
    shutil.rmtree(bench.folder)
    shutil.copytree(bench.root / "yesterday", bench.folder)
    async with running(bench) as journal:
        assert journal.stream != old
        assert journal.stats().losses == {"journal_copied": 1}
        assert {meter: state for meter, (_, state) in (await journal.states()).items()} == {"m-1": b"remembered"}
        await taken_in(journal)
        rows = [row for block in await bench.blocks(journal) for row in block.readings]
        assert {(row.meter, row.ts) for row in rows} == unsent
        new = journal.stream
    assert copies(bench.folder) == []
    journal = await bench.open()
    assert journal.stream == new, "told once, and believed from then on"
    await journal.close()


async def test_a_copy_that_is_not_taken_in_yet_is_found_at_the_next_start(bench: Any) -> None:
    """A program that ends in between loses nothing of it."""
    _, _, unsent = await given(bench, 5)
    shutil.copytree(bench.folder, bench.root / "yesterday")
    shutil.rmtree(bench.folder)
    shutil.copytree(bench.root / "yesterday", bench.folder)
    journal = await bench.open()
    assert len(journal.beside) == 1
    await journal.close()
    async with running(bench) as journal:
        await taken_in(journal)
        rows = [row for block in await bench.blocks(journal) for row in block.readings]
        assert {(row.meter, row.ts) for row in rows} == unsent
    assert copies(bench.folder) == []


async def test_a_copy_of_a_running_journal_brings_its_log_and_its_open_window(bench: Any) -> None:
    """What only the log and the mirror hold comes along, as after `cp journal.db copy && mv copy journal.db`."""
    journal = await bench.open()
    bench.fill(journal, 5)
    await journal.flush()
    bench.fill(journal, 5)
    added, old = 10, journal.stream
    await bench.crash(journal)
    assert bench.file.with_name("journal.db-wal").exists()
    identity.note(bench.folder)
    shutil.copy(bench.file, bench.folder / "copy")
    (bench.folder / "copy").replace(bench.file)
    async with running(bench) as journal:
        assert journal.stream != old
        await taken_in(journal)
        await journal.flush()
        rows = [row for block in await bench.blocks(journal) for row in block.readings]
        assert len({(row.meter, row.ts) for row in rows}) == len(rows) == added
        assert set(journal.stats().losses) == {"journal_copied"}


async def test_a_folder_that_was_moved_is_no_copy(bench: Any) -> None:
    """The file is the same one under another name, so the stream goes on."""
    old, _, _ = await given(bench, 2)
    bench.folder.rename(bench.root / "elsewhere")
    (bench.root / "elsewhere").rename(bench.folder)
    journal = await bench.open()
    assert journal.stream == old
    await journal.close()


@pytest.mark.parametrize("harm", ["missing", "empty"])
async def test_a_file_without_its_note_is_believed(bench: Any, harm: str) -> None:
    """An earlier version left none; a power cut may have emptied it."""
    old, _, _ = await given(bench, 2)
    note = bench.folder / identity.NOTE
    note.unlink() if harm == "missing" else note.write_bytes(b"")
    journal = await bench.open()
    assert journal.stream == old
    await journal.close()
    assert identity.inode_of(bench.file) == note.read_text()


async def test_a_file_set_aside_as_damaged_is_no_copy(bench: Any) -> None:
    """The note follows the file that was begun in its place."""
    await given(bench, 2)
    bench.file.write_bytes(b"")
    journal = await bench.open()
    await journal.close()
    stream = journal.stream
    journal = await bench.open()
    assert (journal.stream, journal.stats().losses) == (stream, {"journal_damaged": 1})
    await journal.close()
