"""Edges of a simulated board: a Unix socket that speaks lines of text.

We say `watch LINE` or `watch LINE DIRECTION`; for each pulse we hear `LINE TIME NUMBER WAY`, time in nanoseconds of the
monotonic clock, way `+` or `-`.
"""

import asyncio
import re
from collections.abc import Callable

from drivers.contract import NotConnected
from drivers.pulse.contact import Contact, Edge, Heard

LIMIT = 128
"""Bytes of a line that has not ended: the longest has 50."""

_EDGE = re.compile(rb"(\d{1,4}) (\d{1,19}) (\d{1,19}) ([+-])", re.ASCII)


class SocketEdges:
    """The lines of one simulated board."""

    def __init__(self, path: str) -> None:
        """Take the socket's path; nothing is opened."""
        self._path = path
        self._link: _Link | None = None

    async def open(self, lost: Callable[[str], None]) -> None:
        """Connect."""
        # A link of its own for each connection: the end of the former one may still be under way.
        link = _Link(self._path, lost)
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: link, self._path)
        except OSError as error:
            raise NotConnected(f"{self._path}: {error.strerror or error}", "is the simulator running?") from error
        self._link = link

    def watch(self, contact: Contact, heard: Heard) -> None:
        """Ask for a contact's edges."""
        if self._link is not None:
            self._link.watch(contact, heard)

    def close(self) -> None:
        """Hang up."""
        link, self._link = self._link, None
        if link is not None:
            link.close()


class _Link(asyncio.Protocol):
    """One connection."""

    def __init__(self, path: str, lost: Callable[[str], None]) -> None:
        self._path, self._lost = path, lost
        self._heard: dict[int, Heard] = {}
        self._rest = b""
        self._closed = False

    def watch(self, contact: Contact, heard: Heard) -> None:
        self._heard[contact.line] = heard
        direction = "" if contact.direction is None else f" {contact.direction}"
        self._transport.write(f"watch {contact.line}{direction}\n".encode())

    def close(self) -> None:
        self._closed = True
        self._heard.clear()
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101  what create_unix_connection gives
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LIMIT:]
        for line in lines:
            found = _EDGE.fullmatch(line)
            heard = self._heard.get(int(found[1])) if found else None
            if found and heard:
                heard(Edge(int(found[2]), found[4] == b"-", int(found[3])))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed:
            self._lost(f"{self._path} was closed" if exc is None else f"{self._path}: {exc}")
