"""Who has a bus: its own poller, or another program that borrowed it."""

import asyncio
from collections.abc import Callable

from drivers.contract import NotConnected


class Lent(NotConnected):
    """The bus is wanted by another program, or with it."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("its bus is lent to another program", "ask again in a minute")


class Custody:
    """One bus; the poller asks before each turn and each opening, and says when its port is open or closed."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """Begin with the poller; `wake` lets it look when it sleeps."""
        self._wake = wake
        self._wanted, self._ours, self._closed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._ours.set()
        self._closed.set()

    @property
    def lent(self) -> bool:
        """Whether another program has the bus, or waits for the end of the present turn."""
        return self._wanted.is_set()

    def want(self) -> None:
        """Say that another program is to have the bus after the present turn: from now on nobody else gets it."""
        self._ours.clear()
        self._wanted.set()
        self._wake()

    async def lend(self) -> None:
        """Let the bus go after the present turn; returns when its port is closed."""
        self.want()
        await self._closed.wait()

    def take_back(self) -> None:
        """Let the poller go on at once."""
        self._wanted.clear()
        self._ours.set()

    def check(self) -> None:
        """Raise Lent while the bus is not the poller's."""
        if self.lent:
            raise Lent

    async def until_wanted(self) -> None:
        """Wait until somebody borrows the bus, then raise Lent."""
        await self._wanted.wait()
        raise Lent

    async def open(self) -> None:
        """Wait until the bus is the poller's, which opens it now."""
        await self._ours.wait()
        self._closed.clear()

    def closed(self) -> None:
        """Take note that the poller has closed the port."""
        self._closed.set()
