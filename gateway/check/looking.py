"""How what judges or tells of days goes on: it looks now and then, and a store that fails costs it one look."""

import asyncio
from typing import Protocol

from gateway.check.ledger import Ledger
from gateway.store.contract import StoreError, TryAgain


class Looks(Protocol):
    """Looks at days; `error` is what a store complains of, for people."""

    error: str

    async def look(self) -> None:
        """Do what is due; raises StoreError."""


async def keep_looking(who: Looks, ledger: Ledger, every: float) -> None:
    """Let it look every so many seconds, as soon as the ledger is open; ends only when cancelled."""
    while True:
        try:
            made = await ledger.open()
            who.error = made.why if isinstance(made, TryAgain) else ""
            if not who.error:
                await who.look()
        except StoreError as error:
            who.error = str(error)
        await asyncio.sleep(every)
