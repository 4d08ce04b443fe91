"""What a writer said before its power was cut, and what its journal holds afterwards: the two must agree."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from gateway.journal import Journal
from gateway.message import Loss, decode_block

WRITER = Path(__file__).with_name("writer.py")
ROOT = Path(__file__).parents[2]


@dataclass
class Said:
    """The claims of all writers of one journal so far; `evicted` are what its ledger named, which forgets in time."""

    added: dict[int, int] = field(default_factory=dict)
    safe: int = 0
    stored: set[int] = field(default_factory=set)
    evicted: set[int] = field(default_factory=set)
    slowest_open: float = 0.0

    def hear(self, line: str, until: float = float("inf")) -> None:
        """Take one line; claims told after `until` (monotonic) race the cut and count for nothing."""
        word, *rest = line.split()
        if word == "added":
            self.added[int(rest[0])] = int(rest[1])
        elif word == "safe" and float(rest[1]) < until:
            self.safe = max(self.safe, int(rest[0]))
        elif word == "stored":
            self.stored.update(map(int, rest))
        elif word == "open":
            self.slowest_open = max(self.slowest_open, float(rest[0]))

    @property
    def acked(self) -> set[int]:
        """Numbers of readings whose commit had returned."""
        return {seq for seq in self.added if seq < self.safe}


class Writer:
    """The program of writer.py, loaded once; each `begin` is a fresh child of it."""

    def __init__(self, **environment: str) -> None:
        """`environment` carries mutations."""
        self._popen = subprocess.Popen(
            [sys.executable, str(WRITER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )  # fmt: skip
        assert self._popen.stdin
        assert self._popen.stdout
        self._ask, self._answers = self._popen.stdin, self._popen.stdout

    def begin(self, *words: object) -> int:
        """Start a child and give its pid."""
        self._ask.write(" ".join(map(str, words)) + "\n")
        self._ask.flush()
        return int(self._answers.readline())

    def lines_for(self, seconds: float) -> list[str]:
        """Give what the child says for so long, or until it ends."""
        deadline, lines = time.monotonic() + seconds, []
        while time.monotonic() < deadline and (line := self._answers.readline()).strip():
            lines.append(line)
        return lines

    def rest(self) -> list[str]:
        """Give all that is left to hear of a child that is dead."""
        return list(iter(self._answers.readline, "\n"))

    def close(self) -> None:
        """End it."""
        self._popen.kill()
        self._popen.communicate()


@dataclass(frozen=True)
class Verdict:
    """What is wrong after a cut; all empty when nothing is. `gone` were added and never promised."""

    missing: list[int]
    altered: list[int]
    unnamed: list[int]
    integrity: str
    seconds: float
    gone: list[int]

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return not (self.missing or self.altered or self.unnamed) and self.integrity == "ok" and self.seconds <= 5.0


def judge(folder: Path, mirror: Path, said: Said) -> Verdict:
    """Open the journal as the next start does, and hold it against all that was said."""
    seconds = asyncio.run(_start(folder, mirror))
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        (integrity,) = db.execute("PRAGMA integrity_check").fetchone()
        payloads = [data for (data,) in db.execute("SELECT bytes FROM payload")]
        losses = [Loss.model_validate_json(row) for (row,) in db.execute("SELECT row FROM loss")]
    found: dict[int, object] = {}
    for payload in payloads:
        block = decode_block(payload)
        found.update({row.seq: row.v.get("n") for row in block.readings})
        found.update({row.seq: row.v.get("n") for row in block.untimed})
    kept = found.keys() | said.stored
    said.evicted |= _named(losses, said.added, "evicted")
    missing = said.acked - kept - said.evicted
    gone = {seq for seq in said.added if seq >= said.safe} - kept
    return Verdict(
        sorted(missing),
        [seq for seq, value in found.items() if value != seq],
        sorted(gone - said.evicted - _named(losses, gone, "power_cut")),
        integrity,
        seconds,
        sorted(gone),
    )


async def _start(folder: Path, mirror: Path) -> float:
    started = time.monotonic()
    journal = await Journal.open(
        folder, gw="gw-1", mirror=mirror, window=10, boot="boot-judge",
        wall=lambda: time.time_ns() // 1_000_000, clock_state=lambda: "synced",
    )  # fmt: skip
    seconds = time.monotonic() - started
    await journal.close()
    return seconds


def _named(losses: list[Loss], numbers: Iterable[int], *reasons: str) -> set[int]:
    """Give those of the numbers that rows of these reasons name; a row may name 65,536 and there are hundreds."""
    ordered, named = sorted(numbers), set[int]()
    for loss in losses:
        if loss.reason in reasons and loss.first is not None and loss.last is not None:
            named.update(ordered[bisect_left(ordered, loss.first) : bisect_right(ordered, loss.last)])
    return named
