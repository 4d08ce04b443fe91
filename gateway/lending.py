"""Lends a bus to another program, such as a search: polling stops after the present turn, and goes on afterwards.

1. Whoever asks stays connected. The bus is theirs until they return it, hang up, die, or let the lease run out, which
   bounds what a program that hangs can hold; asking again renews it.
2. A bus is asked for by where it is: a device under any of its names, or a host, which may take one connection only.
3. Meanwhile its meters are neither read nor missed: no alert says that they are silent.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gateway import control
from gateway.buses import Buses

if TYPE_CHECKING:
    from gateway.poll import Poller

LONGEST = 120.0
"""Seconds of one lease: so long, at most, is a bus lost to a program that hangs."""


class Lending:
    """Lends the buses of one station."""

    def __init__(self, buses: Buses) -> None:
        """Lend nothing yet."""
        self._buses = buses

    def talks(self) -> dict[str, control.Talk]:
        """Name the questions with which such a talk begins."""
        return {"lend": self.talk, "nameplates": self.talk}

    @asynccontextmanager
    async def talk(self) -> AsyncIterator[control.Answer]:
        """Answer one who stays connected, and take everything back when they are gone."""
        loan = _Loan(self._buses)
        try:
            yield loan.answer
        finally:
            loan.end()


class _Loan:
    """What one asker has."""

    def __init__(self, buses: Buses) -> None:
        self._buses = buses
        self._lent: list[Poller] = []
        self._lease: asyncio.TimerHandle | None = None

    async def answer(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take `{"do": "lend", "where": PORT, "seconds": N}`, again to renew, and `{"do": "return"}`.

        `{"do": "nameplates", "bus": NAME}` borrows a bus only for as long as its meters say what they are.
        """
        if question.get("do") == "nameplates":
            try:
                return {"nameplates": await self._buses.nameplates(str(question.get("bus")))}
            except KeyError:
                return {"error": "there is no such bus"}
        if question.get("do") == "return":
            names = [poller.name for poller in self._lent]
            self.end()
            return {"returned": names}
        where, seconds = question.get("where"), question.get("seconds", LONGEST)
        if not isinstance(where, str) or not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST:
            return {"error": f"lend needs where, and seconds from 1 to {LONGEST:.0f}"}
        wanted = [poller for place, poller in self._buses.places() if same_place(place, where)]
        if any(poller.custody.lent and poller not in self._lent for poller in wanted):
            return {"error": "it is lent to another program already"}
        self._let_run()
        fresh = [poller for poller in wanted if poller not in self._lent]
        self._lent += fresh
        for poller in fresh:  # before anything is awaited: who asks meanwhile is told that it is taken
            poller.custody.want()
        await asyncio.gather(*(poller.custody.lend() for poller in fresh))
        self._lease = asyncio.get_running_loop().call_later(seconds, self.end)
        return {"lent": [poller.name for poller in wanted], "seconds": seconds}

    def end(self) -> None:
        """Let polling go on."""
        self._let_run()
        for poller in self._lent:
            poller.custody.take_back()
        self._lent = []

    def _let_run(self) -> None:
        """Forget the lease: a turn at 300 baud may outlast it, and the next lease begins when the port is closed."""
        if self._lease is not None:
            self._lease.cancel()


def same_place(one: str, other: str) -> bool:
    """Tell whether two ports are one: a device by any of its names, a host whatever is spoken with it."""
    if "://" not in one or "://" not in other:
        return "://" not in one + other and Path(one).resolve() == Path(other).resolve()
    (host, port), (other_host, other_port) = _host(one), _host(other)
    return bool(host) and host == other_host and (port is None or other_port is None or port == other_port)


def _host(url: str) -> tuple[str | None, int | None]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None, None
    return host, port
