"""A journal with its own task, in this very process, and what it holds."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from gateway.journal import Journal
from gateway.message import decode_block
from tests.power.disk import Disk

WINDOW = 0.05


@contextlib.asynccontextmanager
async def running(folder: Path, **options: object) -> AsyncIterator[Journal]:
    """Have a journal with its own task."""
    journal = await Journal.open(
        folder, gw="gw-1", window=WINDOW, wall=lambda: time.time_ns() // 1_000_000, clock_state=lambda: "synced",
        boot="boot-1", **{"mirror": None, **options},  # type: ignore[arg-type]
    )  # fmt: skip
    task = asyncio.create_task(journal.run())
    try:
        yield journal
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await journal.close()


def add(journal: Journal, count: int = 40) -> None:
    """Add readings that do not shrink much."""
    for _ in range(count):
        seq = journal.next_seq
        noise = int.from_bytes(os.urandom(60), "big")
        journal.add("m-1", time.time_ns() // 1_000_000, 0, 0, {"n": seq, "noise": str(noise)})


async def until(what: Callable[[], object], seconds: float = 30.0) -> float:
    """Wait until something is so; give the seconds it took."""
    started = time.monotonic()
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.02)
    return time.monotonic() - started


async def readings(journal: Journal) -> set[int]:
    """Give every pending reading's number."""
    payloads = [await journal.load(block) for block in tuple(journal.pending())]
    return {row.seq for data in payloads if data for row in decode_block(data).readings}


class Hog:
    """Another program that wants the whole disk."""

    def __init__(self, disk: Disk) -> None:
        """Begin with nothing."""
        self._path = disk.path / "hog"

    def fill(self) -> None:
        """Take every byte there is, to the last one."""
        with self._path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            for size in (1 << 16, 1 << 10, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))
            os.fsync(file.fileno())

    def leave(self) -> None:
        """Give it all back."""
        self._path.unlink()
