"""Bounds what connections may take, so that whoever opens thousands or says nothing shuts nobody else out.

1. A request must have come in whole within `PATIENCE` after its connection opened, or after its first byte.
2. One address holds `EACH` connections; this machine itself holds any number, for a proxy brings everybody's.
3. All together hold `ALL`, so that the program keeps file descriptors for its meters and its journal.

What is over a bound is closed without a word, and nothing is logged.
"""

import asyncio
import ipaddress
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

ALL = 127
"""Four for each browser that may listen, one less than where uvicorn would answer, and log, that it is too much."""
EACH = 16
"""Two browsers of one device with all they open at once."""
PATIENCE = 10.0
"""Seconds for a form of 64 kB: a phone at the far end of a house takes one."""
OWN = ("127.0.0.1", "::1")


class Bounded(H11Protocol):
    """One connection to the pages."""

    neighbour = ""
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or close it at once."""
        super().connection_made(transport)
        self.neighbour = neighbour_of(self.client[0] if self.client else "")
        held = [one for one in cast("set[Any]", self.connections) if isinstance(one, Bounded)]
        mine = sum(one.neighbour == self.neighbour for one in held)
        if len(held) > ALL or (mine > EACH and self.neighbour not in OWN):
            transport.abort()
            return
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first ones of a request begin its time."""
        if self._late is None and self._is_idle():
            self._expect()
        super().data_received(data)
        if not self._is_idle() and not self.cycle.more_body:
            self._done()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._done()
        super().connection_lost(exc)

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _expect(self) -> None:
        self._late = asyncio.get_running_loop().call_later(PATIENCE, self.transport.abort)

    def _done(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def neighbour_of(host: str) -> str:
    """Name whoever is at the other end: an address, or of IPv6 the network that one subscriber has."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return host
    return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
