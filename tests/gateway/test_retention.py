"""Old readings go: raw ones after 30 days, quarter-hours after two years; no file of the SQLite store has them then."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.retention import AGAIN, EVERY, RAW, Retention
from gateway.store.contract import Row, StoreError, TryAgain
from gateway.store.sqlite import SQLiteStore
from gateway.store.thinning import PIECE
from tests.support.virtual_time import run_virtually

NOW = 1_795_219_200_000 - 1_795_219_200_000 % 86_400_000
DAY = 86_400_000
QUARTER = 900_000


def row(ts: int, value: float | str = 1.0, meter: str = "m") -> Row:
    """Give a reading."""
    return Row("t", "gw", meter, ts, 7, ts, 0, {"energy_import_wh": value}, "electricity")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    """Give an open store."""
    opened = SQLiteStore(tmp_path / "series.db")
    await opened.open()
    yield opened
    await opened.close()


class Clock:
    """A clock that can be set, and one that cannot."""

    def __init__(self) -> None:
        self.wall, self.passed = NOW, 0.0

    def of(self, store: object, raw: float = RAW) -> Retention:
        """Make a retention by these clocks."""
        return Retention(store, raw, lambda: self.wall, lambda: "synced", lambda: self.passed)

    def go(self, days: float) -> None:
        """Let time pass."""
        self.wall += round(days * DAY)
        self.passed += days * 86_400


async def kept(store: SQLiteStore, meter: str = "m") -> list[int]:
    """Give the times of all readings of a meter."""
    return [found.ts for found in await store.query("t", meter, 0, NOW * 2)]


async def test_raw_becomes_quarter_hours_then_days(store: SQLiteStore) -> None:
    """The last 30 days stay raw, two years keep each quarter's first reading, what is older each day's first."""
    raw = range(NOW - 2 * QUARTER, NOW, 100_000)
    old = NOW - 40 * DAY
    ancient = NOW - 800 * DAY
    await store.write([row(ts) for ts in raw])
    await store.write([row(old + QUARTER * quarter + 60_000 * minute) for quarter in range(4) for minute in range(15)])
    await store.write([row(ancient + 3_600_000 * hour) for hour in range(48)])
    clock = Clock()
    retention = clock.of(store)
    await retention.look()
    assert await kept(store) == [
        ancient, ancient + DAY, *(old + QUARTER * quarter for quarter in range(4)), *raw,
    ]  # fmt: skip
    assert (retention.gone, retention.error) == (46 + 56, "")
    clock.go(31)
    await retention.look()
    assert (await kept(store))[-2:] == [NOW - 2 * QUARTER, NOW - QUARTER + (100_000 - QUARTER % 100_000) % 100_000]


@pytest.mark.parametrize("days", [1, 60, 3650])
async def test_its_owner_says_how_long_raw_ones_stay(store: SQLiteStore, days: int) -> None:
    """Shorter for privacy, longer for a study; what is wished longer than quarter-hours are kept stays raw as long."""
    mornings = [NOW - age * DAY for age in (3649, 729, 59, 2, 0)]
    await store.write([row(morning + 60_000 * minute) for morning in mornings for minute in range(10)])
    await Clock().of(store, days * 86_400.0).look()
    raw = sum(morning >= NOW - days * DAY for morning in mornings)
    assert len(await kept(store)) == 10 * raw + (len(mornings) - raw)


async def test_nothing_of_what_went_is_in_a_file(store: SQLiteStore, tmp_path: Path) -> None:
    """The mark of every reading that had to go is gone from database, log of changes and index, a day later at most."""
    old = NOW - 29 * DAY
    marks = [f"C4NARY{number:05d}" for number in range(3000)]
    for start in range(0, len(marks), 300):
        await store.write([row(old + number * 10_000, marks[number]) for number in range(start, start + 300)])
    await store.write([row(NOW - 1000, "FRESH")])
    clock = Clock()
    retention = clock.of(store)
    await retention.look()
    assert retention.gone == 0
    for _ in range(8):  # two days of looks
        clock.go(0.25)
        await retention.look()
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    stays = {marks[number] for number in range(0, len(marks), 90)}
    assert {mark for mark in marks if mark.encode() in data} == stays
    assert b"FRESH" in data
    assert (tmp_path / "series.db-wal").stat().st_size == 0


async def test_a_clock_set_ahead_makes_nothing_old(store: SQLiteStore) -> None:
    """A year ahead by mistake deletes nothing; only if it stays so for the whole time of keeping is it believed."""
    await store.write([row(NOW - 1000 * number) for number in range(1, 100)])
    clock = Clock()
    retention = clock.of(store)
    await retention.look()
    clock.wall += 365 * DAY
    await retention.look()
    clock.go(29)
    await retention.look()
    assert retention.gone == 0
    clock.go(2)
    await retention.look()
    assert retention.gone > 90


async def test_without_true_time_nothing_is_old(store: SQLiteStore) -> None:
    """While the clock is unsynced nobody can tell, and nothing goes."""
    await store.write([row(NOW - 40 * DAY + number) for number in range(9)])
    retention = Retention(store, RAW, lambda: NOW, lambda: "unsynced")
    await retention.look()
    assert len(await kept(store)) == 9


async def test_new_readings_go_in_between(store: SQLiteStore) -> None:
    """A large backlog of old readings is thinned in pieces, between which a new one is written at once."""
    for start in range(0, 3 * PIECE, PIECE):
        await store.write([row(NOW - 60 * DAY + number * 50) for number in range(start, start + PIECE)])
    retention = Clock().of(store)
    looking = asyncio.create_task(retention.look())
    for number in range(3):
        assert not isinstance(await store.write([row(NOW + number, meter="new")]), TryAgain)
    await looking
    assert len(await kept(store)) == 1
    assert len(await kept(store, "new")) == 3


async def test_a_reader_of_the_file_delays_only_forgetting(store: SQLiteStore, tmp_path: Path) -> None:
    """While another program reads an old state, its log stays; the next look empties it."""
    await store.write([row(NOW - 60 * DAY + number) for number in range(100)])
    other = sqlite3.connect(tmp_path / "series.db")
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM point").fetchone()
    retention = Clock().of(store)
    await retention.look()
    assert "somebody reads" in retention.error
    other.close()
    await retention.look()
    assert (retention.error, (tmp_path / "series.db-wal").stat().st_size) == ("", 0)


async def test_a_store_that_refuses_is_told() -> None:
    """What a store complains of is its error, and the task goes on; a store that cannot thin is left alone."""

    class Refusing:
        async def thin(self, before: int, step: int) -> int | TryAgain:
            raise StoreError(f"closed {before} {step}", "open it")

        async def forget(self) -> None:
            raise AssertionError

    retention = Clock().of(Refusing())
    await retention.look()
    assert "open it" in retention.error
    await Clock().of(object()).look()


def test_a_server_with_a_rule_of_its_own_is_asked_until_it_suits() -> None:
    """What an operator must type is the error: asked for again soon, gone once that was done, then asked for seldom."""
    asked, errors = [], []

    class Server:
        async def outlast(self, keep: float) -> str:
            asked.append(asyncio.get_running_loop().time())
            assert keep == 30 * 86_400
            return "" if len(asked) > 2 else "type this"

    async def story() -> None:
        retention = Retention(Server())
        running = asyncio.create_task(retention.run())
        for _ in range(4):
            await asyncio.sleep(AGAIN - 1)
            errors.append(retention.error)
        await asyncio.sleep(EVERY)
        running.cancel()

    run_virtually(story())
    assert errors == ["type this", "type this", "", ""]
    gaps = [round(after - before) for before, after in pairwise(asked)]
    assert gaps == [AGAIN, AGAIN, EVERY]


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 4 * QUARTER), max_size=60), st.sets(st.integers(0, 4 * QUARTER), max_size=20))
async def test_the_first_of_each_quarter_stays_whatever_comes_when(
    tmp_path_factory: pytest.TempPathFactory, first: set[int], late: set[int]
) -> None:
    """Exactly the smallest time of each quarter stays; readings that come late are thinned by the next look."""
    opened = SQLiteStore(tmp_path_factory.mktemp("store") / "series.db")
    await opened.open()
    old, retention = NOW - 50 * DAY, Clock().of(opened)
    await opened.write([row(old + ts) for ts in first])
    await retention.look()
    await opened.write([row(old + ts) for ts in late])
    await retention.look()
    every = sorted(first | late)
    wanted = sorted({ts // QUARTER: old + ts for ts in reversed(every)}.values())
    assert await kept(opened) == wanted
    await opened.close()
