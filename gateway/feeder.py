"""Carries blocks from the journal straight into the stores of one house; only what both have is freed.

Every quarter of an hour, since pages read the newest values from memory and flash is written in fewer, larger pieces;
at once when there is an alert. With `keep_raw = false` only each meter's first reading of a quarter-hour is kept.
Events, losses and untimed readings go to the hub database.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from gateway.flatten import Poison, flatten
from gateway.hubdb import HubDatabase
from gateway.journal import JournalError
from gateway.message import CONTENT_TYPE, LOAD_PROFILE, Topics, correlation
from gateway.station import FEED_EVERY
from gateway.store.contract import Row, Store, Stored, TryAgain
from gateway.transport import Message
from gateway.uplink import Blocks

QUARTER_MS = 900_000
SLOWEST = 60.0

T = TypeVar("T")


class Flushes(Blocks, Protocol):
    """What the feeder needs of the journal beside its blocks."""

    async def flush(self) -> None:
        """Commit what is open; raises JournalError."""


class Feeder:
    """Feeds one store from one journal.

    `stored` counts readings, `error` says why it waits, `unreadable` why a block stays.
    """

    def __init__(
        self, journal: Flushes, store: Store, topics: Topics, hubdb: HubDatabase, *, keep_raw: bool = True
    ) -> None:
        """`topics` names the tenant and gateway whose blocks these are."""
        self.stored = 0
        self.error = ""
        self.unreadable: dict[int, str] = {}
        self._journal, self._store, self._topics, self._hubdb = journal, store, topics, hubdb
        self._keep_raw = keep_raw
        self._alarm = asyncio.Event()
        self._quarters: dict[str, int] = {}
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Feed at every quarter-hour of running time; ends only when cancelled."""
        while True:
            await self.feed()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FEED_EVERY):
                    await self._alarm.wait()
            if self._alarm.is_set():
                self._alarm.clear()
                with contextlib.suppress(JournalError):  # it says so itself; the next round comes anyway
                    await self._journal.flush()

    def wake(self) -> None:
        """Feed at once, with what was just read: there is an alert in it."""
        self._alarm.set()

    async def feed(self) -> None:
        """Bring every pending block into the store; waits as long as the store asks for."""
        async with self._lock:
            for block in list(self._journal.pending()):
                payload = await self._journal.load(block)
                if payload is not None:
                    await self._keep(block, payload)

    async def _keep(self, block: int, payload: bytes) -> None:
        stream = self._journal.stream
        message = Message(
            self._topics.of("data"), payload, content_type=CONTENT_TYPE, correlation=correlation(stream, block)
        )
        try:
            flat = flatten(self._topics, message, lambda _tenant, _meter: None)
        except Poison as error:  # our own block, yet unreadable: it stays in the journal for whoever can mend it
            self.unreadable[block] = str(error)
            return
        rows = flat.rows if self._keep_raw else list(self._quarterly(flat.rows))
        verdict = await self._until_taken(lambda: self._store.write(rows)) if rows else Stored()
        flat.rejected.extend((rows[index].seq, reason) for index, reason in verdict.rejected)
        await asyncio.sleep(verdict.durable_after)
        record = flat.record()
        await self._until_taken(lambda: self._hubdb.write([record], []))
        self._journal.stored(block, flat.rejected)
        self.stored += len(rows) - len(verdict.rejected)

    async def _until_taken(self, write: Callable[[], Awaitable[T | TryAgain]]) -> T:
        wait = 1.0
        while isinstance(answer := await write(), TryAgain):
            self.error = answer.why
            await asyncio.sleep(max(answer.after, wait))
            wait = min(wait * 2, SLOWEST)
        self.error = ""
        return answer

    def _quarterly(self, rows: Iterable[Row]) -> Iterable[Row]:
        for row in rows:
            if row.q & LOAD_PROFILE:  # of the past: the quarters have gone on since
                yield row
            elif row.ts // QUARTER_MS > self._quarters.get(row.meter, -1):
                self._quarters[row.meter] = row.ts // QUARTER_MS
                yield row
