"""How long readings are kept in a store: raw for `[store] raw`, quarter-hours for two years, days for ever.

1. A look every six hours, so that nothing is a day older than it may be.
2. A register's first reading of a quarter-hour says all that a chart or a bill needs of it; the others go, and so does
   what a file and its log of changes still hold of them.
3. A clock that was set ahead makes nothing old: only after it was right for as long again is it believed.
4. A store that lets readings go by a rule of its own is only asked whether raw ones go in time; that they do not is an
   error with what to type.
"""

import asyncio
from collections.abc import Callable

from gateway.clock import wall_ms
from gateway.journal.age import Expiry
from gateway.message import ClockState
from gateway.store.contract import Expires, StoreError, Thins, TryAgain

DAY = 86_400.0
EVERY = DAY / 4
AGAIN = 900.0
"""Seconds until the next look after one that failed: a server is back by then, or was told what it lacked."""
RAW = 30 * DAY
QUARTER_HOURS = 730 * DAY
"""Two years of bills, to hold this winter against the last."""


class Retention:
    """Looks after the age of readings in one store; `gone` counts those thinned, `error` says why old ones stay."""

    def __init__(
        self,
        store: object,
        raw: float = RAW,
        wall: Callable[[], int] = wall_ms,
        clock: Callable[[], ClockState] = lambda: "synced",
        passed: Callable[[], float] | None = None,
    ) -> None:
        """Keep every reading for `raw` seconds; `passed` gives seconds of a clock that nobody sets.

        A `store` that says nothing of age is left alone.
        """
        self.gone = 0
        self.error = ""
        self._store, self._raw = store, raw
        given = {"passed": passed} if passed is not None else {}
        # After so many seconds, of each so many seconds the first reading stays.
        steps = ((raw, 900), (max(raw, QUARTER_HOURS), 86_400))
        self._ages = [(Expiry(keep, wall, clock, **given), step * 1000) for keep, step in steps]

    async def run(self) -> None:
        """Look now and then; ends only when cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(AGAIN if self.error else EVERY)

    async def look(self) -> None:
        """Thin what is old enough now, or ask whether it goes by itself."""
        try:
            if isinstance(self._store, Thins):
                self.error = await self._thin(self._store)
            elif isinstance(self._store, Expires):
                self.error = await self._store.outlast(self._raw)
        except StoreError as error:
            self.error = str(error)

    async def _thin(self, store: Thins) -> str:
        for age, step in self._ages:
            before = age()
            done = await store.thin(before, step) if before is not None else 0
            if isinstance(done, TryAgain):
                return done.why
            self.gone += done
        forgotten = await store.forget()
        return forgotten.why if forgotten else ""
