"""The open window and what it becomes: at most two blocks to send and one chunk of readings held for their time.

The first reading of each quarter-hour and meter goes to class 0, the rest to class 1, so that a full disk can let the
high-rate readings go and keep the billing ones. Events and losses travel in class 0, which is evicted last.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.journal.ledger import Entry
from gateway.journal.runs import Run, runs_of
from gateway.message import ClockState, encode_block

QUARTER = 15 * 60 * 1000
BILLING, REST = 0, 1


@dataclass(slots=True)
class Rows:
    """Encoded rows and their sequence numbers; `size` is their JSON with commas."""

    rows: list[bytes] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    size: int = 0

    def add(self, seq: int, row: bytes) -> int:
        """Append one; give the size so far."""
        self.rows.append(row)
        self.seqs.append(seq)
        self.size += len(row) + 1
        return self.size


class Window:
    """Collects what happens until it is closed; `quarters` (meter to its last quarter-hour) outlives it."""

    def __init__(self, quarters: dict[str, int]) -> None:
        self._quarters = quarters
        self.readings = (Rows(), Rows())
        self.untimed = (Rows(), Rows())
        self.held = Rows()
        self.events: list[bytes] = []

    def add(self, seq: int, meter: str, at: int, row: bytes, *, timed: bool = True) -> int:
        """Put a reading into its class by `at` (ms); give the JSON size of the list it joined."""
        quarter = at // QUARTER
        cls = REST
        if self._quarters.get(meter) != quarter:
            self._quarters[meter] = quarter
            cls = BILLING
        return (self.readings if timed else self.untimed)[cls].add(seq, row)

    @property
    def empty(self) -> bool:
        """Whether nothing happened."""
        return not (self.events or self.held.rows or any(part.rows for part in (*self.readings, *self.untimed)))


def checksum(payload: bytes, number: int) -> int:
    """CRC-32 of the bytes, seeded with their number, so that bytes under a wrong number fail too."""
    return zlib.crc32(payload, number & 0xFFFFFFFF)


@dataclass(slots=True)
class Draft:
    """A closed block; `encode` makes its bytes once, in the database thread."""

    block: int
    cls: int
    closed: int
    clock: ClockState
    readings: Rows
    untimed: Rows
    events: Sequence[bytes] = ()
    losses: Sequence[Entry] = ()
    payload: bytes = b""

    @property
    def runs(self) -> list[Run]:
        """The sequence numbers in it."""
        return runs_of(sorted(self.readings.seqs + self.untimed.seqs))

    def encode(self, gw: str, stream: str) -> bytes:
        """Give the bytes of the block, the same ones every time."""
        if not self.payload:
            self.payload = encode_block(
                gw,
                stream,
                self.block,
                self.closed,
                self.clock,
                readings=self.readings.rows,
                untimed=self.untimed.rows,
                events=self.events,
                losses=[entry.loss for entry in self.losses],
            )
        return self.payload


@dataclass(slots=True)
class Closed:
    """A closed window on its way to the disk.

    `closed` is UTC ms, 0 while the clock was unsynced. Its commit makes `next_seq` and `next_block` durable. `drop` and
    `release` name chunks of held readings it takes over.
    """

    window: int
    closed: int
    drafts: list[Draft]
    held: Rows
    next_seq: int
    next_block: int
    mirror: Path | None = None
    drop: Sequence[int] = ()
    release: Sequence[int] = ()

    @property
    def size(self) -> int:
        """About how much memory it takes, in bytes of JSON."""
        return self.held.size + sum(
            draft.readings.size + draft.untimed.size + sum(map(len, draft.events)) for draft in self.drafts
        )

    @property
    def seqs(self) -> list[int]:
        """All sequence numbers in it."""
        numbers = list(self.held.seqs)
        for draft in self.drafts:
            numbers += draft.readings.seqs + draft.untimed.seqs
        return sorted(numbers)


def drafts_of(window: Window, first_block: int, closed: int, clock: ClockState, losses: Sequence[Entry]) -> list[Draft]:
    """Turn a window into blocks numbered from `first_block` on; losses and events join the class-0 block."""
    drafts: list[Draft] = []
    for cls in (BILLING, REST):
        events, entries = (window.events, losses) if cls == BILLING else ([], [])
        readings, untimed = window.readings[cls], window.untimed[cls]
        if readings.rows or untimed.rows or events or entries:
            block = first_block + len(drafts)
            drafts.append(Draft(block, cls, closed, clock, readings, untimed, events, entries))
    for entry in losses:
        entry.block = first_block
    return drafts
