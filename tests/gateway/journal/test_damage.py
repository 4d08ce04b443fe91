"""Damage: flipped bits are never data, a broken file never stops a start, a refusing disk loses nothing."""

import contextlib
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import Damaged, JournalError, Unwritable
from gateway.message import Loss, decode_block


async def filled(bench: Any, windows: int = 20) -> dict[int, bytes]:
    """Make a closed journal of many pending blocks; give their bytes."""
    journal = await bench.open()
    for _ in range(windows):
        bench.fill(journal, 30)
        await journal.flush()
    payloads = {block: await journal.load(block) for block in tuple(journal.pending())}
    await journal.close()
    return payloads


async def test_flipped_payload_bits_are_quarantined_and_counted(bench: Any, names: Any) -> None:
    """Of a hundred flipped bits none becomes data: the block is named in the ledger, all others are unharmed."""
    payloads = await filled(bench, 60)
    dice = random.Random(1)
    hit = set()
    with closing(sqlite3.connect(bench.file, isolation_level=None)) as db:
        for _ in range(100):
            block = dice.choice(sorted(payloads))
            (data,) = db.execute("SELECT bytes FROM payload WHERE block=?", (block,)).fetchone()
            broken = bytearray(data)
            broken[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            db.execute("UPDATE payload SET bytes=? WHERE block=?", (bytes(broken), block))
            hit.add(block)
    journal = await bench.open()
    got = {block: await journal.load(block) for block in tuple(journal.pending())}
    whole = {block: data for block, data in got.items() if data is not None}
    assert all(payloads[block] == data for block, data in whole.items())
    assert set(payloads) - set(whole) <= hit
    await journal.flush()
    missing = {row.seq for block in set(payloads) - set(whole) for row in decode_block(payloads[block]).readings}
    assert missing == names(bench.ledger(), "damaged")
    assert journal.stats().losses == {"damaged": len(missing)}
    assert not set(journal.pending()) & (set(payloads) - set(whole))
    await journal.close()


async def test_a_flipped_bit_anywhere_is_never_data(bench: Any, tmp_path: Path, make_bench: Any) -> None:
    """Sixty files with one bit flipped anywhere: each starts, and what it gives is what was put in."""
    payloads = await filled(bench, 6)
    truth = {point for data in payloads.values() for point in points(data)}
    whole = bench.file.read_bytes()
    dice = random.Random(2)
    for round_ in range(60):
        other = make_bench(tmp_path / f"copy-{round_}", boot="boot-1")
        other.root.mkdir()
        shutil.copytree(bench.folder, other.folder)
        data = bytearray(whole)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        other.file.write_bytes(data)
        journal = await other.open()
        for block in tuple(journal.pending()):
            assert points(await journal.load(block)) <= truth
        with contextlib.suppress(Damaged):
            await journal.flush()
        await journal.close()


def points(payload: bytes | None) -> set[tuple[str, int, Any]]:
    """Give what a block claims was measured."""
    rows = decode_block(payload).readings if payload is not None else []
    return {(row.meter, row.ts, row.v["power_w"]) for row in rows}


@pytest.mark.parametrize("harm", ["header", "half", "zero", "not_sqlite", "no_tables"])
async def test_a_damaged_file_is_set_aside(bench: Any, harm: str) -> None:
    """The journal starts with a new stream, keeps the damaged file, and says so in the ledger; twice at most."""
    streams = set()
    for _ in range(4):
        await filled(bench, 3)
        data = bench.file.read_bytes()
        bench.file.write_bytes(
            {
                "header": random.Random(3).randbytes(100) + data[100:],
                "half": data[: len(data) // 2],
                "zero": b"",
                "not_sqlite": b"hello " * 100,
                "no_tables": data,
            }[harm]
        )
        if harm == "no_tables":
            with closing(sqlite3.connect(bench.file, isolation_level=None)) as db:
                db.execute("DROP TABLE block")
        journal = await bench.open()
        streams.add(journal.stream)
        assert journal.stats().losses["journal_damaged"] == 1
        bench.fill(journal, 2)
        await journal.flush()
        await journal.close()
    assert len(streams) == 4
    kept = sorted(path.name for path in bench.folder.glob("*.corrupt-?"))
    assert kept == ["journal.db.corrupt-3", "journal.db.corrupt-4"]


async def test_the_open_window_survives_a_damaged_file(bench: Any) -> None:
    """What only the mirror holds is added to the new stream, under new numbers."""
    await filled(bench, 1)
    journal = await bench.open()
    old = journal.stream
    bench.fill(journal, 5)
    await bench.crash(journal)
    bench.file.write_bytes(b"")
    journal = await bench.open()
    assert journal.stream != old
    assert len([row for block in await bench.blocks(journal) for row in block.readings if row.seq]) >= 5
    await journal.close()


async def test_damage_found_while_running_heals_by_a_restart(bench: Any) -> None:
    """SQLite's own complaint ends in Damaged; the next start sets the file aside and keeps the open window."""
    await filled(bench, 3)
    journal = await bench.open()
    await journal._committer.do(journal._committer._database.close)
    data = bench.file.read_bytes()
    bench.file.write_bytes(data[:1024] + random.Random(4).randbytes(len(data) - 1024))
    seqs = bench.fill(journal, 5)
    with pytest.raises(Damaged):
        await journal.flush()
    await bench.crash(journal)
    journal = await bench.open()
    assert journal.stats().losses["journal_damaged"] == 1
    assert len(await bench.readings(journal)) == len(seqs)
    await journal.close()


async def test_what_a_damaged_file_still_holds_is_salvaged(bench: Any) -> None:
    """Unsent blocks with a right checksum go on under new numbers; stored and damaged ones do not."""
    payloads = await filled(bench, 20)
    rows = {block: decode_block(data).readings for block, data in payloads.items()}
    journal = await bench.open()
    stored, flipped = sorted(payloads)[:2]
    journal.stored(stored)
    await journal.close()
    with closing(sqlite3.connect(bench.file, isolation_level=None)) as db:
        db.execute("UPDATE payload SET bytes=zeroblob(100) WHERE block=?", (flipped,))
        db.execute("UPDATE meta SET next_seq='7'")
    journal = await bench.open()
    found = {(row.meter, row.ts, row.v["power_w"]) for b in await bench.blocks(journal) for row in b.readings}
    expected = [row for block, group in rows.items() if block not in (stored, flipped) for row in group]
    assert found == {(row.meter, row.ts, row.v["power_w"]) for row in expected}
    assert len(await bench.readings(journal)) == len(expected)
    await journal.close()


async def test_a_newer_file_is_refused_not_destroyed(bench: Any) -> None:
    """A file of a later version stays where it is, and the message says what to do."""
    await filled(bench, 1)
    with closing(sqlite3.connect(bench.file, isolation_level=None)) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(JournalError, match="newer"):
        await bench.open()
    assert bench.file.exists()


class Refusing:
    """A database whose commits fail as a full disk's do."""

    def __init__(self, journal: Any, *, times: int) -> None:
        self._inner, self._times = journal._committer._database, times
        journal._committer._database = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def commit(self, job: Any) -> Any:
        """Refuse the first few times."""
        if self._times:
            self._times -= 1
            self._inner.close()
            raise Unwritable("database or disk is full", "free space")
        return self._inner.commit(job)


async def test_a_failed_commit_is_never_stored_and_is_tried_again(bench: Any) -> None:
    """While the disk refuses nothing is pending and the reason is visible; then every reading is there once."""
    journal = await bench.open()
    Refusing(journal, times=3)
    seqs: list[int] = []
    for _ in range(3):
        seqs += bench.fill(journal, 5)
        with pytest.raises(Unwritable):
            await journal.flush()
        assert not journal.pending()
        assert "full" in journal.stats().degraded
        assert journal.stats().unwritten > 0
    seqs += bench.fill(journal, 5)
    await journal.flush()
    assert sorted(await bench.readings(journal)) == seqs
    assert (journal.stats().degraded, journal.stats().unwritten) == ("", 0)
    await journal.close()


async def test_what_the_disk_refuses_survives_a_kill_in_the_mirror(bench: Any) -> None:
    """Windows that wait for the disk keep their mirrors."""
    journal = await bench.open()
    Refusing(journal, times=100)
    seqs: list[int] = []
    for _ in range(3):
        seqs += bench.fill(journal, 5)
        with pytest.raises(Unwritable):
            await journal.flush()
    await bench.crash(journal)
    journal = await bench.open()
    assert sorted(await bench.readings(journal)) == seqs
    await journal.close()


async def test_memory_is_bounded_while_the_disk_refuses(bench: Any, names: Any, monkeypatch: Any) -> None:
    """Beyond the bound the oldest windows go, each reading named."""
    monkeypatch.setattr("gateway.journal.commit._MEMORY", 20_000)
    journal = await bench.open()
    refusing = Refusing(journal, times=10**6)
    seqs: list[int] = []
    for _ in range(40):
        seqs += bench.fill(journal, 30)
        with pytest.raises(Unwritable):
            await journal.flush()
        assert journal.stats().unwritten < 25_000
    refusing._times = 0
    await journal.flush()
    left, gone = set(await bench.readings(journal)), names(bench.ledger(), "unwritten")
    assert gone
    assert left | gone == set(seqs)
    assert not left & gone
    await journal.close()


async def test_a_real_disk_error_opens_the_file_anew(bench: Any) -> None:
    """After an error of SQLite the connection's state is unknown; a new one commits the same rows once."""
    journal = await bench.open()
    seqs = bench.fill(journal, 5)
    await journal.share()
    blocker = sqlite3.connect(bench.file, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unwritable, match="locked"):
        await journal.flush()
    blocker.execute("ROLLBACK")
    blocker.close()
    await journal.flush()
    assert sorted(await bench.readings(journal)) == seqs
    await journal.close()


async def test_ledger_rows_of_a_dropped_window_wait_again(bench: Any, monkeypatch: Any) -> None:
    """A loss whose block never reached the disk travels in a later one."""
    monkeypatch.setattr("gateway.journal.commit._MEMORY", 5_000)
    journal = await bench.open()
    refusing = Refusing(journal, times=10**6)
    journal.lost(Loss.model_validate({"reason": "bus_down", "count": 7}))
    for _ in range(4):
        bench.fill(journal, 60)
        with pytest.raises(Unwritable):
            await journal.flush()
    refusing._times = 0
    await journal.flush()
    await journal.flush()
    assert [
        loss.count for block in await bench.blocks(journal) for loss in block.losses if loss.reason == "bus_down"
    ] == [7]
    await journal.close()


async def test_every_commit_is_synchronous(bench: Any) -> None:
    """Also after an error: WAL with synchronous FULL, or a power cut would take acknowledged blocks along."""
    journal = await bench.open()
    database = journal._committer._database

    def ask() -> list[Any]:
        db = database._connection.db
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    for _ in range(2):
        assert await journal._committer.do(ask) == ["wal", 2]
        await journal._committer.do(database.close)
        bench.fill(journal, 1)
        await journal.flush()
    await journal.close()
