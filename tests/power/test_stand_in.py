"""Disks that refuse already at the start: a journal in memory stands in, and moves to the disk once that is mended."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import InUse, Journal, Unwritable
from gateway.message import decode_block
from tests.power.busy import WINDOW, Hog, add, readings, running, until
from tests.power.conftest import needs_disks
from tests.power.disk import Disk, made, sh


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """Give a folder that stands for the tmpfs of the mirror."""
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


@pytest.fixture
async def given(disk: Disk) -> AsyncIterator[tuple[Disk, str, set[int]]]:
    """Give a disk that is mounted read-only, the stream of the journal on it, and what that had not sent."""
    async with running(disk.path / "journal") as journal:
        add(journal)
        await journal.flush()
        unsent = await readings(journal)
    sh("mount", "-o", "remount,ro", str(disk.path))
    yield disk, journal.stream, unsent
    sh("mount", "-o", "remount,rw", str(disk.path))


async def times(journal: Journal) -> list[tuple[str, int, Any]]:
    """Give (meter, ts, number at first) of every pending reading."""
    payloads = [await journal.load(block) for block in tuple(journal.pending())]
    return [(row.meter, row.ts, row.v["n"]) for data in payloads if data for row in decode_block(data).readings]


async def test_a_start_on_a_read_only_disk_collects_sends_and_moves_home(
    given: tuple[Disk, str, set[int]], memory: Path
) -> None:
    """Degraded at once, blocks go out from memory; mounted writable the journal goes on as the one on disk."""
    disk, stream, unsent = given
    async with running(disk.path / "journal", mirror=memory) as journal:
        assert "memory" in journal.stats().degraded
        assert journal.stream != stream
        add(journal, 30)
        await until(journal.pending)
        assert await times(journal), "what is in memory can be sent"
        sh("mount", "-o", "remount,rw", str(disk.path))
        await until(lambda: not journal.stats().degraded)
        assert journal.stream == stream
        add(journal, 5)
        await until(lambda: not journal.beside)
        await journal.flush()
        found = await times(journal)
        assert len(found) == len(unsent) + 35
        assert journal.stats().losses == {}
        assert [path for path in memory.iterdir() if path.is_dir()] == []
    async with running(disk.path / "journal") as journal:
        assert journal.stream == stream
        assert len(await times(journal)) == len(unsent) + 35


async def test_blocks_acknowledged_from_memory_are_not_sent_again(
    given: tuple[Disk, str, set[int]], memory: Path
) -> None:
    """Only what the store does not have moves to the disk, and no late answer frees a block there."""
    disk, _, unsent = given
    async with running(disk.path / "journal", mirror=memory) as journal:
        add(journal, 30)
        await journal.flush()
        acknowledged = tuple(journal.pending())
        for block in acknowledged:
            assert journal.stored(block)
        sh("mount", "-o", "remount,rw", str(disk.path))
        await until(lambda: not journal.stats().degraded and not journal.beside)
        assert await readings(journal) == unsent
        assert not any(journal.stored(block) for block in acknowledged)


async def test_who_waits_for_blocks_hears_of_those_on_the_disk(given: tuple[Disk, str, set[int]], memory: Path) -> None:
    """A consumer that waited for news of the stand-in is woken by the move."""
    disk, _, _ = given
    async with running(disk.path / "journal", mirror=memory) as journal:
        add(journal, 1)
        await journal.flush()
        seen = await journal.news(0)
        waiter = asyncio.create_task(journal.news(seen))
        sh("mount", "-o", "remount,rw", str(disk.path))
        seen = await asyncio.wait_for(waiter, 10)
        await until(lambda: not journal.beside)
        add(journal, 1)
        assert await asyncio.wait_for(journal.news(seen), 10) > seen


async def test_a_stand_in_outlives_the_program(given: tuple[Disk, str, set[int]], memory: Path) -> None:
    """Restarted on the disk that is well by then, or not yet, it loses nothing of what memory holds."""
    disk, stream, unsent = given
    for _ in range(2):
        async with running(disk.path / "journal", mirror=memory) as journal:
            add(journal, 10)
    with pytest.raises(Unwritable):
        async with running(disk.path / "journal"):  # where there is no folder in memory
            pass
    sh("mount", "-o", "remount,rw", str(disk.path))
    async with running(disk.path / "journal", mirror=memory) as journal:
        assert journal.stream == stream
        await until(lambda: not journal.beside)
        assert len(await times(journal)) == len(unsent) + 20


async def test_a_second_instance_is_refused_there_too(given: tuple[Disk, str, set[int]], memory: Path) -> None:
    """The stand-in has a lock like any other journal."""
    disk, _, _ = given
    async with running(disk.path / "journal", mirror=memory):
        with pytest.raises(InUse):
            await asyncio.wait_for(_opened(disk.path / "journal", memory), 2)
        sh("mount", "-o", "remount,rw", str(disk.path))
        with pytest.raises(InUse):
            await asyncio.wait_for(_opened(disk.path / "journal", memory), 2)


async def _opened(folder: Path, memory: Path) -> None:
    async with running(folder, mirror=memory):
        pass


async def test_a_start_on_a_full_disk_without_a_journal(tmp_path: Path, memory: Path) -> None:
    """The first start of all, with no space for a journal: it begins in memory, and moves when there is space."""
    needs_disks()
    with made(tmp_path / "small.img", tmp_path / "small", 8) as disk:
        hog = Hog(disk)
        hog.fill()
        async with running(disk.path / "journal", mirror=memory) as journal:
            assert "full" in journal.stats().degraded
            add(journal, 30)
            await until(journal.pending)
            hog.leave()
            await until(lambda: not journal.stats().degraded and not journal.beside)
            assert len(await times(journal)) == 30


async def test_a_folder_of_somebody_else_is_an_error(tmp_path: Path, memory: Path, monkeypatch: Any) -> None:
    """Wrong rights do not pass by themselves: the start says so instead of collecting in memory."""
    honest: Callable[..., None] = Path.mkdir

    def refuse(path: Path, *arguments: Any, **options: Any) -> None:
        if path == tmp_path / "journal":
            raise PermissionError(13, "Permission denied")
        honest(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(Unwritable, match="denied"):
        await _opened(tmp_path / "journal", memory)


async def test_ten_minutes_wait_in_memory(given: tuple[Disk, str, set[int]], memory: Path) -> None:
    """Ten minutes of the reference load cost no reading, although nobody acknowledges any."""
    disk, _, unsent = given
    values = {f"energy_import_{tariff}_wh": 123456.7 for tariff in range(42)}
    async with running(disk.path / "journal", mirror=memory) as journal:
        for second in range(600):
            journal.add("m-1", time.time_ns() // 1_000_000 + second, 0, 0, {**values, "n": second})
            if second % 10 == 9:
                await journal.flush()
        sh("mount", "-o", "remount,rw", str(disk.path))
        await until(lambda: not journal.stats().degraded and not journal.beside)
        assert len(await times(journal)) == len(unsent) + 600
        assert journal.stats().losses == {}
        await asyncio.sleep(WINDOW)
