"""`nabd journal`, `nabd backup` and `nabd restore`: they look without touching, and what they copy comes back whole."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway import control
from gateway.cli import main
from gateway.journal import Journal
from gateway.message import decode_block

CONFIG = """[gateway]
id = "gw-1"
[journal]
folder = "journal"
[mqtt]
url = "mqtt://127.0.0.1:1"
"""
NOW = 1_795_219_200_000


@pytest.fixture
def nabd(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[str], str]]:
    """Give a callable that runs a command with an edge's configuration: its code, lines and complaints."""
    (tmp_path / "edge.toml").write_text(CONFIG)

    def run(*words: str) -> tuple[int, list[str], str]:
        capsys.readouterr()
        code = main([*words, "-c", str(tmp_path / "edge.toml")])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


async def journal_in(folder: Path) -> Journal:
    """Open a journal as the edge does."""
    return await Journal.open(
        folder, gw="gw-1", mirror=None, window=10, wall=lambda: NOW, clock_state=lambda: "synced", boot="boot-1"
    )


@contextlib.asynccontextmanager
async def answering(journal: Journal, folder: Path) -> AsyncIterator[None]:
    """Let others look into a journal when they ask, as a running program does."""

    async def share(_: object) -> dict[str, bool]:
        await journal.share()
        return {"done": True}

    async with control.listening(folder / "edge.sock", {"share": share}):
        yield


async def fill(journal: Journal) -> None:
    """Put three readings into it, one of them stored, one held, and a loss."""
    journal.add("m-1", NOW, 0, 0, {"n": 1})
    await journal.flush()
    journal.stored(1, [(1, "type_conflict")])
    journal.add("m-1", NOW + 1000, 0, 0, {"n": 2, "meter_text": "عدّاد"})
    journal.add("m-2", None, 55, 0, {"n": 3})
    await journal.flush()


async def test_a_running_journal_is_listed_and_exported(
    tmp_path: Path, nabd: Callable[..., tuple[int, list[str], str]]
) -> None:
    """Every block and every reading is told while the journal is open and goes on."""
    journal = await journal_in(tmp_path / "journal")
    await fill(journal)
    async with answering(journal, tmp_path / "journal"):
        code, lines, _ = await asyncio.to_thread(nabd, "journal", "ls")
        assert code == 0
        assert lines[0].startswith(f"stream {journal.stream}, next reading 4")
        assert lines[1:3] == ["blocks: 1 stored, 2 waiting", "lost: type_conflict 1"]
        assert [line.split()[:2] for line in lines[5:]] == [["1", "stored"], ["2", "waiting"], ["3", "waiting"]]
        code, lines, _ = await asyncio.to_thread(nabd, "journal", "ls", "--json")
        assert json.loads(lines[0])["blocks"] == {"stored": 1, "waiting": 2}
        code, lines, err = await asyncio.to_thread(nabd, "journal", "export")
        told = [json.loads(line) for line in lines]
        assert (code, err) == (0, "")
        assert [(row["seq"], row["v"]["n"], row["state"], row["block"]) for row in told] == [
            (1, 1, "stored", 1), (2, 2, "waiting", 3), (3, 3, "held", None),
        ]  # fmt: skip
        _, lines, _ = await asyncio.to_thread(nabd, "journal", "export", "--unsent")
        assert [json.loads(line)["seq"] for line in lines] == [2, 3]
    journal.add("m-1", NOW + 2000, 0, 0, {"n": 4})
    await journal.flush()
    await journal.close()


async def test_looking_changes_nothing(tmp_path: Path, nabd: Callable[..., tuple[int, list[str], str]]) -> None:
    """Of a journal that is closed every byte is the same after a look, and no file is left beside it."""
    journal = await journal_in(tmp_path / "journal")
    await fill(journal)
    await journal.close()
    before = {path.name: path.read_bytes() for path in (tmp_path / "journal").iterdir()}
    for words in (("ls",), ("export",)):
        assert nabd("journal", *words)[0] == 0
    after = {path.name: path.read_bytes() for path in (tmp_path / "journal").iterdir() if path.stat().st_size}
    assert {name: data for name, data in before.items() if data} == {
        name: data for name, data in after.items() if not name.endswith("-shm")
    }


async def test_damaged_blocks_are_left_out_and_told(
    tmp_path: Path, nabd: Callable[..., tuple[int, list[str], str]]
) -> None:
    """A block whose checksum fails is no data, here as everywhere."""
    journal = await journal_in(tmp_path / "journal")
    await fill(journal)
    await journal.close()
    with closing(sqlite3.connect(tmp_path / "journal" / "journal.db", isolation_level=None)) as db:
        db.execute("UPDATE payload SET bytes = x'7b7d' WHERE block = 3")
    code, lines, err = nabd("journal", "export")
    assert (code, err) == (1, "nabd: 1 blocks are damaged; their readings are left out\n")
    assert [json.loads(line)["seq"] for line in lines] == [1, 3]


async def test_a_running_journal_is_backed_up(tmp_path: Path, nabd: Callable[..., tuple[int, list[str], str]]) -> None:
    """The copy is whole, private, and never written over; the journal goes on."""
    journal = await journal_in(tmp_path / "journal")
    await fill(journal)
    async with answering(journal, tmp_path / "journal"):
        assert (await asyncio.to_thread(nabd, "backup", str(tmp_path / "copy")))[0] == 0
        assert (await asyncio.to_thread(nabd, "backup", str(tmp_path / "copy")))[0] == 2
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(tmp_path / "copy")) as db:
        assert db.execute("SELECT count(*) FROM payload").fetchone() == (3,)
    journal.add("m-1", NOW + 2000, 0, 0, {"n": 4})
    await journal.flush()
    await journal.close()


def test_a_restored_journal_is_a_new_stream(tmp_path: Path, nabd: Callable[..., tuple[int, list[str], str]]) -> None:
    """What was not sent is there once more, with what the engine knew; the old stream's numbers are used by nobody."""

    async def before() -> str:
        journal = await journal_in(tmp_path / "journal")
        await fill(journal)
        journal.keep({"m-1": b"remembered"})
        await journal.close()
        return journal.stream

    async def after() -> tuple[str, list[object], bytes]:
        journal = await journal_in(tmp_path / "journal")
        blocks = [decode_block(await journal.load(block) or b"") for block in tuple(journal.pending())]
        values: list[object] = [row.v["n"] for block in blocks for row in block.readings]
        values += [row.v["n"] for block in blocks for row in block.untimed]
        state = (await journal.states())["m-1"][1]
        await journal.close()
        return journal.stream, values, state

    old = asyncio.run(before())
    assert nabd("backup", str(tmp_path / "copy"))[0] == 0
    assert nabd("restore", str(tmp_path / "copy"))[0] == 2, "a journal that is there is not replaced"
    (tmp_path / "journal").rename(tmp_path / "dead-card")
    code, lines, err = nabd("restore", str(tmp_path / "copy"))
    assert (code, err) == (0, "")
    assert lines[0].endswith("a new stream with 2 readings that the copy had not sent")
    stream, values, state = asyncio.run(after())
    assert stream != old
    assert values == [2, 3]
    assert state == b"remembered"


@pytest.mark.parametrize("words", [("journal", "ls"), ("backup", "x"), ("restore", "x")])
def test_what_is_not_there_is_said(
    tmp_path: Path,
    nabd: Callable[..., tuple[int, list[str], str]],
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a journal, or a backup, each command says so and stops."""
    monkeypatch.chdir(tmp_path)
    code, _, err = nabd(*words)
    assert code == 2
    assert "there is no journal at" in err
