"""The listening socket of the pages: whoever opens thousands of connections shuts nobody else out.

1. How many places there are, and how many one address holds, says the `Crowd` that the pages are for. This machine
   itself holds any number, for a proxy brings everybody's.
2. When all are taken, a newcomer gets the place of the longest-held one that showed no session.
3. Strangers are let in `RATE` times a second, at first as many as there are places; who came from where a session was
   shown, always.
4. A place is lost when its `PATIENCE` ends; what is done when, `connections.py` says.

Who gets no place is turned away here, before anything is made for it: that costs microseconds, where an answer costs a
thousand. So a flood delays the program's other work little, and hides nobody who lives here. Nothing is logged.
"""

import asyncio
import ipaddress
import socket
import struct
from collections import Counter
from typing import TYPE_CHECKING

from gateway.web.crowd import HOUSE, Crowd

if TYPE_CHECKING:
    from collections.abc import Callable

RATE = 50.0
"""Strangers a second: a twentieth of what a small board can answer, and each keeps its place for two seconds."""
PATIENCE = 10.0
"""Seconds for a form of 64 kB: a phone at the far end of a house takes one."""
TURN = 8
"""Connections taken or turned away at once; then whatever else is due comes first."""
UNHEARD_MS = 30_000
"""A peer that acknowledges nothing for so long is gone: three beats of the live page."""
OWN = ("127.0.0.1", "::1")
KERNEL = 32_768
"""Bytes that wait in the kernel for us: so much, and no more, comes in at once of a body without end."""
_AT_ONCE = struct.pack("ii", 1, 0)
"""Closed without waiting for the peer, so that nothing of it stays in the kernel."""


class Place(socket.socket):
    """One connection that was let in; `hang_up` ends it, whatever it is doing."""

    def __init__(self, gate: "Gate", neighbour: str, taken: socket.socket) -> None:
        """Take the connection over."""
        super().__init__(taken.family, taken.type, taken.proto, fileno=taken.detach())
        self.neighbour = neighbour
        self.known = False
        self.hang_up: Callable[[], object] = self._shut
        self._gate = gate
        self._late: asyncio.TimerHandle | None = None
        self.expect()

    def expect(self) -> None:
        """Begin the patience with what it has to say, unless that runs already."""
        if self._late is None:
            self._late = asyncio.get_running_loop().call_later(PATIENCE, self.lose)

    def done(self) -> None:
        """End the patience: it has said all it wanted."""
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def trust(self) -> None:
        """Keep this place against strangers: it showed a session."""
        self.known = True
        self._gate.befriend(self.neighbour)

    def lose(self) -> None:
        """Take the place away."""
        self._gate.leave(self)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.hang_up()

    def close(self) -> None:
        """Give the place back."""
        self._gate.leave(self)
        super().close()

    def _shut(self) -> None:
        """End it while TLS is still being agreed on, when nothing but the socket is known here."""
        self.shutdown(socket.SHUT_RDWR)


class Gate(socket.socket):
    """A listening socket that lets in only whom there is a place for."""

    def __init__(self, listening: socket.socket, crowd: Crowd = HOUSE, *, tls: bool = False) -> None:
        """Take a listening socket over; `tls` says that the connections will speak it here."""
        super().__init__(listening.family, listening.type, listening.proto, fileno=listening.detach())
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL)  # as above, each connection inherits it
        self._places: dict[int, Place] = {}
        self._held = Counter[str]()
        self._friends: dict[str, None] = {}
        self._all = crowd.places_by_tls if tls else crowd.places
        self._crowd, self._turn, self._welcome, self._counted = crowd, 0, float(self._all), 0.0

    def accept(self) -> tuple[socket.socket, object]:
        """Give the next connection that gets a place; BlockingIOError when none waits, or others' turn has come."""
        while self._turn < TURN:
            self._turn += 1
            try:
                taken, address = super().accept()
            except BlockingIOError:
                break
            neighbour = neighbour_of(address[0])
            if self._has_place(neighbour):
                place = Place(self, neighbour, taken)
                self._places[place.fileno()] = place
                self._held[neighbour] += 1
                return place, address
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            taken.close()
        self._turn = 0
        raise BlockingIOError

    def place(self, number: int) -> Place:
        """Give the place of a connection by its file descriptor."""
        return self._places[number]

    def leave(self, place: Place) -> None:
        """Free a place, which may be free already."""
        place.done()
        if self._places.get(place.fileno()) is place:
            del self._places[place.fileno()]
            self._held -= Counter([place.neighbour])

    def befriend(self, neighbour: str) -> None:
        """Remember an address for the session it showed."""
        self._friends.pop(neighbour, None)
        self._friends[neighbour] = None
        while len(self._friends) > self._crowd.friends:
            del self._friends[next(iter(self._friends))]

    def _has_place(self, neighbour: str) -> bool:
        if self._held[neighbour] >= self._crowd.each and neighbour not in OWN:
            return False
        if neighbour not in self._friends and not self._is_welcome():
            return False
        if len(self._places) < self._all:
            return True
        oldest = next((place for place in self._places.values() if not place.known), None)
        if oldest is not None:
            oldest.lose()
        return oldest is not None

    def _is_welcome(self) -> bool:
        """Count one more stranger, unless there were too many."""
        now = asyncio.get_running_loop().time()
        self._welcome = min(self._all, self._welcome + (now - self._counted) * RATE)
        self._counted = now
        if self._welcome < 1:
            return False
        self._welcome -= 1
        return True


def neighbour_of(host: str) -> str:
    """Name whoever is at the other end: an address, or of IPv6 the network that one subscriber has."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return host
    return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
