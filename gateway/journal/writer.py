"""The writing side of the journal: readings, events and losses become windows, and windows become blocks for the disk.

1. `add` gives a reading its number, encodes it once, mirrors it and puts it into the open window.
2. `shut` closes the window: its blocks get their numbers and go to the `Committer`, and the next window opens.
3. Whoever has a window of another time, such as a start or a repair, numbers it by `push`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.journal import encode
from gateway.journal.commit import Committer
from gateway.journal.job import States
from gateway.journal.ledger import Entry
from gateway.journal.mirror import EVENT, LOSS, READING, Mirror
from gateway.journal.window import Closed, Window, drafts_of
from gateway.message import BLOCK_LIMIT, ClockState, Loss


class Writer:
    """Numbers what comes and queues it for the disk; nothing here waits. `_due` says that a commit is due at once.

    `next_seq` and `next_block` are the next numbers, `number` the open window's; below `closed_seq` all is closed.
    """

    def __init__(
        self,
        committer: Committer,
        mirror: Mirror,
        *,
        stream: str,
        wall: Callable[[], int],
        clock_state: Callable[[], ClockState],
        boot: str,
    ) -> None:
        self._committer, self._mirror = committer, mirror
        self.stream, self._boot = stream, boot
        self._wall, self._clock_state = wall, clock_state
        self.next_seq, self.next_block, self.number = committer.durable
        self.closed_seq = self.next_seq
        self._quarters: dict[str, int] = {}
        self._window = Window(self._quarters)
        self._due = asyncio.Event()

    def add(
        self,
        meter: str,
        at: int | None,
        mono: int,
        q: int,
        values: Mapping[str, Any],
        extra: Mapping[str, Any] | None = None,
    ) -> int:
        """Take a reading and give its number; `at` is UTC ms, None while the clock is unsynced (then it is held)."""
        seq = self.next_seq
        self.next_seq = seq + 1
        if at is None:
            row = encode.reading(seq, {"boot": self._boot, "mono": mono}, meter, q, values, extra)
            self._committer.count_held(1)
            size = self._window.held.add(seq, row)
        else:
            row = encode.reading(seq, {"ts": at}, meter, q, values, extra)
            size = self._window.add(seq, meter, at, row)
        self._mirror.append(READING, row)
        if size >= BLOCK_LIMIT:
            self.shut()
            self._due.set()
        return seq

    def add_event(self, event: bytes) -> None:
        """Take an alert's JSON; it closes the window at once."""
        self._window.events.append(event)
        self._mirror.append(EVENT, event)
        self.shut()
        self._due.set()

    def keep(self, states: Mapping[str, bytes], *, all: bool = False) -> None:  # noqa: A002  of all meters
        """Close the window and write down with it what the engine remembers of meters after all that was added so far.

        With `all` the states of meters not named are deleted. Blocks newer than the oldest state are never evicted.
        """
        self.shut()
        self._committer.keep(States(self.next_block - 1, all, states))
        self._due.set()

    def lost(self, loss: Loss) -> None:
        """Write a loss into the ledger; it travels in the next block."""
        self._committer.ledger.add(loss, self.number)
        self._mirror.append(LOSS, loss.model_dump_json(by_alias=True).encode())

    def count_held(self, number: int) -> None:
        """Count readings without a time that a start found."""
        self._committer.count_held(number)

    def begin(self) -> None:
        """Open the mirror of the first window."""
        self._mirror.begin(self.number)

    def shut(self) -> None:
        """Close the open window, if anything is in it, and open the next."""
        if self._window.empty and not self._committer.ledger:
            return
        window, self._window = self._window, Window(self._quarters)
        self.number += 1
        self.closed_seq = self.next_seq
        self.push(window, mirror=self._mirror.begin(self.number), losses=self._committer.ledger.take())

    def push(
        self,
        window: Window,
        *,
        number: int | None = None,
        mirror: Path | None = None,
        losses: Sequence[Entry] = (),
        drop: Sequence[int] = (),
        release: Sequence[int] = (),
    ) -> None:
        """Number a window's blocks and queue it for the disk; its own number is the one before the open window's.

        Its commit makes all numbers below `closed_seq` durable, none of the window that is still open.
        """
        closed, clock = self._wall(), self._clock_state()
        drafts = drafts_of(window, self.next_block, closed, clock, losses)
        self.next_block += len(drafts)
        number = self.number - 1 if number is None else number
        known = 0 if clock == "unsynced" else closed
        self._committer.push(
            Closed(number, known, drafts, window.held, self.closed_seq, self.next_block, mirror, drop, release)
        )
