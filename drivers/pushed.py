"""The port of meters that talk by themselves: bytes in, and whoever waits gets the newest telegram.

1. The port keeps the newest telegram only, so a slow reader misses some and nothing grows.
2. Telegrams are numbered from 1; a reader that names the last one it had waits for a newer one.
3. The first reason for which the link ended stands, and everybody who waits is told.

    port = PushedPort(Decoder(), now)
    transport, _ = await link.connect(bus, lambda: port, baud=9600, framing="8N1")
    number, at, telegram = await port.after(0)
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from drivers.contract import BootClock, NotConnected

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
