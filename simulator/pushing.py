"""A meter that talks by itself: what it says goes to everyone on the line, again and again."""

import asyncio
from collections.abc import Callable

from simulator.serving import Send, Session


class PushingServer:
    """Says its telegram to everyone on the line, every `every` seconds, as long as anyone is there."""

    def __init__(self, say: Callable[[], bytes], every: float = 1.0) -> None:
        self._say = say
        self._every = every
        self._listeners: set[Send] = set()
        self._timer: asyncio.TimerHandle | None = None

    def open(self, send: Send) -> Session:
        """Add a listener; what it says is not heard."""
        self._listeners.add(send)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(loop.time(), self._talk, loop, loop.time())
        return _Listener(self, send)

    def leave(self, send: Send) -> None:
        """Take a listener away; with the last one the meter falls silent."""
        self._listeners.discard(send)
        if not self._listeners and self._timer:
            self._timer.cancel()
            self._timer = None

    def _talk(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        # A machine that slept says the next telegram, not all those it missed.
        due = max(due + self._every, loop.time())
        self._timer = loop.call_at(due, self._talk, loop, due)
        said = self._say()
        for send in tuple(self._listeners):
            send(said)


class _Listener:
    def __init__(self, server: PushingServer, send: Send) -> None:
        self._server = server
        self._send = send

    def feed(self, data: bytes) -> None:
        """What is said to it is not heard."""

    def close(self) -> None:
        self._server.leave(self._send)
