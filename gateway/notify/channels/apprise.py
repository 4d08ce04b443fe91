"""Anything Apprise knows, behind the same contract; an optional package that costs some 45 MB of memory.

1. It is loaded for the first message, aside: that takes seconds, in which nothing else may stand still.
2. It says yes or no, and not why: no is tried again until the outbox gives up. Its services run blocking code on
   threads, so a service that hangs keeps its thread, but not us.
3. It logs each failure, addresses and all: what is wrong stands in our receipts, so its own log is silenced.
"""

import asyncio
import importlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.notify.channels.contract import TIMEOUT, Delivered, Message, Receipt, Refused, TryLater

KIND = {"critical": "failure", "warning": "warning", "info": "info"}
TALKATIVE = ("apprise", "urllib3")
SILENT = logging.CRITICAL + 1


class Sender(Protocol):
    """What we use of `apprise.Apprise`."""

    def add(self, servers: str) -> bool:
        """Take an address; False when it is none."""

    async def async_notify(self, **what: Any) -> bool | None:
        """Send; what counts as true when it was taken."""


def sender_of(address: str) -> Sender | None:
    """Make a sender to one address; None when Apprise does not know such. Raises ImportError without the package."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(SILENT)
    sender: Sender = importlib.import_module("apprise").Apprise()
    return sender if sender.add(address) else None


@dataclass(slots=True)
class Apprise:
    """Sends by one address of Apprise's, which holds its secrets; `make` gives None for an address that is none."""

    make: Callable[[], Sender | None] = field(repr=False)
    _made: "asyncio.Task[Sender | None] | None" = field(default=None, repr=False)

    async def send(self, message: Message) -> Receipt:
        """Send one message."""
        what = {"title": message.words.title, "body": message.words.text, "notify_type": KIND[message.severity]}
        try:
            async with asyncio.timeout(TIMEOUT):
                sender = await self._sender()
                if sender is None:
                    return Refused("not an address that Apprise knows")
                taken = await sender.async_notify(**what)
        except TimeoutError:
            return TryLater("the service did not answer in time")
        except Exception as error:  # noqa: BLE001  a hundred services of others, each with errors of its own
            return TryLater(f"the service failed ({type(error).__name__})")
        return Delivered() if taken else TryLater("the service did not take it")

    async def _sender(self) -> Sender | None:
        """Load it once, whoever is first; who gives up waiting does not stop that."""
        if self._made is None:
            self._made = asyncio.create_task(asyncio.to_thread(self.make))
        return await asyncio.shield(self._made)
