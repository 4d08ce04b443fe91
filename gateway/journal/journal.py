"""The journal: takes readings, closes windows, commits blocks, and lets them go when the store has them.

1. What is added goes into the open window; it closes at its time, at an alert or at 64 KB (`writer.py`).
2. `run` commits closed windows: one transaction, one fsync (`commit.py`). Only then are blocks pending, and only then
   does their mirror go.
3. `load` and `stored` are the consumers' side; marks of stored blocks ride with the next commit.
4. Readings without a time are held, and sent once it is known (`emptying.py`).

All methods belong to the event loop.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.journal.beside import Beside
from gateway.journal.commit import PATIENCE, Committer
from gateway.journal.emptying import RowsOf, empty
from gateway.journal.errors import JournalError, Unwritable
from gateway.journal.held import timed, untimed
from gateway.journal.mirror import Mirror
from gateway.journal.replay import replay
from gateway.journal.stats import JournalStats
from gateway.journal.writer import Writer
from gateway.message import ClockState

_RETRY = 10.0
"""Seconds between two tries at a disk that refuses, however long a window is."""
_BREATH = 0.1
"""Seconds between two pieces of a journal that is taken in: nothing waits for that."""
_REPLAYED = 4096
"""States are written every quarter of an hour: 900 windows of a second, two blocks each, and as many for alerts."""


@dataclass(frozen=True, slots=True)
class Away:
    """Why a journal in memory stands in for the one on disk, how that is opened, and how its own readings get there."""

    why: str
    reopen: Callable[[], Awaitable["Journal"]]
    beside: Beside


class Journal(Writer):
    """One gateway's journal; `Journal.open` makes it, `run` is a task of its owner, `close` lets the folder go."""

    def __init__(
        self,
        committer: Committer,
        mirror: Mirror,
        lock: int,
        *,
        stream: str,
        window: float,
        wall: Callable[[], int],
        clock_state: Callable[[], ClockState],
        boot: str,
    ) -> None:
        super().__init__(committer, mirror, stream=stream, wall=wall, clock_state=clock_state, boot=boot)
        self._lock, self._length = lock, window
        self._emptying = asyncio.Lock()
        self._releasing = False
        self._seen = 0
        self.away: Away | None = None
        self.beside: list[Beside] = []

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        gw: str,
        mirror: Path | None,
        window: float = 10.0,
        quota: int | None = None,
        keep: float = 7 * 86400,
        wall: Callable[[], int],
        clock_state: Callable[[], ClockState],
        boot: str,
        schedule: Mapping[str, float] | None = None,
        patience: float = PATIENCE,
    ) -> "Journal":
        """Open or make the journal in `folder`; raises JournalError (InUse for a second instance, within 2 s).

        While the disk refuses, and there is a folder in memory for the `mirror`, a journal there stands in.
        `wall` gives UTC ms, `boot` names this start of the board, `schedule` says how many seconds lie between readings
        of each meter, for the ledger row after a power cut, `patience` how many the store may confirm nothing before
        that is a standstill.
        """
        from gateway.journal.stand_in import open_with_stand_in  # noqa: PLC0415  it builds this class
        from gateway.journal.start import open_journal  # noqa: PLC0415

        return await open_with_stand_in(
            open_journal, folder, gw=gw, mirror=mirror, window=window, quota=quota, keep=keep, wall=wall,
            clock_state=clock_state, boot=boot, schedule=schedule or {}, patience=patience,
        )  # fmt: skip

    # -- the writing side, beside what a `Writer` does

    async def run(self) -> None:
        """Close the window whenever it is time, for ever; raises Damaged only."""
        while True:
            await self._pause()
            self._due.clear()
            self.shut()
            with contextlib.suppress(Unwritable):  # in `stats`, and tried again with the next window
                await self._committer.commit()
                await self._take_in()
            if self.away is not None:
                await self._come_home()
            if self._releasing and self._committer.held:
                await self.release()

    def bring(self, records: list[tuple[int, bytes]]) -> None:
        """Take in what another stream's block held, as records of a mirror, under new numbers."""
        replay(self, self._committer.ledger, records, self._boot, number=self.number - 1, renumber=True)

    async def _pause(self) -> None:
        """Wait for the end of the window, or a little while something has to be tried again or taken in."""
        degraded, length = self.away or self._committer.degraded, self._length
        longest = min(length, _RETRY) if degraded else min(length, _BREATH) if self.beside else length
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await self._due.wait()

    async def _take_in(self) -> None:
        """Commit the next blocks of a journal beside this one; raises Unwritable, then it is still there."""
        if self.beside and not self.away:
            found = await self._committer.do(self.beside[0].next)
            for records in found:
                self.bring(records)
            await self._committer.commit()
            if not found:
                self.beside.pop(0).remove()

    async def _come_home(self) -> None:
        from gateway.journal.stand_in import come_home  # noqa: PLC0415  it knows this class

        await come_home(self)

    async def become(self, other: "Journal") -> None:
        """Go on as `other`, just opened; that is this one from then on, to be closed. Stream and numbers change."""
        async with self._emptying:  # whoever repairs holds chunks of one file
            emptying, releasing, before = self._emptying, self._releasing, self._committer
            self.__dict__, other.__dict__ = other.__dict__, self.__dict__
            self._emptying, self._releasing = emptying, releasing
            self._committer.wake(before)

    async def flush(self) -> None:
        """Close the window now and return when it is committed; raises Unwritable, Damaged."""
        self.shut()
        await self._committer.commit(marks=True)

    async def close(self) -> None:
        """Commit what there is and let the folder go; what the disk refused stays in the mirror for the next start."""
        try:
            self.shut()
            with contextlib.suppress(JournalError):
                await self._committer.commit(marks=True, clean=True)
        finally:
            (self._mirror.end if self._committer.closing else self._mirror.remove)()
            await self._committer.close()
            os.close(self._lock)

    # -- the consumers' side

    def pending(self) -> Sequence[int]:
        """Numbers of the blocks to send, ascending; a live view, so copy it before changing the journal in a loop."""
        return self._committer.pending.blocks

    async def wait(self) -> None:
        """Return when a block became pending since the last return (at once when that was before); one consumer."""
        self._seen = await self.news(self._seen)

    async def news(self, seen: int) -> int:
        """Wait like `wait`, for any number of consumers: give each what it returned last, 0 at first."""
        return await self._committer.newer(seen)

    async def holding(self, first: int, last: int) -> Sequence[int]:
        """Give the blocks still kept, though stored, that hold any of the seqs first … last; raises Unwritable."""
        return await self._committer.holding(first, last)

    async def load(self, block: int) -> bytes | None:
        """Give a block's bytes, checked; None when evicted, damaged (the ledger names it), or the disk fails."""
        return await self._committer.load(block)

    def stored(self, block: int, rejected: Iterable[tuple[int, str]] = ()) -> bool:
        """Free a block the store has; rejected readings (seq, reason) become ledger rows. False when unknown.

        The mark is written with the next commit; losing it in a crash only means that the block is sent again.
        """
        return self._committer.stored(block, rejected)

    @property
    def fault(self) -> str:
        """What is wrong now, "" when all is well; asks no file, so it may be looked at every second."""
        return (self.away.why if self.away else self._committer.degraded) or self._committer.standstill()

    @property
    def held(self) -> int:
        """Readings without a time that a repair would give one."""
        return self._committer.unrepaired

    def stats(self) -> JournalStats:
        """Say how it is going; reads two small files, so ask every few seconds, not every reading."""
        committer = self._committer
        file_size, log_size = committer.sizes()
        return JournalStats(
            next_seq=self.next_seq,
            next_block=self.next_block,
            pending=len(committer.pending),
            pending_bytes=committer.pending.bytes,
            oldest=committer.pending.oldest,
            stored=committer.stored_count,
            losses=dict(committer.ledger.counts),
            held=self._committer.unrepaired,
            commits=committer.commits,
            written=committer.written(),
            file_size=file_size,
            log_size=log_size,
            unwritten=committer.waiting_bytes,
            mirror_broken=self._mirror.broken,
            degraded=self.away.why if self.away else committer.degraded,
            standstill=committer.standstill(),
        )

    async def share(self) -> None:
        """Let another process look into the file from now on, for a few commits or until it is done; raises Unwritable.

        Otherwise the file is for this one alone, which spares the flash.
        """
        await self._committer.share()

    # -- for the alert engine, which goes on where it was

    async def states(self) -> Mapping[str, tuple[int, bytes]]:
        """Give what `keep` wrote down of each meter, and the newest block that it knows."""
        return await self._committer.states()

    async def after(self, block: int) -> AsyncIterator[tuple[int, bytes]]:
        """Give the blocks above this one, stored or not, ascending: the newest few thousand."""
        while found := await self._committer.after(block, _REPLAYED):
            for number, payload in found:
                yield number, payload
            block = found[-1][0]

    # -- readings without a time

    async def repair(self, boot: str, offset_ms: int) -> int:
        """Give the held readings of this `boot` their time, ts = mono + offset, as new blocks with the same numbers.

        Says how many; costs nothing when there are none. While the disk refuses, what is left waits for the next call.
        """
        if boot != self._boot or not self._committer.unrepaired:
            return 0
        self._releasing = False
        return await self._empty(boot, lambda lines: timed(lines, offset_ms), give_time=True)

    async def release(self) -> int:
        """Send held readings, and all that follow until a repair, as `untimed`; says how many went now.

        They are kept and sent once more, with their time, when `repair` is called.
        """
        self._releasing = True
        return await self._empty(self._boot, untimed, give_time=False) if self._committer.held else 0

    async def end_boot(self, boot: str) -> int:
        """Send the held readings of an earlier boot as `untimed` for good: no anchor will come for them."""
        return await self._empty(boot, untimed, give_time=False)

    async def _empty(self, boot: str, rows_of: RowsOf, *, give_time: bool) -> int:
        final = give_time or boot != self._boot
        async with self._emptying:  # two at once would take the same chunk twice
            return await empty(self, self._committer, boot, rows_of, give_time=give_time, final=final)
