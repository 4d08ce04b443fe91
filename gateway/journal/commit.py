"""From closed windows to durable blocks: the queue before the disk, the commit, and what follows from it in memory.

1. `push` queues a closed window. `commit` hands the queue to the database thread, a few windows a transaction.
2. Only when that returned are blocks pending, is their mirror removed, are marks and ledger rows forgotten here.
3. A commit that fails leaves everything queued, up to a bound; what is dropped beyond it is named in the ledger. The
   same commit is tried again first, since it may be on disk.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gateway.journal.cache import Cache
from gateway.journal.database import Database
from gateway.journal.errors import JournalError, Unwritable
from gateway.journal.job import Chunk, Done, Job, States
from gateway.journal.ledger import Ledger, loss_row, losses_of
from gateway.journal.pending import Pending
from gateway.journal.runs import from_text, runs_of
from gateway.journal.stats import written_by
from gateway.journal.window import Closed

T = TypeVar("T")

_MEMORY = 64 * 1024 * 1024
"""JSON of closed windows kept while the disk refuses: hours at the reference load, and what a small board can spare."""
_AT_ONCE = 32
"""Windows in one transaction: at most 4 MB of JSON, so that the log stays small while a full disk is caught up."""
_EXPIRE_EVERY = 64
PATIENCE = 240.0
"""Seconds without progress that are told; whoever looks once a minute has heard of it within five."""
_MARKS_AFTER = 60.0
"""Seconds after which marks are written although no reading comes to carry them."""


class Committer:
    """Owns the database thread and everything that waits for it; `expire_before` gives UTC ms or None."""

    def __init__(
        self, database: Database, thread: ThreadPoolExecutor, boot: str, expire_before: Callable[[], int | None]
    ) -> None:
        self._database, self._thread, self._boot, self._expire_before = database, thread, boot, expire_before
        self._tid = thread.submit(threading.get_native_id).result()
        meta = database.meta
        self.durable = (meta.next_seq, meta.next_block, meta.window)
        self.closing: list[Closed] = []
        self.waiting_bytes = 0
        self.pending, self.ledger, self._cache = Pending(), Ledger(), Cache()
        self._marks: list[int] = []
        self._damaged: list[int] = []
        self._states: list[States] = []
        self._refused: Job | None = None
        self._lock = asyncio.Lock()
        self._last = self._pushed = self._confirmed = time.monotonic()
        self.news = 0
        self._waiters: list[asyncio.Future[None]] = []
        self.degraded = ""
        self.stored_count = self.commits = 0
        self.held = self.unrepaired = 0
        self.patience = PATIENCE

    async def do(self, work: Callable[..., T], *args: object) -> T:
        """Run `work` in the database thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def push(self, closed: Closed) -> None:
        """Queue a closed window."""
        if not self.closing:
            self._pushed = time.monotonic()
        self.closing.append(closed)
        self.waiting_bytes += closed.size

    def keep(self, states: States) -> None:
        """Queue the engine's state, for the commit of the newest block it knows or the next one."""
        if states.all:
            self._states.clear()  # older ones say nothing more, so a disk that refuses piles up little
        self._states.append(states)

    async def commit(self, *, marks: bool = False, always: bool = False, clean: bool = False) -> None:
        """Commit until nothing closed is left; a caller that is cancelled does not tear a commit in two.

        `marks` writes stored marks even when no block carries them, `always` the numbers too, `clean` says that the
        journal is being closed. Raises Unwritable, Damaged.
        """
        await asyncio.shield(asyncio.ensure_future(self._commit_all(marks=marks, always=always, clean=clean)))

    async def _commit_all(self, *, marks: bool, always: bool, clean: bool) -> None:
        async with self._lock:
            while self._refused or self.closing:
                await self._try(self._refused or self._job(self.closing[:_AT_ONCE], clean=False))
            wanted = marks or time.monotonic() - self._last > _MARKS_AFTER
            if clean or always or self._states or (wanted and (self._marks or self._damaged)):
                await self._try(self._job([], clean=clean))

    def _job(self, windows: list[Closed], *, clean: bool) -> Job:
        """Gather what the next commit shall write."""
        durable = self.durable
        for window in windows[-1:]:
            seq, block, number = durable
            durable = max(seq, window.next_seq), max(block, window.next_block), max(number, window.window)
        expire = self._expire_before() if self.commits % _EXPIRE_EVERY == 0 else None
        states = [states for states in self._states if states.block < durable[1]]
        return Job(
            windows, list(self._marks), list(self._damaged), self.ledger.unsaved(durable[2]), *durable, self._boot,
            clean, expire, states,
        )  # fmt: skip

    async def _try(self, job: Job) -> None:
        self._refused, job.pressed = job, self.waiting_bytes > _MEMORY // 2
        try:
            done = await self.do(self._database.commit, job)
        except JournalError as error:
            self.degraded = str(error)
            self._bound(len(job.windows))
            raise
        self._refused = None
        self.durable = job.next_seq, job.next_block, job.window
        self._settle(job, done)

    def _settle(self, job: Job, done: Done) -> None:
        """Let the memory follow what is on disk now."""
        self.degraded = done.short
        self.commits += 1
        self._last = self._pushed = time.monotonic()
        if not self.pending:
            self._confirmed = self._last
        del self.closing[: len(job.windows)]
        del self._marks[: len(job.stored)]
        del self._damaged[: len(job.damaged)]
        self._states = [states for states in self._states if states not in job.states]
        self.ledger.saved(job.ledger, done.ids)
        for window in job.windows:
            self.waiting_bytes -= window.size
            _remove_mirror(window)
            for draft in window.drafts:
                self.pending.add(draft.block, len(draft.payload), draft.closed)
                self._cache.put(draft.block, draft.payload)
        for block in done.gone:
            self.pending.remove(block)
            self._cache.drop(block)
        for released, number in done.held:
            self.count_held(-number, released=released)
        self.ledger.evicted(done.evicted, done.waiting)
        if any(window.drafts for window in job.windows):
            self.announce()

    def _bound(self, tried: int) -> None:
        """Drop the oldest windows beyond the bound, but for those `tried`, which may be on disk.

        Those made of held chunks are still in the file.
        """
        while self.waiting_bytes > _MEMORY and len(self.closing) > tried + 1:
            window = self.closing.pop(tried)
            self.waiting_bytes -= window.size
            _remove_mirror(window)
            for draft in window.drafts:
                self.ledger.give_back(draft.losses)
            if not window.drop and not window.release:
                for loss in losses_of("unwritten", [(run, window.closed) for run in runs_of(window.seqs)]):
                    self.ledger.add(loss)

    def count_held(self, number: int, *, released: bool = False) -> None:
        """Follow readings without a time: `held` were never sent, `unrepaired` wait for their anchor, sent or not."""
        self.held += 0 if released else number
        self.unrepaired += number

    async def chunks(self, boot: str, *, unreleased: bool) -> list[Chunk]:
        """Give the next chunks of held readings that no queued window has taken over; none at the end."""
        taken = [chunk for closed in self.closing for chunk in (*closed.drop, *closed.release)]
        return await self.do(self._database.chunks, boot, unreleased, taken)

    async def states(self) -> dict[str, tuple[int, bytes]]:
        """Give the engine's state of each meter, with the newest block it knows."""
        return await self.do(self._database.states)

    async def holding(self, first: int, last: int) -> list[int]:
        """Give the stored blocks that hold any of these numbers."""
        return await self.do(self._database.holding, first, last)

    async def after(self, block: int, newest: int) -> list[tuple[int, bytes]]:
        """Give the next blocks above this one, of the `newest` there are."""
        return await self.do(self._database.after, block, newest)

    async def share(self) -> None:
        """Let another process look into the file for a while."""
        await self.do(self._database.share)

    async def close(self) -> None:
        """Let the file go and end the thread."""
        await self.do(self._database.close)
        self._thread.shutdown()

    def written(self) -> int:
        """Bytes the database thread sent to the disk since the start; 0 where the kernel does not count."""
        return written_by(self._tid)

    def sizes(self) -> tuple[int, int]:
        """Bytes of the file and of its log."""
        return self._database.sizes()

    def standstill(self) -> str:
        """Say so when there is work and none of it has been done for minutes, although nothing failed."""
        now = time.monotonic()
        if self.closing and now - self._pushed > PATIENCE:
            return f"nothing was written to the disk for {(now - self._pushed) / 60:.0f} minutes"
        if self.pending and now - self._confirmed > self.patience:
            return f"the store confirmed nothing for {(now - self._confirmed) / 60:.0f} minutes"
        return ""

    # -- for consumers

    async def load(self, block: int) -> bytes | None:
        """Give a block's bytes when they are whole; else flag it and name its readings."""
        if (payload := self._cache.get(block)) is not None:
            return payload
        try:
            payload = await self.do(self._database.load, block)
            seqs, closed = ("", 0) if payload is not None else await self.do(self._database.seqs, block)
        except Unwritable as error:  # the disk does not even read: say so; the block stays pending
            self.degraded = str(error)
            return None
        if payload is None and self.pending.remove(block):
            self._damaged.append(block)
            self.name_damage(seqs, closed)
        return payload

    def stored(self, block: int, rejected: Iterable[tuple[int, str]]) -> bool:
        """Free a block; its mark rides with the next commit."""
        if not self.pending.remove(block):
            return False
        self._cache.drop(block)
        self._marks.append(block)
        self.stored_count += 1
        self._confirmed = time.monotonic()
        for seq, reason in rejected:
            self.ledger.add(loss_row(reason, first=seq, last=seq, count=1))
        return True

    def name_damage(self, seqs: str, closed: int) -> None:
        """Write the readings of damaged bytes into the ledger, exactly where their numbers can still be read."""
        try:
            runs = from_text(seqs)
        except ValueError:
            runs = []
        losses = losses_of("damaged", [(run, closed) for run in runs])
        for loss in losses or [loss_row("damaged", since=closed, until=closed)]:
            self.ledger.add(loss)

    def announce(self) -> None:
        """Wake everybody who waits for a new block."""
        self.news += 1
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def wake(self, other: "Committer") -> None:
        """Take over who waits for news of another one: they find the news here from now on."""
        other.announce()
        self.news = other.news + 1

    async def newer(self, seen: int) -> int:
        """Return the count of announcements once it is above `seen`."""
        while self.news <= seen:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        return self.news


def _remove_mirror(window: Closed) -> None:
    if window.mirror is not None:
        with contextlib.suppress(OSError):
            window.mirror.unlink()
