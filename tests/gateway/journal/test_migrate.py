"""Files of every earlier version become files of this one: all rows are kept, or nothing is changed."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import Unwritable
from gateway.journal.tables import VERSION
from gateway.message import decode_block

VERSIONS = sorted(Path(__file__).with_name("versions").glob("*.sql"))


def lay_down(bench: Any, dump: Path) -> None:
    """Make the journal's file from a dump."""
    bench.folder.mkdir()
    with closing(sqlite3.connect(bench.file, isolation_level=None)) as db:
        db.execute("PRAGMA page_size=1024")
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(dump.read_text(encoding="utf-8"))


def test_every_version_has_its_file() -> None:
    """A version that no dump stands for would be migrated by nobody."""
    assert [int(dump.stem) for dump in VERSIONS] == list(range(1, VERSION))


@pytest.mark.parametrize("dump", VERSIONS, ids=lambda path: f"version {path.stem}")
async def test_an_old_file_is_brought_forward(bench: Any, dump: Path) -> None:
    """Stream, numbers, blocks, held readings, ledger and marks are what they were, also at the start after."""
    lay_down(bench, dump)
    for _ in range(2):
        journal = await bench.open(mirror=None)
        assert journal.stream == "0123456789ab"
        assert tuple(journal.pending()) == (2, 3, 4)
        assert {seq: values["n"] for seq, values in (await bench.readings(journal)).items()} == {
            seq: seq for seq in range(2, 10)
        }
        assert decode_block(await journal.load(1) or b"").readings[0].seq == 1
        assert journal.stats().losses == {"bus_down": 3}
        assert (journal.stats().held, journal.next_seq) == (2, 12)
        await journal.close()
    with closing(sqlite3.connect(bench.file)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("dump", VERSIONS, ids=lambda path: f"version {path.stem}")
async def test_a_migration_that_is_interrupted_changes_nothing(bench: Any, dump: Path, monkeypatch: Any) -> None:
    """Whichever step fails, the file is of its old version still, and the next start brings it forward."""
    lay_down(bench, dump)
    before = dump_of(bench.file)

    def fail(*_: object) -> None:
        error = sqlite3.OperationalError("the disk went away")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error

    with monkeypatch.context() as broken:
        broken.setattr("gateway.journal.migrate.write_meta", fail)
        with pytest.raises(Unwritable, match="the disk went away"):
            await bench.open(mirror=None)
    assert dump_of(bench.file) == before
    journal = await bench.open(mirror=None)
    assert journal.stream == "0123456789ab"
    await journal.close()


def dump_of(file: Path) -> list[str]:
    """Give all of a file as SQL."""
    with closing(sqlite3.connect(file)) as db:
        return [*db.iterdump(), str(db.execute("PRAGMA user_version").fetchone())]
