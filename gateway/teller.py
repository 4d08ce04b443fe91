"""Tells the log, once, what went wrong and once that it is well again; healthy running says nothing.

A fault must last before it is told, so that a flapping line writes two lines a minute at most.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

log = logging.getLogger("nabd")

LASTS = 10.0
"""Seconds a fault must stay before anybody is told: a plug pulled over, a broker restarted, are no news."""
QUIET = 60.0
"""Seconds between two lines about one thing."""

Faults = Mapping[str, Callable[[], str]]
"""What can be wrong: its name, and what says the fault or "" when all is well."""


class Teller:
    """Watches faults; belongs to one task."""

    def __init__(self, faults: Faults) -> None:
        """`faults` are asked once a second."""
        self._faults = faults
        self._since: dict[str, float] = {}
        self._told: dict[str, float] = {}

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            await asyncio.sleep(1)
            for name, fault in self._faults.items():
                self.look(name, fault(), asyncio.get_running_loop().time())

    def look(self, name: str, fault: str, now: float) -> None:
        """Take one look at one thing; `now` in seconds."""
        since = self._since.setdefault(name, now) if fault else self._since.pop(name, now)
        if fault and name not in self._told and now - since >= LASTS:
            self._told[name] = now
            log.warning("%s: %s", name, fault)
        elif not fault and name in self._told and now - self._told[name] >= QUIET:
            del self._told[name]
            log.warning("%s: well again", name)
