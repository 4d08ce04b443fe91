"""The speed of a serial line: bytes arrive in both directions no sooner than the baud rate lets them.

A pty knows no baud rate. So this counts the time each byte takes on the wire, start, parity and stop bits included,
hands a request on when its last bit would have come, and lets an answer out in small chunks, as a USB adapter does.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simulator.serving import Send, Server, Session

CHUNK = 0.004
"""Seconds of the line that go out together: finer steps cost CPU, and USB adapters collect for up to 16 ms."""
BURST_LIMIT = 4_096
"""No request of any meter is longer; a client that babbles on without a pause is cut there."""
QUEUE_LIMIT = 65_536
"""A minute of 9600 baud. What a server says beyond it is lost, as in a full UART."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A line's speed, and how its meters behave.

    `gap` is the silence that ends a request, in characters; `turnaround` the time in seconds from a request's last bit
    to the answer's first.
    """

    baud: int
    framing: str = "8N1"
    gap: float = 0.0
    turnaround: float = 0.0

    @property
    def byte(self) -> float:
        """Seconds one character takes: start bit, data, parity, stop."""
        return (1 + int(self.framing[0]) + (self.framing[1] != "N") + int(self.framing[2])) / self.baud

    @property
    def silence(self) -> float:
        """Seconds of silence after a request; fixed above 19200 baud, where 3.5 characters are too short to time."""
        return self.gap * self.byte if self.baud <= 19_200 else min(self.gap, 1) * 0.00175  # noqa: PLR2004


class Paced:
    """A server at the far end of a line with a pace."""

    def __init__(self, server: Server, pace: Pace) -> None:
        self._server = server
        self._pace = pace

    def open(self, send: Send) -> Session:
        """Begin a conversation on a line of its own."""
        return _Line(self._server, self._pace, send)


class _Line:
    """Both directions of one line; times are those of the running loop."""

    def __init__(self, server: Server, pace: Pace, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self._pace = pace
        self._out = send
        self._request = bytearray()
        self._request_end = 0.0
        self._answers: deque[tuple[float, bytes]] = deque()  # when the first bit goes out, and the bytes
        self._queued = 0
        self._free = 0.0  # when the last queued byte will be out
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._session = server.open(self._send)

    def feed(self, data: bytes) -> None:
        """Let the client's bytes travel to the server."""
        room = BURST_LIMIT - len(self._request)
        self._request += data[:room]
        self._request_end = max(self._loop.time(), self._request_end) + min(len(data), room) * self._pace.byte
        self._at("request", self._request_end + self._pace.silence, self._arrived)

    def close(self) -> None:
        """Let go of what is still on the way."""
        for timer in self._timers.values():
            timer.cancel()
        self._answers.clear()
        self._session.close()

    def _arrived(self) -> None:
        request, self._request = bytes(self._request), bytearray()
        self._session.feed(request)

    def _send(self, data: bytes) -> None:
        if not data or self._queued + len(data) > QUEUE_LIMIT:
            return
        start = max(self._loop.time(), self._free, self._request_end + self._pace.turnaround)
        self._free = start + len(data) * self._pace.byte
        self._queued += len(data)
        self._answers.append((start, data))
        if len(self._answers) == 1:
            self._next()

    def _next(self) -> None:
        start, data = self._answers[0]
        chunk = min(max(int(CHUNK / self._pace.byte), 1), len(data))
        self._at("answer", start + chunk * self._pace.byte, self._let_out)

    def _let_out(self) -> None:
        start, data = self._answers.popleft()
        # A millionth of a character: a timer that fires right on time must not be one character short.
        count = min(int((self._loop.time() - start) / self._pace.byte + 1e-6), len(data))
        self._queued -= count
        self._out(data[:count])
        if count < len(data):
            self._answers.appendleft((start + count * self._pace.byte, data[count:]))
        if self._answers:
            self._next()

    def _at(self, name: str, when: float, then: Callable[[], None]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = self._loop.call_at(when, then)
