"""Silent stops: nothing fails and nothing moves; and readers that stay too long."""

import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest

from gateway.journal import PATIENCE


class Clock:
    """A monotonic clock by hand, for the committer alone."""

    def __init__(self) -> None:
        """Begin now."""
        self.now = time.monotonic()

    def monotonic(self) -> float:
        """Give the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the committer this clock."""
    ours = Clock()
    monkeypatch.setattr("gateway.journal.commit.time", ours)
    return ours


def test_a_standstill_is_told_within_five_minutes() -> None:
    """Whoever asks once a minute has heard of it after five."""
    assert PATIENCE + 60 <= 300


async def test_a_store_that_confirms_nothing_is_told(bench: Any, clock: Clock) -> None:
    """Blocks wait, no error was raised, nothing is stored: after a few minutes that is a fault; one ack ends it."""
    journal = await bench.open()
    clock.now += 10 * PATIENCE
    assert journal.stats().standstill == "", "nothing to do is no standstill"
    for _ in range(3):
        bench.fill(journal, 1)
        await journal.flush()
    clock.now += PATIENCE - 1
    assert journal.stats().fault == ""
    clock.now += 2
    assert journal.fault == journal.stats().fault == journal.stats().standstill
    assert journal.fault == "the store confirmed nothing for 4 minutes"
    journal.stored(journal.pending()[0])
    assert journal.stats().fault == ""
    clock.now += PATIENCE + 1
    assert journal.stats().fault
    for block in tuple(journal.pending()):
        journal.stored(block)
    assert journal.stats().fault == ""
    await journal.close()


async def test_a_commit_that_never_ends_is_told(bench: Any, clock: Clock) -> None:
    """A closed window that nobody writes is a standstill, also while the store confirms older blocks."""
    journal = await bench.open()
    bench.fill(journal, 5)
    journal.shut()
    clock.now += PATIENCE + 1
    assert journal.stats().fault == "nothing was written to the disk for 4 minutes"
    await journal.flush()
    assert journal.stats().fault == ""
    await journal.close()


async def test_a_store_that_is_fed_seldom_has_more_patience(bench: Any, clock: Clock) -> None:
    """A home confirms once a quarter of an hour, and that is no standstill."""
    journal = await bench.open(patience=900 + PATIENCE)
    bench.fill(journal, 5)
    await journal.flush()
    clock.now += 900
    assert journal.stats().standstill == ""
    clock.now += PATIENCE + 1
    assert journal.stats().standstill
    await journal.close()


async def test_a_long_reader_s_log_is_given_back(bench: Any) -> None:
    """While somebody reads on and on the log grows, and shows it; afterwards it is small again within a few commits."""
    journal = await bench.open(mirror=None)
    await journal.share()
    with closing(sqlite3.connect(bench.file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM block").fetchone()
        while journal.stats().log_size <= 6_000_000:
            bench.now += 1000
            for _ in range(300):
                journal.add("m-1", bench.now, 0, 0, {f"v_{n}": hash((bench.now, n)) for n in range(100)})
            await journal.flush()
    for _ in range(4):
        bench.fill(journal, 1)
        await journal.flush()
    assert journal.stats().log_size <= 4_194_304
    assert journal.stats().losses == {}
    await journal.close()


async def test_the_file_is_ours_alone_until_somebody_asks(bench: Any) -> None:
    """No index of the log lies on the disk; one who asks may look, and once all have left the file is ours again."""
    index = bench.file.with_name("journal.db-shm")
    journal = await bench.open(mirror=None)
    bench.fill(journal, 1)
    await journal.flush()
    assert not index.exists()
    with closing(sqlite3.connect(bench.file, timeout=0)) as reader:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            reader.execute("SELECT * FROM meta")
        await journal.share()
        assert reader.execute("SELECT count(*) FROM block").fetchone() == (1,)
        for _ in range(20):
            bench.fill(journal, 1)
            await journal.flush()
        assert reader.execute("SELECT count(*) FROM block").fetchone() == (journal.next_block - 1,)
        assert index.exists()
    for _ in range(6):
        bench.fill(journal, 1)
        await journal.flush()
    assert not index.exists()
    assert len(await bench.readings(journal)) == 27
    await journal.close()


async def test_a_journal_starts_beside_a_reader(bench: Any) -> None:
    """Somebody who still has the file open from before does not keep a program from starting."""
    journal = await bench.open(mirror=None)
    bench.fill(journal, 1)
    await journal.close()
    with closing(sqlite3.connect(bench.file)) as reader:
        assert reader.execute("SELECT count(*) FROM block").fetchone() == (1,)
        journal = await bench.open(mirror=None)
        bench.fill(journal, 1)
        await journal.flush()
        assert reader.execute("SELECT count(*) FROM block").fetchone() == (2,)
        await journal.close()


async def test_a_flapping_broker_costs_no_commit(bench: Any) -> None:
    """However often blocks are asked for and confirmed in between, the disk hears of it with the next window only."""
    commits = []
    for flaps in (0, 600):
        journal = await bench.open(mirror=None)
        for _ in range(6):
            bench.fill(journal, 10)
            await journal.flush()
        before = journal.stats().written, bench.file.with_name("journal.db-wal").read_bytes()
        for _ in range(flaps):
            for block in tuple(journal.pending()):
                assert await journal.load(block)
            journal.stored(next(iter(journal.pending()), 0))
        assert (journal.stats().written, bench.file.with_name("journal.db-wal").read_bytes()) == before
        bench.fill(journal, 10)
        await journal.flush()
        commits.append(journal.stats().commits)
        await journal.close()
    assert commits[0] == commits[1]
