"""A customer's browser as a hub sees it: enters by a link, then listens to the live page of one home.

Thin enough that a thousand fit into one process: it reads of each event no more than whose meter it shows, and which
reading.
"""

import asyncio
import json
import re
from collections import deque
from dataclasses import dataclass, field

from gateway.live import LiveMeter

_CARD = re.compile(rb'event: part\ndata: (\{"id":"m-.*\})\n\n')
_READ = re.compile(r'data-at="(\d+)"')
COOKIE = re.compile(rb"set-cookie: (nabd=[^;]+)", re.IGNORECASE)
VOLT = 1000
"""What is added to a home's number for the voltage by which it is known."""


def meter_of(home: int) -> LiveMeter:
    """Give a home's meter, whose voltage is no other home's."""
    return LiveMeter(f"gw-{home}_main", "Main meter", "electricity", "Bench", 2.0, values={"voltage_v": VOLT + home})


@dataclass
class Customer(asyncio.Protocol):
    """Whoever listens to a home: `sent` are its readings under way, `waits` how long each took to be shown, in s."""

    home: int
    port: int
    cookie: bytes = b""
    sent: deque[tuple[int, float]] = field(default_factory=deque)
    waits: list[float] = field(default_factory=list)
    wrong: int = 0
    lost: int = 0
    _transport: asyncio.Transport | None = None
    _buffer: bytes = b""

    async def enter(self, token: str) -> None:
        """Use a one-time link up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            f"POST /enter/{token} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\norigin: http://127.0.0.1:{self.port}\r\n"
            "content-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        found = COOKIE.search(await reader.read())
        writer.close()
        assert found is not None, "the link lets nobody in"
        self.cookie = found[1]

    async def listen(self) -> None:
        """Open the stream of changes; returns when it is open."""
        self._transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.port)
        self._transport.write(
            b"GET /events?lang=en HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncookie: %b\r\n\r\n" % (self.port, self.cookie)
        )

    def leave(self) -> None:
        """Listen no longer."""
        if self._transport is not None:
            self._transport.abort()
        self._transport, self._buffer = None, b""
        self.sent.clear()

    def expect(self, ts: int) -> None:
        """Note that a reading of this time, in UTC ms, goes out now."""
        if self._transport is None:
            return
        self.sent.append((ts, asyncio.get_running_loop().time()))

    def data_received(self, data: bytes) -> None:
        """Take what the hub says."""
        self._buffer += data
        cards = list(_CARD.finditer(self._buffer))
        for found in cards:
            card = json.loads(found[1])
            self._see(card["id"], card["html"])
        if cards:
            self._buffer = self._buffer[cards[-1].end() :]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  why does not matter here
        """Count what no hub shall do before we leave."""
        self.lost += self._transport is not None

    def _see(self, part: str, html: str) -> None:
        """Take a card: it shows the newest reading, so older ones need no longer be waited for."""
        meter, read = meter_of(self.home), _READ.search(html)
        if part != f"m-{meter.id}" or (read is not None and f">{VOLT + self.home:,.1f}<" not in html):
            self.wrong += 1
            return
        now = asyncio.get_running_loop().time()
        while read is not None and self.sent and self.sent[0][0] <= int(read[1]):
            self.waits.append(now - self.sent.popleft()[1])
