"""What the pages ask of the program around them."""

from collections.abc import Sequence
from typing import Protocol

from gateway.live import LiveMeter
from gateway.notify.links import Link
from gateway.store.contract import TryAgain
from gateway.today import Day


class LiveSource(Protocol):
    """Knows the meters; `gateway.live.LiveBook` is one. Neither method blocks."""

    def of(self, tenant: str) -> Sequence[LiveMeter]:
        """List a tenant's meters, in the order a page shows them."""

    def tenants(self) -> Sequence[str]:
        """List whose meters are known."""


class DaySource(Protocol):
    """Knows what each meter counted today; `gateway.today.Today` is one."""

    def day(self, meter: LiveMeter) -> Day | None:
        """Give a meter's day so far; never blocks."""


class Answers(Protocol):
    """Takes what people answer to an alert; `gateway.notify.outbox.Outbox` is one."""

    async def act(self, link: Link, now: int) -> str | TryAgain:
        """Do what a link allows at `now`, in UTC ms: "done" or "unknown"; doing it again changes nothing."""
