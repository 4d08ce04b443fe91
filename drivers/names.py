"""Turns host names into addresses in a thread of its own, so that a dead name server delays nobody else.

`socket.getaddrinfo` cannot be told to hurry. The event loop would run it in the pool that commits and files share, and
a few lookups that hang would fill it. So each lookup has a daemon thread, at most one a host, and when it takes too
long or fails, the addresses that were heard last are used again.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from drivers.contract import NotConnected

LOOKUP_TIMEOUT = 2.0
"""Seconds; a name server that needs longer for a meter's host name is taken for dead."""

Lookup = Callable[[str], list[str]]


def look_up(host: str) -> list[str]:
    """Ask the system for the addresses of a host, in its order of preference; raises OSError. It blocks."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Names:
    """Looks up the hosts of one bus, and remembers what it last heard."""

    def __init__(self, lookup: Lookup = look_up, timeout: float = LOOKUP_TIMEOUT) -> None:
        self._lookup = lookup
        self._timeout = timeout
        self._known: dict[str, list[str]] = {}
        self._pending: dict[str, asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str) -> list[str]:
        """Give the host's addresses, known ones where the name server is silent; raises NotConnected."""
        if _is_address(host):
            return [host]
        try:
            async with asyncio.timeout(self._timeout):
                self._known[host] = await asyncio.shield(self._start(host))
        except (TimeoutError, OSError) as error:
            if host not in self._known:
                what = "does not resolve in time" if isinstance(error, TimeoutError) else "has no address"
                raise NotConnected(f"{host} {what}", "check the name, or use the IP address") from error
        return self._known[host]

    def _start(self, host: str) -> "asyncio.Future[list[str]]":
        """Begin a lookup, or join the one that still hangs."""
        loop = asyncio.get_running_loop()
        if host in self._pending:
            return self._pending[host]
        answer: asyncio.Future[list[str]] = loop.create_future()

        def settle(found: list[str] | OSError) -> None:
            self._pending.pop(host, None)
            if isinstance(found, OSError):
                answer.set_exception(found)
                answer.exception()  # it is no news to nobody that a lookup failed after its caller had gone
            else:
                self._known[host] = found
                answer.set_result(found)

        def work() -> None:
            try:
                found: list[str] | OSError = self._lookup(host)
            except (OSError, UnicodeError) as error:
                found = error if isinstance(error, OSError) else OSError(str(error))
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, found)

        self._pending[host] = answer
        threading.Thread(target=work, name=f"lookup[{host}]", daemon=True).start()
        return answer


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host.partition("%")[0])
            return True
    return False
