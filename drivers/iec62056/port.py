"""The bytes' side of a link to IEC 62056-21 meters: what came since the last look, or a decoder that listens for good.

A meter that is asked speaks only then, so `hear` gives what has come. One that talks by itself is handed to a
`PushedPort` for as long as the link stands.
"""

import asyncio

from drivers.contract import BootClock, NotConnected
from drivers.iec62056.parity import with_parity, without_parity
from drivers.pushed import PushedPort, StreamDecoder, T

UNREAD_LIMIT = 65_536
"""Bytes that nobody has taken yet: a minute of 9600 baud, twice the longest list. What comes beyond them is lost."""


class Port(asyncio.Protocol):
    """One link; `parity` makes and takes the eighth bit in software, `at` is the boot clock at the last byte."""

    def __init__(self, now: BootClock, *, parity: bool) -> None:
        self.at = 0
        self.parity = parity
        self.lost_bytes = 0
        self._now = now
        self._unread = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: NotConnected | None = None
        self._pushed: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None

    async def hear(self, within: float) -> bytes:
        """Give what came, at once or within so many seconds; nothing for silence. Raises NotConnected."""
        if not self._unread and self._lost is None:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(within):
                    await self._waiter
            except TimeoutError:
                return b""
            finally:
                self._waiter = None
        if self._lost is not None:
            raise NotConnected(self._lost.what, self._lost.hint)
        heard = bytes(self._unread)
        self._unread.clear()
        return heard

    def send(self, data: bytes) -> None:
        """Write characters, with their parity where we make it."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(with_parity(data) if self.parity else data)

    def push_to(self, decoder: StreamDecoder[T]) -> PushedPort[T]:
        """Decode what came and whatever comes, for a meter that talks by itself."""
        self._pushed = port = PushedPort(decoder, self._now)
        port.data_received(bytes(self._unread))
        self._unread.clear()
        if self._lost is not None:
            port.lose(self._lost)
        return port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  narrows the type; the loop gives nothing else
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what came, or hand it on."""
        if self.parity:
            data = without_parity(data)
        if self._pushed is not None:
            self._pushed.data_received(data)
            return
        self.at = self._now()
        room = UNREAD_LIMIT - len(self._unread)
        self.lost_bytes += len(data[room:])
        self._unread += data[:room]
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note why the link ended."""
        self.lose(NotConnected(str(exc or "the other side closed the link"), "check cable and adapter"))

    def lose(self, error: NotConnected) -> None:
        """Tell whoever waits that there is no link; the first reason stands."""
        self._lost = self._lost or error
        if isinstance(self._pushed, PushedPort):
            self._pushed.lose(error)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
