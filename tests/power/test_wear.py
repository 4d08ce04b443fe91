"""Flash wears: what the journal writes, by the count of the disk itself."""

import asyncio
import os

from benchmarks import wear
from gateway.journal.stats import written_by_process
from tests.power.busy import add, running
from tests.power.conftest import needs_disks
from tests.power.disk import Disk

RECORDED = 120.5e6
"""Bytes a day of 10 s windows at the reference load on blocks of 4 KB, as this very half-hour last measured it."""


def test_a_day_costs_no_more_than_was_recorded() -> None:
    """Half an hour at the reference load, without pause, stays within 15 % of what was recorded, on any machine."""
    needs_disks()
    a_day, _ = asyncio.run(wear.day(10.0, 0.5))
    assert a_day < 1.15 * RECORDED


async def test_an_idle_journal_writes_nothing(disk: Disk) -> None:
    """Without readings there is no heartbeat on the disk: fewer than 5 MB a day would be left to the file system."""
    async with running(disk.path / "journal") as journal:
        add(journal, 1)
        await journal.flush()
        os.sync()
        before, own = disk.written(), written_by_process()
        await asyncio.sleep(2.0)
        os.sync()
        assert disk.written() - before <= 5e6 / 86400 * 2.0 + 64 * 1024
        assert written_by_process() == own


async def test_the_program_s_own_count_is_the_disk_s(disk: Disk) -> None:
    """What the program says that it wrote is within 30 % of what the disk took."""
    async with running(disk.path / "journal") as journal:
        for _ in range(30):
            add(journal)
            await journal.flush()
        os.sync()
        before, own = disk.written(), written_by_process()
        for _ in range(200):
            add(journal)
            await journal.flush()
        os.sync()
        ratio = (written_by_process() - own) / (disk.written() - before)
    assert 0.7 <= ratio <= 1.3
