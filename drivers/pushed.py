"""The line of meters that talk by themselves: bytes in, and whoever waits gets the newest telegram.

1. The port keeps the newest telegram only, so a slow reader misses some and nothing grows.
2. Telegrams are numbered from 1; a reader that names the last one it had waits for a newer one.
3. The first reason for which the link ended stands, and everybody who waits is told.
4. A line has a port of its own for each connection: the end of the former one may still be under way.

    line = PushedLine(bus, now, Decoder, baud=9600, framing="8N1")
    await line.open()
    number, at, telegram = await line.port.after(0)
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from drivers.contract import BootClock, Bus, NotConnected
from drivers.link import connect
from drivers.names import Names

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class StreamDecoder(Protocol[T_co]):
    """Finds telegrams in a stream of bytes; never raises, and counts what it leaves out by reason."""

    counters: Counter[str]

    def feed(self, data: bytes) -> Iterable[T_co]:
        """Take the next bytes and give the telegrams they complete."""


class PushedPort(asyncio.Protocol, Generic[T]):
    """The bytes' side of one connection: decodes them and wakes whoever waits for a telegram."""

    def __init__(self, decoder: StreamDecoder[T], now: BootClock) -> None:
        self.newest: tuple[int, int, T] | None = None
        self._decoder = decoder
        self._now = now
        self._number = 0
        self._lost: NotConnected | None = None
        self._change = asyncio.Event()

    @property
    def counters(self) -> Counter[str]:
        """What was left out, by reason."""
        return self._decoder.counters

    async def after(self, number: int) -> tuple[int, int, T]:
        """Await a telegram newer than `number`: its number, the boot clock in ms, itself. Raises NotConnected."""
        while self.newest is None or self.newest[0] <= number:
            if self._lost is not None:
                raise NotConnected(self._lost.what, self._lost.hint)
            await self._change.wait()
        return self.newest

    def data_received(self, data: bytes) -> None:
        """Decode what came, and wake whoever waits."""
        at = self._now()
        for telegram in self._decoder.feed(data):
            self._number += 1
            self.newest = (self._number, at, telegram)
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note why the link ended."""
        self.lose(NotConnected(str(exc or "the other side closed the link"), "check cable and adapter"))

    def lose(self, error: NotConnected) -> None:
        """Tell everybody who waits that there is no link; the first reason stands."""
        self._lost = self._lost or error
        self._wake()

    def _wake(self) -> None:
        # Those who wait have the old event; a new one makes the next telegram news again.
        change, self._change = self._change, asyncio.Event()
        change.set()


class PushedLine(Generic[T]):
    """A bus on which meters talk: its link, and the port of the connection that is or was open last."""

    def __init__(
        self, bus: Bus, now: BootClock, decoder: Callable[[], StreamDecoder[T]], *, baud: int, framing: str
    ) -> None:
        """Take the bus; nothing is opened. `baud` and `framing` are the protocol's usual ones."""
        self._bus = bus
        self._now = now
        self._decoder = decoder
        self._usual = (baud, framing)
        self._names = Names()
        self._link: asyncio.Transport | None = None
        self._before: Counter[str] = Counter()
        self.port = PushedPort(decoder(), now)
        self.port.lose(NotConnected(f"{bus.where} is not open", "connect first"))

    async def open(self) -> None:
        """Open the link anew, with a port that has heard nothing; raises NotConnected."""
        self.close()
        self._before += self.port.counters
        self.port = PushedPort(self._decoder(), self._now)
        baud, framing = self._usual
        try:
            self._link, _ = await connect(
                self._bus, lambda: self.port, baud=baud, framing=framing, names=self._names
            )  # fmt: skip
        except NotConnected as error:
            self.port.lose(error)
            raise

    def close(self) -> None:
        """Let the link go; never raises."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
            self.port.lose(NotConnected(f"{self._bus.where} was closed", "connect again"))

    @property
    def counters(self) -> Counter[str]:
        """What was left out over all connections, by reason."""
        return self._before + self.port.counters
