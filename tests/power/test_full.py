"""Full disks: another program takes all the space; the journal goes on, says so, and heals when there is space."""

import asyncio
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gateway.journal.ballast import NAME, SIZE
from tests.power.busy import WINDOW, Hog, add, readings, running, until
from tests.power.conftest import needs_disks
from tests.power.disk import Disk, made


@pytest.fixture
def small(tmp_path: Path) -> AbstractContextManager[Disk]:
    """Give a disk of 8 MB."""
    needs_disks()
    return made(tmp_path / "small.img", tmp_path / "small", 8)


async def test_a_full_disk_lets_stored_blocks_go_first(small: AbstractContextManager[Disk]) -> None:
    """The ballast gives space to purge stored blocks: commits go on while the disk is full, and no unsent one goes."""
    with small as disk:
        hog = Hog(disk)
        ballast = disk.path / "journal" / NAME
        async with running(disk.path / "journal") as journal:
            for _ in range(150):
                add(journal)
                await journal.flush()
                for block in tuple(journal.pending()):
                    journal.stored(block)
            await journal.flush()
            assert ballast.stat().st_size == SIZE
            hog.fill()
            first, told = journal.next_seq, set()
            for _ in range(300):  # as much as the stored blocks were, so it must take their place
                add(journal, 20)
                await journal.flush()
                told.add(journal.stats().degraded)
                hog.fill()
            assert await readings(journal) == set(range(first, journal.next_seq))
            assert journal.stats().losses == {}
            assert any(words.startswith("the disk is full") for words in told)
            assert ballast.stat().st_size < SIZE
            hog.leave()
            add(journal, 1)
            assert await until(lambda: not journal.stats().degraded and ballast.stat().st_size == SIZE) <= 30


async def test_readings_wait_in_memory_for_space(small: AbstractContextManager[Disk]) -> None:
    """When nothing may be purged the journal keeps what comes, says that it is degraded, and heals by itself."""
    with small as disk:
        hog = Hog(disk)
        async with running(disk.path / "journal") as journal:
            add(journal)
            await journal.flush()
            hog.fill()
            refused = 0.0
            while not refused:
                add(journal)
                hog.fill()
                refused = journal.stats().unwritten * bool(journal.stats().degraded)
                await asyncio.sleep(WINDOW)
            add(journal)
            hog.leave()
            assert await until(lambda: not journal.stats().degraded and not journal.stats().unwritten) <= 30
            assert await readings(journal) == set(range(1, journal.next_seq))
            assert journal.stats().losses == {}


async def test_a_journal_opens_on_a_full_disk(small: AbstractContextManager[Disk]) -> None:
    """There is nothing to read the meters without it, so it starts with the ballast's space."""
    with small as disk:
        hog = Hog(disk)
        async with running(disk.path / "journal") as journal:
            add(journal)
        hog.fill()
        async with running(disk.path / "journal") as journal:
            add(journal)
            await asyncio.sleep(2 * WINDOW)
            assert await readings(journal) >= set(range(1, 41))
        hog.leave()


@pytest.mark.slow
async def test_when_memory_fills_too_the_oldest_high_rate_blocks_go(
    small: AbstractContextManager[Disk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then unsent blocks are evicted by rank, each reading named, rather than what comes new."""
    monkeypatch.setattr("gateway.journal.commit._MEMORY", 60_000)
    with small as disk:
        hog = Hog(disk)
        async with running(disk.path / "journal") as journal:
            for _ in range(60):
                add(journal)
                await journal.flush()
            hog.fill()
            while not journal.stats().losses:
                add(journal)
                await asyncio.sleep(WINDOW / 4)
            hog.leave()
            await until(lambda: not journal.stats().unwritten)
            await journal.flush()
            assert set(journal.stats().losses) <= {"evicted", "unwritten"}
            left = await readings(journal)
            assert 1 in left, "the first reading of the quarter-hour is class 0"
            assert len(left) + sum(journal.stats().losses.values()) == journal.next_seq - 1
