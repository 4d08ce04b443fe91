"""What a channel must do, whichever it is.

    send(message)  ->  Delivered   the provider has it; `id` is its own name for it, or ""
                       TryLater    nobody knows, or not now: send the same again in `after` seconds or later
                       Refused     never in this way: the address is wrong, the token, or the message itself

`send` is called by several tasks at once, takes at most some `TIMEOUT`, never raises, sleeps, retries or logs. `why` is
for people and holds no secret and nothing of the message. The same key is the same message: a receiver that looks at
it gets nothing twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.alerts.event import AlertEvent, Severity
from gateway.notify.render import Words

TIMEOUT = 20.0
"""Seconds for one message: a provider that needs longer is in trouble, and the next try has the same key."""
SAID_LIMIT = 200
"""Characters of a stranger's answer that are kept: an id or a sentence."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, in every form a channel may need.

    `key` names it for ever. `thread` is the alert's id, which its messages share. `words` are in the reader's language,
    `every` in all of them, for machines. `event` is the CloudEvent.
    """

    key: str
    thread: str
    words: Words
    alert: AlertEvent
    event: Mapping[str, Any] = field(repr=False)
    every: Mapping[str, Words] = field(default_factory=dict, repr=False)
    late: bool = False
    repeat: int = 0

    @property
    def severity(self) -> Severity:
        """How much it matters; the end of an alert only informs."""
        return self.alert.severity if self.alert.open else "info"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The provider has taken it."""

    id: str = ""


@dataclass(frozen=True, slots=True)
class TryLater:
    """It may or may not have got there; `after` seconds at the least, 0 where the provider named none."""

    why: str
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """Sending it again cannot help."""

    why: str


Receipt = Delivered | TryLater | Refused


class Channel(Protocol):
    """One configured way to reach one reader; needs no opening, for every message has a connection of its own."""

    async def send(self, message: Message) -> Receipt:
        """Hand one message to the provider."""
