"""Anything Apprise knows, behind the same contract; an optional package that costs some 45 MB of memory.

Apprise says yes or no, and not why: no is tried again until the outbox gives up. Its services run blocking code on
threads, so a service that hangs keeps its thread, but not us.
"""

import asyncio
import importlib
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.notify.channels.contract import TIMEOUT, Delivered, Message, Receipt, Refused, TryLater

KIND = {"critical": "failure", "warning": "warning", "info": "info"}


class Sender(Protocol):
    """What we use of `apprise.Apprise`."""

    def add(self, servers: str) -> bool:
        """Take an address; False when it is none."""

    async def async_notify(self, **what: Any) -> bool | None:
        """Send; True when it was taken."""


def sender_of(address: str) -> Sender | None:
    """Make a sender to one address; None when Apprise does not know such. Raises ImportError without the package."""
    sender: Sender = importlib.import_module("apprise").Apprise()
    return sender if sender.add(address) else None


@dataclass(frozen=True, slots=True)
class Apprise:
    """Sends by one address of Apprise's, which holds its secrets; `sender` is None for an address that is none."""

    sender: Sender | None = field(repr=False)

    async def send(self, message: Message) -> Receipt:
        """Send one message."""
        if self.sender is None:
            return Refused("not an address that Apprise knows")
        what = {"title": message.words.title, "body": message.words.text, "notify_type": KIND[message.severity]}
        try:
            async with asyncio.timeout(TIMEOUT):
                taken = await self.sender.async_notify(**what)
        except TimeoutError:
            return TryLater("the service did not answer in time")
        except Exception as error:  # noqa: BLE001  a hundred services of others, each with errors of its own
            return TryLater(f"the service failed ({type(error).__name__})")
        return Delivered() if taken else TryLater("the service did not take it")
