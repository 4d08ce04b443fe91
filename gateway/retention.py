"""How long readings are kept in a house's own store: raw for 30 days, quarter-hours for two years, days for ever.

1. A look every six hours, so that nothing is a day older than it may be.
2. A register's first reading of a quarter-hour says all that a chart or a bill needs of it; the others go, and so does
   what the file and its log of changes still hold of them.
3. A clock that was set ahead makes nothing old: only after it was right for as long again is it believed.

Stores that are servers have retention of their own, which their operator sets.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from gateway.clock import wall_ms
from gateway.journal.age import Expiry
from gateway.message import ClockState
from gateway.store.contract import StoreError, TryAgain

DAY = 86_400.0
EVERY = DAY / 4
KEPT = ((30 * DAY, 900), (730 * DAY, 86_400))
"""After so many seconds, of each so many seconds the first reading stays."""


@runtime_checkable
class Thins(Protocol):
    """A store that can let go of readings."""

    async def thin(self, before: int, step: int) -> int | TryAgain:
        """Keep of readings before a moment only the first of each step, both in ms; raises StoreError."""

    async def forget(self) -> TryAgain | None:
        """Let go of what copies still hold of them; raises StoreError."""


class Retention:
    """Thins one store; `gone` counts readings, `error` is what the store complains of."""

    def __init__(
        self,
        store: object,
        wall: Callable[[], int] = wall_ms,
        clock: Callable[[], ClockState] = lambda: "synced",
        passed: Callable[[], float] | None = None,
    ) -> None:
        """A `store` that cannot thin is left alone; `passed` gives seconds of a clock that nobody sets."""
        self.gone = 0
        self.error = ""
        self._store = store if isinstance(store, Thins) else None
        given = {"passed": passed} if passed is not None else {}
        self._ages = [(Expiry(keep, wall, clock, **given), step * 1000) for keep, step in KEPT]

    async def run(self) -> None:
        """Look now and then; ends only when cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Thin what is old enough now."""
        if self._store is None:
            return
        try:
            self.error = await self._thin(self._store)
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
