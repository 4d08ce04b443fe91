"""Power cuts at any instant: the disk's power goes while a journal is busy, and the next start proves every promise."""

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.message import Loss
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


def test_a_cut_takes_one_window_and_names_it_for_each_meter(
    disk: Disk, writer: Callable[..., Writer], tmp_path: Path
) -> None:
    """What is gone is younger than the window and the commit it waited for; a row a meter says since when."""
    window, dice, said = 1.0, random.Random(11), Said()
    busy = writer(NABD_POWER_WINDOW=str(window))
    for cut in range(1, 4):
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        pid = busy.begin(disk.path / "journal", mirror)
        lines = busy.lines_for(dice.uniform(1.2, 2.5))
        disk.cut()
        at = time.time_ns() // 1_000_000
        os.kill(pid, signal.SIGKILL)
        for line in (*lines, *busy.rest()):
            said.hear(line)
        shutil.rmtree(mirror)
        disk.unmount()
        disk.mount()
        verdict = judge(disk.path / "journal", tmp_path, said)
        assert verdict.ok
        assert verdict.gone, "a cut takes what was added this moment"
        before = [said.added[seq] for seq in verdict.gone if said.added[seq] <= at]
        assert at - min(before) <= (window + 0.5) * 1000
        with closing(sqlite3.connect(disk.path / "journal" / "journal.db")) as db:
            rows = [Loss.model_validate_json(row) for (row,) in db.execute("SELECT row FROM loss")]
        named = [row for row in rows if row.reason == "power_cut"][-3:]
        assert len(rows) == 3 * cut
        assert {row.meter for row in named} == {"m-0", "m-1", "m-2"}
        assert all(row.count is None and row.since is not None and row.since <= min(before) for row in named)
        for seq in verdict.gone:
            del said.added[seq]
        said.safe = max(said.added) + 1
