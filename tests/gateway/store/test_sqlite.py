"""What only the SQLite store does: conflicts, a view for others, and surviving kills, locks and full disks."""

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.store import database
from gateway.store.contract import Row, Stored, StoreError, TryAgain
from gateway.store.sqlite import SQLiteStore

T0 = 1795219200000
ROW = Row("t", "gw-1", "m", T0, 0x9F2C3A41B07D, 1000, 0, {"power_w": -12.5}, "electricity")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name the store's file."""
    return tmp_path / "series.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteStore]:
    """Give an open store."""
    opened = SQLiteStore(path)
    await opened.open()
    yield opened
    await opened.close()


async def test_the_first_reading_of_a_moment_stays(store: SQLiteStore) -> None:
    """Another reading for the same key changes nothing and is counted; the same one again is not."""
    await store.write([ROW])
    await store.write([ROW, replace(ROW, ts=T0 + 1, seq=1001)])
    assert store.conflicts == 0
    await store.write([replace(ROW, seq=5, v={"power_w": 9}), replace(ROW, stream=7), ROW])
    assert store.conflicts == 2
    assert await store.query("t", "m", T0, T0 + 1) == [ROW]


async def test_values_keep_their_type(store: SQLiteStore) -> None:
    """Integers, floats and decimal strings come back as they were."""
    v: dict[str, int | float | str] = {"a": 3, "b": 3.0, "c": "90071992547409931.5", "d": (1 << 63) - 1}
    await store.write([replace(ROW, v=v)])
    (row,) = await store.latest("t")
    assert [(name, type(value)) for name, value in row.v.items()] == [(name, type(value)) for name, value in v.items()]
    assert row.v == v


async def test_others_read_the_promised_columns(store: SQLiteStore, path: Path) -> None:
    """A page or a notebook may rely on the view `reading`."""
    await store.write([ROW])
    with sqlite3.connect(path) as other:
        found = other.execute("SELECT tenant, meter, ts, gw, stream, seq, q, v FROM reading").fetchall()
    other.close()
    assert found == [("t", "m", T0, "gw-1", 0x9F2C3A41B07D, 1000, 0, '{"power_w":-12.5}')]


async def test_latest_seeks_and_does_not_scan(store: SQLiteStore, path: Path) -> None:
    """The newest readings are found by the index, however long the history."""
    from gateway.store.sqlite import _LATEST

    with sqlite3.connect(path) as other:
        plan = " ".join(str(row[3]) for row in other.execute(f"EXPLAIN QUERY PLAN {_LATEST}", ("t",)))
    other.close()
    await store.close()
    assert "SCAN" not in plan


