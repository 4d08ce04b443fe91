"""Torn writes: a recording of all that a busy journal's disk was told, cut at any record, with any sectors lost.

Ext4's own journal, SQLite's log and our blocks are all in it: each crash point mounts, opens and is held against what
the writer could prove by then.
"""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.power.crash_points import Recording, images
from tests.power.disk import Disk
from tests.power.evidence import Said, Verdict, judge


def crash(recording: Recording, count: int, tmp_path: Path, dice: random.Random) -> list[Verdict]:
    """Judge so many crash points."""
    torn = Disk(tmp_path / "torn.img", tmp_path / "torn")
    torn.path.mkdir(exist_ok=True)
    points = sorted(dice.sample(range(recording.begun, len(recording.log)), count))
    verdicts, said, heard, marks = [], Said(), 0, b""
    for point in images(recording.base, recording.log, points, torn.image, dice):
        marks += b"".join(data for kind, _, data in recording.log[heard:point] if kind == b"A")
        *lines, marks = marks.split(b"\n")  # the kernel cuts lines where pages end
        heard = point
        for line in lines:
            said.hear(line.decode())
        torn.mount()
        try:
            verdicts.append(judge(torn.path / "journal", tmp_path / "none", said))
        finally:
            torn.unmount()
    return verdicts


def test_sixty_crash_points_lose_nothing(record: Callable[..., Recording], tmp_path: Path) -> None:
    """Whatever sectors survive, each disk mounts, the journal opens whole, and nothing committed is missing."""
    verdicts = crash(record(1.0), 60, tmp_path, random.Random(8))
    assert [verdict for verdict in verdicts if not verdict.ok] == []


@pytest.mark.slow
def test_a_thousand_crash_points_lose_nothing(record: Callable[..., Recording], tmp_path: Path) -> None:
    """The same at a thousand points of a longer recording."""
    verdicts = crash(record(4.0), 1000, tmp_path, random.Random(time.time_ns()))
    assert [verdict for verdict in verdicts if not verdict.ok] == []


def test_the_recording_would_see_a_journal_that_does_not_sync(record: Callable[..., Recording], tmp_path: Path) -> None:
    """With synchronous NORMAL ten crash points already show lost readings."""
    verdicts = crash(record(0.5, NABD_POWER_SYNCHRONOUS="NORMAL"), 10, tmp_path, random.Random(9))
    assert any(verdict.missing for verdict in verdicts)
