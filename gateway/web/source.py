"""What the pages ask of the program around them."""

from collections.abc import Sequence
from typing import Protocol

from gateway.live import LiveMeter
from gateway.notify.links import Action
from gateway.today import Day


class LiveSource(Protocol):
    """Knows the meters; `gateway.live.LiveBook` is one."""

    def meters(self) -> Sequence[LiveMeter]:
        """List every meter, in the order a page shows them; never blocks."""


class DaySource(Protocol):
    """Knows what each meter counted today; `gateway.today.Today` is one."""

    def day(self, meter: str) -> Day | None:
        """Give a meter's day so far; never blocks."""


class Answers(Protocol):
    """Takes what people answer to an alert: the notifier, which stops reminding of it, or mutes its kind."""

    async def answer(self, action: Action, tenant: str, alert: str, channel: str) -> None:
        """Note an answer; one given twice changes nothing."""
