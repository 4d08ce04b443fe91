"""Runs a search on a real line: sends what its script asks, and hands back what came.

1. The port is opened once, for us alone, and changes its speed when the script does.
2. Before a request the line has been silent for four characters. An adapter's echo of our own words is taken away.
3. An answer ends when the script says that it is whole, or by silence.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from drivers import link
from drivers.contract import Bus, NotConnected
from drivers.link import Line
from drivers.scan import Ask, Script, framing_of

T = TypeVar("T")

Progress = Callable[[str, float], None]
"""Is told what is done, and for how many seconds more, about."""

FLOOD = 262_144
"""Bytes of one exchange: listening for twenty seconds at 115200 baud."""

OVER_TCP = 0.25
"""Seconds added to every wait on a network."""

GAP = 4
LEAST_GAP = 0.002
"""Silence before a request: characters, and seconds at least."""


class _Port(asyncio.Protocol):
    """Gathers what comes."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.last = 0.0
        self.lost: str | None = None
        self.news = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.last = self._loop.time()
        self.heard += data[: max(0, FLOOD - len(self.heard))]
        self.news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note why."""
        self.lost = str(exc or "the other side closed it")
        self.news.set()


async def run(script: Script[T], where: str, tell: Progress, *, port: int | None = None) -> T:
    """Run a search on a device or `tcp://` address; raises NotConnected."""
    line = _Line(where, port)
    try:
        ask = next(script)
        while True:
            tell(ask.doing, ask.left)
            ask = script.send(await line.exchange(ask))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        script.close()
        line.close()


class _Line:
    """The open port and its present speed."""

    def __init__(self, where: str, port: int | None) -> None:
        self._where = where
        self._tcp_port = port
        self._tcp = "://" in where
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._line: Line | None = None

    async def exchange(self, ask: Ask) -> bytes:
        """Send and listen; an adapter that does not know the speed or framing hears nothing. Raises NotConnected."""
        if not await self._set(ask.line):
            return b""
        port = self._port
        if ask.request:
            await self._silence(ask.line)
        port.heard.clear()
        if ask.request and self._transport is not None:
            self._transport.write(ask.request)
        spoken = 0.0 if self._tcp else len(ask.request) * ask.line.character
        return await self._answer(ask, self._loop.time() + spoken + ask.wait + (OVER_TCP if self._tcp else 0.0))

    async def _answer(self, ask: Ask, first: float) -> bytes:
        port, begun = self._port, 0.0
        rest = ask.rest + (OVER_TCP if self._tcp else 0.0)
        listening = not ask.request
        while True:
            heard = _without_echo(bytes(port.heard), ask.request)
            if len(port.heard) >= FLOOD or (heard and ask.whole(heard)):
                return heard
            begun = begun or (port.last if heard else 0.0)
            due = min(port.last + rest, begun + ask.most) if heard and not listening else first
            port.news.clear()
            if port.lost is not None:
                return self._broken(heard)
            try:
                async with asyncio.timeout_at(due):
                    await port.news.wait()
            except TimeoutError:
                return _without_echo(bytes(port.heard), ask.request)

    def _broken(self, heard: bytes) -> bytes:
        if not self._tcp:
            raise NotConnected(f"{self._where}: {self._port.lost}", "is the adapter still plugged in?")
        self.close()  # many hosts close after an answer they did not like: the next request opens again
        return heard

    async def _silence(self, line: Line) -> None:
        quiet = self._port.last + max(GAP * line.character, LEAST_GAP)
        await asyncio.sleep(max(0.0, quiet - self._loop.time()))

    async def _set(self, line: Line) -> bool:
        if self._transport is None or self._transport.is_closing():
            bus = Bus("scan", self._where, line.baud, framing_of(line))
            self._transport, self._port = await link.connect(
                bus, _Port, baud=line.baud, framing=framing_of(line), port=self._tcp_port
            )
        elif line != self._line and not self._tcp:
            try:
                await link.set_line(self._transport, line)
            except NotConnected:
                if self._port.lost is not None:
                    raise
                return False
        self._line = line
        return True

    def close(self) -> None:
        """Let the port go."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None


def _without_echo(heard: bytes, request: bytes) -> bytes:
    if not request:
        return heard
    if heard.startswith(request):
        return heard[len(request) :]
    return b"" if request.startswith(heard) else heard
