"""A circuit breaker for each provider: who is down is asked seldom, and by one message at a time.

    closed      messages go as they come; after a round in which none got through there is a short rest
    open        so many failures in a row: nothing goes until the rest is over
    half-open   one message goes; if it gets through the breaker closes, if not the rest is longer

Channels of one provider share one: a server that is down for one customer is down for all. Only outages count; a
provider that refuses a message answers, and the fault is the message's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from gateway.backoff import Backoff
from gateway.notify.channels.contract import Receipt, TryLater

FAILURES = 5
"""In a row: one lost answer is chance, five are an outage."""
AT_ONCE = 4
"""Messages of one channel on their way at once: mail servers commonly allow a sender ten connections."""
REST = (1.0, 60.0)
"""Seconds, first and longest, that a provider is left alone: a critical alert waits no longer."""


@dataclass
class Breaker:
    """Counts what one provider says; `opened` says how often it was given up. Times are seconds of any clock."""

    backoff: Backoff = field(default_factory=lambda: Backoff(*REST))
    failures: int = 0
    opened: int = 0
    _until: float = 0.0
    _probing: bool = False

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        """Say how it stands, for `nabd status`."""
        if self.failures < FAILURES:
            return "closed"
        return "half-open" if self._probing else "open"

    def wait(self, now: float) -> float:
        """Give the seconds until something may be sent; 0 is now."""
        if self._probing:
            return REST[0]
        return max(self._until - now, 0.0)

    def take(self) -> int:
        """Give how many messages may go now, after `wait` gave 0; each of them must be `heard` of."""
        if self.failures < FAILURES:
            return AT_ONCE
        self._probing = True
        return 1

    def heard(self, receipts: Sequence[Receipt], now: float) -> None:
        """Take what the provider said to a round of messages."""
        self._probing = False
        if not all(isinstance(receipt, TryLater) for receipt in receipts):
            self.failures, self._until = 0, 0.0
            self.backoff.reset()
            return
        before, self.failures = self.failures, self.failures + len(receipts)
        self.opened += before < FAILURES <= self.failures
        self._until = now + self.backoff.next()
