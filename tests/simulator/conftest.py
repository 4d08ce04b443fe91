"""A server that remembers what it heard, and the times at which bytes came out of a line."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from simulator.serving import Send, Session


@dataclass
class Spy:
    """A server that answers each request with `answer(request)`, and keeps requests with their times."""

    answer: Callable[[bytes], bytes] = lambda request: request
    heard: list[tuple[float, bytes]] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    closed: int = 0

    def open(self, send: Send) -> Session:
        """Begin a conversation."""
        self.sends.append(send)
        return _SpySession(self, send)

    @property
    def requests(self) -> list[bytes]:
        """What was heard, without times."""
        return [data for _, data in self.heard]


@dataclass
class _SpySession:
    spy: Spy
    send: Send

    def feed(self, data: bytes) -> None:
        """Keep it and answer."""
        self.spy.heard.append((asyncio.get_running_loop().time(), data))
        if answer := self.spy.answer(data):
            self.send(answer)

    def close(self) -> None:
        """Count it."""
        self.spy.closed += 1


@dataclass(eq=False)
class Heard:
    """The client's ear: bytes with the time of each piece, and a way to wait for some."""

    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, data: bytes) -> None:
        """Take a piece."""
        self.pieces.append((asyncio.get_running_loop().time(), data))
        self._more.set()

    @property
    def data(self) -> bytes:
        """All of it."""
        return b"".join(piece for _, piece in self.pieces)

    async def until(self, count: int) -> float:
        """Wait until so many bytes came, and give the time of the last."""
        async with asyncio.timeout(5):
            while len(self.data) < count:
                self._more.clear()
                await self._more.wait()
        return self.pieces[-1][0]


@pytest.fixture
def spy() -> Spy:
    """Give a server that echoes and remembers."""
    return Spy()


@pytest.fixture
def heard() -> Heard:
    """Give an ear."""
    return Heard()
