"""Modbus TCP meters that count their own answers: what each one said last is what the store must hold, once each.

The register pair 0 holds the number of the answer, so a missing, doubled or altered reading shows without asking Nabd.
"""

import asyncio
import struct
from functools import partial
from pathlib import Path

PROFILE = """name = "counting"
title = "A meter that counts its answers"
driver = "modbus"
source = "tests/support/counting_meters.py"
evidence = "one-source"
table = "input"
registers = [ { at = 0, quantity = "energy_import", unit = "Wh", type = "u32" } ]

[[examples]]
bytes = { 0 = "0000 002A" }
readings = { energy_import = 42 }
"""


class CountingMeter(asyncio.Protocol):
    """One meter; `answers` goes on over connections."""

    def __init__(self, counts: list[int], number: int, open_now: set[asyncio.Transport]) -> None:
        self._counts, self._number, self._open = counts, number, open_now

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(transport)

    def connection_lost(self, _: Exception | None) -> None:
        """Forget it."""
        self._open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request with the next number."""
        for start in range(0, len(data), 12):
            self._counts[self._number] += 1
            head = data[start : start + 2] + b"\0\0\0\7" + data[start + 6 : start + 8] + b"\4"
            self._transport.write(head + struct.pack(">I", self._counts[self._number]))


class CountingMeters:
    """So many meters, a port each, until `close`."""

    def __init__(self, count: int) -> None:
        self.counts = [0] * count
        self.ports: list[int] = []
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.Transport] = set()

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        for number in range(len(self.counts)):
            meter = partial(CountingMeter, self.counts, number, self._open)
            server = await loop.create_server(meter, "127.0.0.1", 0)
            self._servers.append(server)
            self.ports.append(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and hang up."""
        for server in self._servers:
            server.close()
        for transport in self._open:
            transport.abort()
        await asyncio.sleep(0)

    @staticmethod
    def write_profile(folder: Path) -> None:
        """Put the meter model where a configuration in `folder` finds it."""
        (folder / "meters").mkdir(exist_ok=True)
        (folder / "meters" / "counting.toml").write_text(PROFILE, encoding="utf-8")
