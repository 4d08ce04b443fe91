"""Power cuts at any instant: the disk's power goes while a journal is busy, and the next start proves every promise."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.power.disk import Disk
from tests.power.evidence import Said, Verdict, Writer, judge


def cuts(disk: Disk, writer: Writer, tmp_path: Path, times: int, dice: random.Random) -> list[Verdict]:
    """Cut the power so often; the journal goes on from each cut to the next."""
    said, verdicts = Said(), []
    for _ in range(times):
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        pid = writer.begin(disk.path / "journal", mirror)
        lines = writer.lines_for(dice.uniform(0.0, 0.35))
        until = disk.cut()
        os.kill(pid, signal.SIGKILL)
        for line in (*lines, *writer.rest()):
            said.hear(line, until)
        shutil.rmtree(mirror)
        disk.unmount()
        disk.mount()
        verdicts.append(judge(disk.path / "journal", tmp_path, said))
        for seq in verdicts[-1].gone:
            del said.added[seq]
        said.safe = max(said.added, default=0) + 1  # what the start found is committed now
    assert len(said.added) > 20 * times, "the writer was hardly busy"
    assert said.slowest_open <= 5.0
    return verdicts


def test_power_cuts_lose_nothing_committed(disk: Disk, writer: Callable[..., Writer], tmp_path: Path) -> None:
    """Of twenty cuts none takes a committed reading, damages the file or leaves a loss without its row."""
    verdicts = cuts(disk, writer(), tmp_path, 20, random.Random(5))
    assert [verdict for verdict in verdicts if not verdict.ok] == []


@pytest.mark.slow
def test_two_hundred_power_cuts(disk: Disk, writer: Callable[..., Writer], tmp_path: Path) -> None:
    """The same, two hundred times on one journal."""
    verdicts = cuts(disk, writer(), tmp_path, 200, random.Random(time.time_ns()))
    assert [verdict for verdict in verdicts if not verdict.ok] == []


def test_the_cut_would_see_a_journal_that_does_not_sync(
    disk: Disk, writer: Callable[..., Writer], tmp_path: Path
) -> None:
    """With synchronous NORMAL, which is faster and commits to memory, five cuts already show lost readings."""
    verdicts = cuts(disk, writer(NABD_POWER_SYNCHRONOUS="NORMAL"), tmp_path, 5, random.Random(6))
    assert any(verdict.missing for verdict in verdicts)
