"""What lies between the steps of a collector: a batch that gathers, what was written of it, the line to the acks."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.flatten import Flat
from gateway.hubdb import BlockRecord, DeadLetter
from gateway.transport import Message

PENDING_BLOCKS = 50_000
"""Blocks that may wait for a store to become durable: 30 s at 1,500 blocks/s, some tens of MB."""


@dataclass(slots=True)
class Batch:
    """Messages that gathered; `stored` are PUBACKs due once the series store has them, `buried` once both have."""

    flats: list[Flat] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    stored: list[Callable[[], None]] = field(default_factory=list)
    buried: list[Callable[[], None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Written:
    """A batch that the series store has, without its readings; `due` is the loop's time at which it is durable."""

    due: float
    records: list[BlockRecord]
    letters: list[DeadLetter]
    buried: list[Callable[[], None]]
    acks: list[Message]
    rejected: list[str]


class Line:
    """The line from intake to settle, bounded in blocks, and the acks that settle lets go, bounded by the window."""

    def __init__(self, window: int) -> None:
        self.acks: asyncio.Queue[Message] = asyncio.Queue(window)
        self._batches: asyncio.Queue[Written] = asyncio.Queue()
        self._blocks = 0
        self._moved = asyncio.Event()

    async def room(self) -> None:
        """Wait until the line is short enough."""
        while self._blocks >= PENDING_BLOCKS:
            self._moved.clear()
            await self._moved.wait()

    def put(self, batch: Written) -> None:
        """Have a batch wait for its end."""
        self._blocks += len(batch.records)
        self._batches.put_nowait(batch)

    async def next(self) -> Written:
        """Wait for the oldest batch."""
        return await self._batches.get()

    def done(self, batch: Written) -> None:
        """Give the batch's room back."""
        self._blocks -= len(batch.records)
        self._moved.set()


def share_out(rejected: Sequence[tuple[int, str]], flats: Sequence[Flat]) -> None:
    """Give each refused row (by its index in the batch) back to the block it came from."""
    if not rejected:
        return
    came_from = [(flat, row.seq) for flat in flats for row in flat.rows]
    for index, reason in rejected:
        flat, seq = came_from[index]
        flat.rejected.append((seq, reason))
