"""Carries blocks from the journal straight into the store of one house; the store alone frees them.

Every quarter of an hour, since pages read the newest values from memory and flash is written in fewer, larger pieces.
With `keep_raw = false` only each meter's first reading of a quarter-hour is kept.
"""

import asyncio
from collections.abc import Iterable

from gateway.flatten import Poison, flatten
from gateway.message import CONTENT_TYPE, Topics, correlation
from gateway.store.contract import Row, Store, Stored, TryAgain
from gateway.transport import Message
from gateway.uplink import Blocks

EVERY = 900.0
QUARTER_MS = 900_000
SLOWEST = 60.0


class Feeder:
    """Feeds one store from one journal.

    `stored` counts readings, `error` says why it waits, `unreadable` why a block stays.
    """

    def __init__(self, journal: Blocks, store: Store, topics: Topics, *, keep_raw: bool = True) -> None:
        """`topics` names the tenant and gateway whose blocks these are."""
        self.stored = 0
        self.error = ""
        self.unreadable: dict[int, str] = {}
        self._journal, self._store, self._topics, self._keep_raw = journal, store, topics, keep_raw
        self._quarters: dict[str, int] = {}
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Feed at every quarter-hour of running time; ends only when cancelled."""
        while True:
            await self.feed()
            await asyncio.sleep(EVERY)

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
        verdict = await self._write(rows)
        refused = [(rows[index].seq, reason) for index, reason in verdict.rejected]
        self._journal.stored(block, [*flat.rejected, *refused])
        self.stored += len(rows) - len(verdict.rejected)

    async def _write(self, rows: list[Row]) -> Stored:
        wait = 1.0
        while True:
            verdict = await self._store.write(rows) if rows else Stored()
            if isinstance(verdict, TryAgain):
                self.error = verdict.why
                await asyncio.sleep(max(verdict.after, wait))
                wait = min(wait * 2, SLOWEST)
                continue
            self.error = ""
            await asyncio.sleep(verdict.durable_after)
            return verdict

    def _quarterly(self, rows: Iterable[Row]) -> Iterable[Row]:
        for row in rows:
            if row.ts // QUARTER_MS > self._quarters.get(row.meter, -1):
                self._quarters[row.meter] = row.ts // QUARTER_MS
                yield row
