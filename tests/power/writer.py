"""For each line on stdin, forks a process that keeps a journal busy until it is killed.

A line names the folders of journal and mirror, and perhaps a file for what the child has to say. The child says its
pid on stdout, then, there or into that file, a line each, what it can prove:

    begin                   it is about to open the journal
    open SECONDS            the journal was ready so long after the start
    added SEQ TS            `add` returned
    safe SEQ MONO           all readings below SEQ were committed, told at this monotonic time
    stored SEQ …            the store has these, so the journal may forget them
    end REASON              it could go on no longer (the disk was taken away)

Everything a journal does goes on: commits, stored marks, expiry, eviction, held readings repaired, checkpoints. Forked,
because starting Python anew for every cut would take longer than the test.

With NABD_POWER_WINDOW=SECONDS the journal keeps its own time as in a gateway, and nothing is said to be safe.

The mutation that calibrates the tests is NABD_POWER_SYNCHRONOUS, read here and nowhere in the product.
"""

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

from gateway.journal import Journal, JournalError, schema
from gateway.message import decode_block

QUOTA = 120_000
"""Small, so that eviction is soon part of every commit."""
WINDOW = os.environ.get("NABD_POWER_WINDOW", "")
NOISE = 12
"""Values of noise in a reading, so that blocks do not shrink to nothing."""


def mutate() -> None:
    """Open every connection with another `synchronous`, and checkpoint more often, so that more is caught doing it."""
    honest, synchronous = schema.connect, os.environ.get("NABD_POWER_SYNCHRONOUS", "")

    def connect(*arguments: object, **options: object) -> object:
        db = honest(*arguments, **options)  # type: ignore[arg-type]
        db.execute("PRAGMA wal_autocheckpoint=150")
        if synchronous:
            db.execute(f"PRAGMA synchronous={synchronous}")
        return db

    schema.connect = connect  # type: ignore[assignment]


def say(out: int, *words: object) -> None:
    """Say one line in one write."""
    os.write(out, (" ".join(map(str, words)) + "\n").encode())


class Busy:
    """Does to a journal, in random order, all that a gateway does."""

    def __init__(self, journal: Journal, boot: str, out: int) -> None:
        """`boot` is the journal's own, `out` takes what can be proved."""
        self.journal, self.boot, self.out = journal, boot, out
        self.dice = random.Random()

    async def live(self) -> None:
        """Add two hundred readings a second while the journal closes its own windows."""
        task = asyncio.create_task(self.journal.run())
        while not self.journal.stats().degraded:
            self.add()
            await asyncio.sleep(0.005)
        task.cancel()

    async def run(self) -> None:
        """Go on until the disk refuses."""
        while not self.journal.stats().degraded:
            for _ in range(self.dice.randrange(1, 40)):
                self.add()
            await self.journal.flush()
            say(self.out, "safe", self.journal.next_seq, time.monotonic())
            await self.consume()

    def add(self) -> None:
        """Add one reading whose values say its number; one in thirty has no time yet."""
        seq, now = self.journal.next_seq, time.time_ns() // 1_000_000
        values = {"n": seq} | {f"noise_{place}": self.dice.getrandbits(32) for place in range(NOISE)}
        at = None if self.dice.random() < 1 / 30 else now
        self.journal.add(f"m-{seq % 3}", at, now % 10**9, 0, values)
        say(self.out, "added", seq, now)

    async def consume(self) -> None:
        """Load some blocks, store most of them, give held readings their time."""
        for block in tuple(self.journal.pending())[:1]:
            payload = await self.journal.load(block)
            if payload is not None and self.dice.random() < 0.5:
                rows = decode_block(payload)
                say(self.out, "stored", *[row.seq for row in rows.readings], *[row.seq for row in rows.untimed])
                self.journal.stored(block)
        if self.dice.random() < 0.1:
            await self.journal.repair(self.boot, 0)
        if self.dice.random() < 0.05:
            self.journal.keep({"m-0": self.dice.randbytes(200)})


async def main(folder: Path, mirror: Path, told: Path | None = None) -> None:
    """Open the journal and keep it busy."""
    say(1, os.getpid())
    out = 1 if told is None else os.open(told, os.O_WRONLY)
    say(out, "begin")
    started, boot = time.monotonic(), f"boot-{os.getpid()}"
    try:
        journal = await Journal.open(
            folder, gw="gw-1", mirror=mirror, window=float(WINDOW or 10), quota=QUOTA, keep=1.0, boot=boot,
            wall=lambda: time.time_ns() // 1_000_000, clock_state=lambda: "synced",
            schedule={"m-0": 1.0, "m-1": 1.0, "m-2": 1.0},
        )  # fmt: skip
        say(out, "open", time.monotonic() - started)
        busy = Busy(journal, boot, out)
        await (busy.live() if WINDOW else busy.run())
        say(out, "end", journal.stats().degraded)
    except (JournalError, OSError) as error:
        say(out, "end", type(error).__name__, error)


mutate()
for line in sys.stdin:
    child = os.fork()
    if not child:
        paths = line.split()
        try:
            asyncio.run(main(*map(Path, paths)))
        finally:
            signal.pause()  # whoever took the disk away also kills
    os.waitpid(child, 0)
    os.write(1, b"\n")
