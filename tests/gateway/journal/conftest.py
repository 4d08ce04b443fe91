"""A bench for the journal: clocks by hand, and crashes that leave on the disk exactly what was there."""

import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import Journal
from gateway.journal.identity import NOTE
from gateway.message import Block, ClockState, Loss, decode_block

START = 1_795_219_200_000


@dataclass
class Bench:
    """Opens, crashes and reads journals in one folder."""

    root: Path
    now: int = START
    state: ClockState = "synced"
    boot: str = "boot-1"
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The journal's own folder."""
        return self.root / "journal"

    @property
    def mirror(self) -> Path:
        """Stands for the tmpfs."""
        return self.root / "run"

    @property
    def file(self) -> Path:
        """The database."""
        return self.folder / "journal.db"

    async def open(self, **changes: Any) -> Journal:
        """Open the journal with the bench's clocks."""
        self.mirror.mkdir(exist_ok=True)
        options = {"gw": "gw-1", "mirror": self.mirror, **self.options, **changes}
        return await Journal.open(
            self.folder, wall=lambda: self.now, clock_state=lambda: self.state, boot=self.boot, **options
        )

    async def crash(self, journal: Journal, *, power: bool = False) -> None:
        """End the journal as SIGKILL does, or as a power cut does: then the mirror is gone and the boot is another."""
        saved = self.root / "saved"
        shutil.copytree(self.folder, saved / "journal")
        shutil.copytree(self.mirror, saved / "run")
        await journal.close()
        for name in ("journal", "run"):
            shutil.rmtree(self.root / name)
            (saved / name).rename(self.root / name)
        saved.rmdir()
        (self.folder / NOTE).unlink()  # a crash leaves the file itself, not a copy as this does
        if power:
            shutil.rmtree(self.mirror)
            self.boot = f"boot-{int(self.boot.partition('-')[2]) + 1}"

    async def blocks(self, journal: Journal) -> list[Block]:
        """Load and decode everything that is pending."""
        payloads = [await journal.load(block) for block in tuple(journal.pending())]
        return [decode_block(payload) for payload in payloads if payload is not None]

    async def readings(self, journal: Journal) -> dict[int, Mapping[str, Any]]:
        """Give the values of every pending reading by seq; a seq found twice fails."""
        blocks = await self.blocks(journal)
        rows: list[tuple[int, Mapping[str, Any]]] = [(row.seq, row.v) for block in blocks for row in block.readings]
        rows += [(row.seq, row.v) for block in blocks for row in block.untimed]
        assert len(dict(rows)) == len(rows)
        return dict(rows)

    def ledger(self) -> list[Loss]:
        """Give every row of the ledger in the file, of a copy since the file itself is a journal's alone."""
        with tempfile.TemporaryDirectory(dir=self.root) as copy:
            for name in ("journal.db", "journal.db-wal"):
                if (self.folder / name).exists():
                    shutil.copy(self.folder / name, copy)
            with closing(sqlite3.connect(Path(copy) / "journal.db")) as db:
                rows = [row for (row,) in db.execute("SELECT row FROM loss ORDER BY id")]
        return [Loss.model_validate_json(row) for row in rows]

    def fill(self, journal: Journal, count: int, meter: str = "m-1", step: int = 1000) -> list[int]:
        """Add readings a second apart; the value of each is its number in the day."""
        seqs = []
        for _ in range(count):
            self.now += step
            seqs.append(journal.add(meter, self.now, self.now % 10**9, 0, {"power_w": self.now % 86_400_000 / 10}))
        return seqs


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Give a bench in a fresh folder."""
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def make_bench() -> type[Bench]:
    """Give the bench's class, for tests that need many."""
    return Bench


def named(losses: list[Loss], *reasons: str) -> set[int]:
    """Give every seq that rows of these reasons name."""
    return {
        seq
        for loss in losses
        if loss.reason in reasons and loss.first is not None and loss.last is not None
        for seq in range(loss.first, loss.last + 1)
    }


@pytest.fixture(scope="session")
def names() -> Any:
    """Give `named`."""
    return named
