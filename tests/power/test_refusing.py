"""Disks that turn read-only or fail to sync: readings wait in memory, nothing is stored that was not synced."""

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path

import pytest

from gateway.journal import Unwritable
from gateway.message import Loss
from tests.power.busy import WINDOW, add, readings, running, until
from tests.power.disk import Disk, sh
from tests.power.evidence import ROOT


def fails(faulty: Path, fault: str) -> None:
    """Let the disk fail so from now on."""
    (faulty / "fault").write_text(fault)


async def test_a_read_only_disk_is_waited_for(faulty: Path) -> None:
    """Told within ten seconds; what comes meanwhile stays in memory and is written once the disk is writable again."""
    async with running(faulty / "journal") as journal:
        add(journal)
        await until(journal.pending)
        fails(faulty, "read-only")
        add(journal)
        assert await until(lambda: journal.stats().degraded) <= 10
        for _ in range(20):
            add(journal, 30)
            await asyncio.sleep(WINDOW / 5)
        fails(faulty, "nothing")
        assert await until(lambda: not journal.stats().degraded) <= 30
        await journal.flush()
        assert await readings(journal) == set(range(1, journal.next_seq))
        assert journal.stats().losses == {}


async def test_ten_minutes_of_readings_fit_into_memory(faulty: Path) -> None:
    """A disk read-only for ten minutes at the reference load costs no reading."""
    async with running(faulty / "journal") as journal:
        add(journal)
        await until(journal.pending)
        fails(faulty, "read-only")
        values = {f"energy_import_{tariff}_wh": 123456.7 for tariff in range(42)}
        for second in range(600):
            journal.add("m-1", second * 1000, second, 0, values)
            if second % 10 == 9:
                journal.shut()
        with contextlib.suppress(Unwritable):
            await journal.flush()
        assert journal.stats().unwritten > 0
        fails(faulty, "nothing")
        await journal.flush()
        assert journal.stats().losses == {}
        assert await readings(journal) == set(range(1, journal.next_seq))


async def test_a_mended_disk_is_taken_up_without_a_restart(disk: Disk) -> None:
    """Ext4 turns itself read-only for good after an error; mounted anew, the journal goes on where it was."""
    disk.options = "errors=remount-ro"
    disk.unmount()
    disk.mount()
    async with running(disk.path / "journal") as journal:
        add(journal)
        await until(journal.pending)
        Path(f"/sys/fs/ext4/{Path(disk.device).name}/trigger_fs_error").write_text("x")
        add(journal)
        assert await until(lambda: journal.stats().degraded) <= 10
        sh("umount", "--lazy", str(disk.path))
        sh("losetup", "--detach", disk.device)  # it goes with its last user, else every run would leave one behind
        add(journal)
        await asyncio.sleep(2 * WINDOW)
        assert not (disk.path / "journal").exists(), "nothing may be written where the disk is missing"
        disk.mount()
        assert await until(lambda: not journal.stats().degraded) <= 30
        await journal.flush()
        assert await readings(journal) == set(range(1, journal.next_seq))
        assert journal.stats().losses == {}


@pytest.mark.parametrize("fault", ["sync", "once"])
async def test_a_failed_sync_is_no_commit(faulty: Path, fault: str) -> None:
    """Nothing is pending before a later sync worked; then each reading, and each ledger row, is there once."""
    async with running(faulty / "journal") as journal:
        add(journal)
        await journal.flush()
        before = tuple(journal.pending())
        fails(faulty, fault)
        add(journal)
        journal.lost(Loss.model_validate({"reason": "bus_down", "count": 3}))
        with pytest.raises(Unwritable, match="disk I/O error"):
            await journal.flush()
        assert tuple(journal.pending()) == before
        fails(faulty, "nothing")
        await journal.flush()
        await journal.flush()
        assert await readings(journal) == set(range(1, journal.next_seq))
        assert journal.stats().losses == {"bus_down": 3}
    with contextlib.closing(sqlite3.connect(faulty / "journal" / "journal.db")) as db:
        assert db.execute("SELECT count(*) FROM loss").fetchone() == (1,)
        assert db.execute("SELECT count FROM tally").fetchone() == (3,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_slow_disk_delays_nobody(faulty: Path) -> None:
    """With 200 ms a sync, readings are taken as fast as ever and the queue stays a few windows long."""
    async with running(faulty / "journal") as journal:
        fails(faulty, "slow")
        longest = 0.0
        for _ in range(60):
            started = time.monotonic()
            add(journal, 1)
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - started)
        assert longest < 0.2
        assert journal.stats().unwritten < 64 * 1024
        fails(faulty, "nothing")
        await journal.flush()
        assert await readings(journal) == set(range(1, journal.next_seq))


def test_the_product_knows_no_fault_of_ours() -> None:
    """What weakens the journal for these tests is named in the tests alone."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "gateway").rglob("*.py"))
    assert "NABD_POWER" not in sources
