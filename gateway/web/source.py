"""What the page asks of the program around it: the meters with their newest values. `gateway.live.LiveBook` is one."""

from collections.abc import Sequence
from typing import Protocol

from gateway.live import LiveMeter


class LiveSource(Protocol):
    """Knows the meters."""

    def meters(self) -> Sequence[LiveMeter]:
        """List every meter, in the order a page shows them; never blocks."""
