"""Modbus meters that misbehave on request: on a pty, on TCP, and in memory. Each register holds its own address."""

import asyncio
import os
import struct
import time
import tty
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Self

from drivers.contract import Meter
from drivers.modbus.codec import crc16
from drivers.modbus.layout import Page, Row
from drivers.modbus.plan import Wire
from drivers.modbus.table import Table
from drivers.profiles import Profile

Says = Callable[[bytes], Iterable[tuple[float, bytes]]]
"""What a slave answers to a request: (seconds from now, bytes), any number of times."""


def meter(at: int = 0x10, count: int = 10, *, unit: int | None = 1, deadline: float = 0.1, function: int = 3) -> Meter:
    """Make a meter whose reading {"r16": 16, ...} shows for each value which register it came from."""
    rows = tuple(Row(at + n, "u16", f"r{at + n}", Fraction(1), table=function) for n in range(count))
    return Meter(f"m{unit}", profile_of(Table(rows)), unit, deadline)


def profile_of(table: Table) -> Profile:
    """Make the model of a meter from its table alone."""
    return Profile("fake", "fake", "modbus", "two-sources", (), table)


def page_of(meter: Meter) -> Page:
    """Give the one request that a meter of `meter` needs."""
    (page,) = meter.profile.layout.pages(Wire(10 / 9600))
    assert isinstance(page, Page)
    return page


def expected(at: int = 0x10, count: int = 10) -> dict[str, int]:
    """Name what `meter` must read."""
    return {f"r{at + n}": at + n for n in range(count)}


def registers(request: bytes, short: int = 0) -> bytes:
    """Make the function, byte count and registers that answer an RTU request; `short` leaves out the last ones."""
    function, at, count = struct.unpack(">xBHH", request[:6])
    count -= short
    return bytes((function, 2 * count)) + struct.pack(f">{count}H", *range(at, at + count))


def frame(unit: int, body: bytes) -> bytes:
    """Add unit and CRC."""
    return bytes((unit,)) + body + crc16(bytes((unit,)) + body)


def right(request: bytes) -> bytes:
    """Answer an RTU request as it should be."""
    return frame(request[0], registers(request))


class PtySlave:
    """A slave behind a pseudo-terminal. `says` decides each answer; it may be changed between requests."""

    def __init__(self, says: Says) -> None:
        self.says = says
        self.gaps: list[float] = []
        self.requests: list[bytes] = []
        self._said = 0.0
        self._buffer = b""

    async def __aenter__(self) -> Self:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._master, self._hear)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.unplug()

    def unplug(self) -> None:
        """Let the port vanish."""
        if self._master >= 0:
            self._loop.remove_reader(self._master)
            os.close(self._master)
            os.close(self._slave)
            self._master = -1

    def say(self, data: bytes) -> None:
        """Send bytes now."""
        if self._master >= 0:
            os.write(self._master, data)
            self._said = time.monotonic()

    def _hear(self) -> None:
        if self._said:
            self.gaps.append(time.monotonic() - self._said)
        self._buffer += os.read(self._master, 4096)
        while len(self._buffer) >= 8:
            request, self._buffer = self._buffer[:8], self._buffer[8:]
            self.requests.append(request)
            for delay, data in self.says(request):
                if delay:
                    self._loop.call_later(delay, self.say, data)
                else:
                    self.say(data)


class TcpHost:
    """A Modbus TCP host; a request has `length` bytes (8 for RTU frames). It hangs up after each when it `closes`."""

    def __init__(self, says: Says | None = None, *, closes: bool = False, length: int = 12) -> None:
        self.says: Says = says or (lambda request: [(0, mbap(request, registers(request[6:])))])
        self.closes = closes
        self.length = length
        self.connections = 0
        self.open_now: set[asyncio.Transport] = set()
        self.most = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _TcpConnection(self), "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"tcp://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for transport in list(self.open_now):
            transport.abort()
        await asyncio.sleep(0)


class _TcpConnection(asyncio.Protocol):
    def __init__(self, host: TcpHost) -> None:
        self._host = host

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._host.connections += 1
        self._host.open_now.add(transport)
        self._host.most = max(self._host.most, len(self._host.open_now))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._host.open_now.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        for at in range(0, len(data), self._host.length):
            for delay, answer in self._host.says(data[at : at + self._host.length]):
                if delay:
                    loop.call_later(delay, self._transport.write, answer)
                else:
                    self._transport.write(answer)
        if self._host.closes:
            self._transport.close()


def mbap(request: bytes, body: bytes, *, transaction: int | None = None, unit: int | None = None) -> bytes:
    """Head a body with the request's transaction id and unit, or with other ones."""
    number = struct.unpack(">H", request[:2])[0] if transaction is None else transaction
    return struct.pack(">HHHB", number, 0, len(body) + 1, request[6] if unit is None else unit) + body
