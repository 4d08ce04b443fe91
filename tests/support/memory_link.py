"""A byte link in memory between a driver and a simulated meter, for tests on virtual time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from drivers import link
from simulator.serving import Server

LATER = 0.005
"""Seconds a meter thinks."""


class MemoryLink(asyncio.Transport):
    """A transport whose other end is a server's session."""

    def __init__(self, server: Server, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._session = server.open(self._hear)
        self._closed = False
        protocol.connection_made(self)

    def _hear(self, data: bytes) -> None:
        self._loop.call_later(LATER, self._arrive, data)

    def _arrive(self, data: bytes) -> None:
        if not self._closed:
            self._protocol.data_received(data)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Let the meter hear it."""
        self._session.feed(bytes(data))

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Let it go."""
        if not self._closed:
            self._closed = True
            self._session.close()
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """Let it go at once."""
        self.close()


def in_memory(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    """Let every link that a driver opens from now on end at this server."""

    async def connect(_bus: Any, protocol: Callable[[], Any], **_options: Any) -> tuple[asyncio.Transport, Any]:
        made = protocol()
        return MemoryLink(server, made), made

    monkeypatch.setattr(link, "connect", connect)
