"""Torn writes: a recording of all that a busy journal's disk was told, cut at any record, with any sectors lost.

Ext4's own journal, SQLite's log and our blocks are all in it: each crash point mounts, opens and is held against what
the writer could prove by then.
"""

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.power.crash_points import Recording, images
from tests.power.disk import Disk
from tests.power.evidence import Said, Verdict, judge

OLD = Path(__file__).parents[1] / "gateway" / "journal" / "versions" / "1.sql"


def crash(recording: Recording, count: int, tmp_path: Path, dice: random.Random) -> list[Verdict]:
    """Judge so many crash points."""
    return judged(recording, sorted(dice.sample(range(recording.begun, len(recording.log)), count)), tmp_path, dice)


def judged(
    recording: Recording, points: list[int], tmp_path: Path, dice: random.Random, said: Said | None = None
) -> list[Verdict]:
    """Judge these crash points."""
    torn = Disk(tmp_path / "torn.img", tmp_path / "torn")
    torn.path.mkdir(exist_ok=True)
    verdicts, said, heard, marks = list[Verdict](), said or Said(), 0, b""
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


def test_whoever_still_holds_a_disk_cannot_write_into_the_next(tmp_path: Path) -> None:
    """A mount lives on in each namespace copied meanwhile, and writes when it ends: into its own disk only."""
    base, torn = tmp_path / "base.img", tmp_path / "torn.img"
    base.write_bytes(bytes(4096))
    log = [(b"W", 0, b"1" * 512), (b"F", 0, b"")]
    points = images(base, log, [0, 2], torn, random.Random(1))
    next(points)
    with torn.open("r+b", buffering=0) as lingering:
        next(points)
        lingering.write(b"old" * 100)
    assert torn.read_bytes() == b"1" * 512 + bytes(4096 - 512)


def old_journal(disk: Path) -> None:
    """Lay a journal of the first version onto a disk."""
    (disk / "journal").mkdir()
    with closing(sqlite3.connect(disk / "journal" / "journal.db", isolation_level=None)) as db:
        db.execute("PRAGMA page_size=1024")
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(OLD.read_text(encoding="utf-8"))


def test_a_migration_is_whole_or_not_begun(record: Callable[..., Recording], tmp_path: Path) -> None:
    """Cut anywhere while an old file is brought forward, the next start finds every row of it."""
    migrate(record, tmp_path, 30)


@pytest.mark.slow
def test_a_migration_cut_at_a_hundred_points(record: Callable[..., Recording], tmp_path: Path) -> None:
    """The same at a hundred points."""
    migrate(record, tmp_path, 100)


def migrate(record: Callable[..., Recording], tmp_path: Path, least: int) -> None:
    """Cut the power at so many points of a migration, or a few more, and judge each."""
    recording = record(0.5, prepare=old_journal)
    end = next(index for index, (kind, _, data) in enumerate(recording.log) if kind == b"A" and data[:4] == b"open")
    dice, writes = random.Random(10), range(recording.begun, end + 1)
    verdicts = []
    for _ in range(least // len(writes) + 1):  # there are few records, so each is torn in several ways
        said = Said(added=dict.fromkeys(range(1, 10), 0), safe=10, stored={1})
        verdicts += judged(recording, list(writes), tmp_path, dice, said)
    assert len(verdicts) >= least
    assert [verdict for verdict in verdicts if not verdict.ok] == []