async def test_a_lock_is_tried_again(store: SQLiteStore, path: Path) -> None:
    """A backup that locks the file delays readings and loses none."""
    await store._database.read(lambda c: c.execute("PRAGMA busy_timeout = 1"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    verdict = await store.write([ROW])
    assert isinstance(verdict, TryAgain)
    assert "locked" in verdict.why
    assert not verdict.loud
    other.execute("ROLLBACK")
    other.close()
    assert await store.write([ROW]) == Stored()
    assert await store.latest("t") == [ROW]


async def test_a_full_disk_is_tried_again_aloud(store: SQLiteStore) -> None:
    """A full disk keeps what was there, takes nothing by halves, and says so."""
    await store.write([ROW])
    await store._database.read(lambda c: c.execute("PRAGMA max_page_count = 10"))
    rows = [replace(ROW, meter=f"m-{n}", v={"x": "1" * 40}) for n in range(2000)]
    verdict = await store.write(rows)
    assert isinstance(verdict, TryAgain)
    assert verdict.loud
    assert "free some space" in verdict.why
    assert await store.count() == 1
    await store._database.read(lambda c: c.execute("PRAGMA max_page_count = 100000"))
    assert await store.write(rows) == Stored()
    assert {row.meter for row in await store.latest("t")} == {"m", *(f"m-{n}" for n in range(2000))}


async def test_a_newer_schema_is_refused(store: SQLiteStore, path: Path) -> None:
    """An older Nabd leaves a newer one's file alone and says what to do."""
    await store.close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StoreError, match=r"schema 99.*newer Nabd"):
        await store.open()


@pytest.mark.parametrize("content", [b"this is no database, but a long enough text " * 99])
async def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    """Somebody else's file is never overwritten."""
    path.write_bytes(content)
    with pytest.raises(StoreError, match="point the path"):
        await SQLiteStore(path).open()
    assert path.read_bytes() == content


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """An impossible path is an error with a hint, not a traceback."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="writable"):
        await SQLiteStore(tmp_path / "file" / "series.db").open()


async def test_a_closed_store_says_so(path: Path) -> None:
    """Using a store that is not open is an error of ours, named."""
    with pytest.raises(StoreError, match="open it first"):
        await SQLiteStore(path).write([ROW])


async def test_an_older_schema_is_brought_forward(path: Path) -> None:
    """Steps run once each, in order, and the data stays."""
    first = [["CREATE TABLE a (x)", "INSERT INTO a VALUES (1)"]]
    old = database.Database(path, first)
    await old.open()
    await old.close()
    new = database.Database(path, [*first, ["ALTER TABLE a ADD COLUMN y", "UPDATE a SET y = x + 1"]])
    for _ in range(2):
        await new.open()
        assert await new.read(lambda c: c.execute("SELECT * FROM a").fetchall()) == [(1, 2)]
        await new.close()


async def test_a_mistake_of_ours_is_no_verdict(path: Path) -> None:
    """Only what the disk or another program does is tried again; a bug shows at once and leaves no transaction."""
    db = database.Database(path, [["CREATE TABLE a (x NOT NULL)"]])
    await db.open()
    with pytest.raises(sqlite3.IntegrityError):
        await db.write(lambda c: c.execute("INSERT INTO a VALUES (NULL)"))
    assert not isinstance(await db.write(lambda c: c.execute("INSERT INTO a VALUES (1)")), TryAgain)
    await db.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from gateway.store.contract import Row, Stored
from gateway.store.sqlite import SQLiteStore

async def main():
    store = SQLiteStore(Path(sys.argv[1]))
    await store.open()
    for batch in range(1000000):
        rows = [Row("t", "g", f"m-{n}", batch, 1, batch * 10 + n, 0, {"x": batch}) for n in range(10)]
        assert await store.write(rows) == Stored()
        print(batch, flush=True)

asyncio.run(main())
"""


async def test_kill_9_after_stored_keeps_everything(path: Path) -> None:
    """Whatever was answered Stored is there after SIGKILL, whole batches only."""
    for _ in range(3):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(path), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout
        answered = [int(await child.stdout.readline()) for _ in range(30)]
        child.kill()
        answered += [int(line) for line in (await child.stdout.read()).split(b"\n")[:-1]]
        await child.wait()
        last = answered[-1]
        store = SQLiteStore(path)
        await store.open()
        for n in range(10):
            assert [row.ts for row in await store.query("t", f"m-{n}", 0, last + 1)] == list(range(last + 1))
        assert await store.count() % 10 == 0
        await store.close()


async def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    """SQLite itself refuses at once all but one of those who turn a new file to write-ahead logging."""
    for n in range(20):
        stores = [SQLiteStore(tmp_path / f"{n}.db") for _ in range(8)]
        await asyncio.gather(*(store.open() for store in stores))
        for store in stores:
            await store.close()


async def test_a_file_that_stays_locked_is_not_waited_for_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQLite refuses on the spot is asked again only as long as it would have waited itself."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.1)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="database is locked \\(close the other program"):
            await SQLiteStore(path).open()


async def test_two_writers_take_turns(path: Path) -> None:
    """Two collectors may share the file, from its very first moment."""
    stores = [SQLiteStore(path) for _ in range(2)]
    await asyncio.gather(*(store.open() for store in stores))

    async def fill(store: SQLiteStore) -> None:
        for n in range(50):
            verdict = await store.write([replace(ROW, meter=f"m-{n}", ts=T0 + k, seq=k) for k in range(20)])
            assert verdict == Stored()

    await asyncio.gather(*map(fill, stores))
    assert await stores[0].count() == 1000
    assert [store.conflicts for store in stores] == [0, 0]
    for store in stores:
        await store.close()
