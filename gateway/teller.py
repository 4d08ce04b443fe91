"""Tells the log, once, what went wrong and once that it is well again; healthy running says nothing.

A fault must last before it is told, and so must being well; a line that flaps, however slowly, writes one line a minute
at most.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

log = logging.getLogger("nabd")

LASTS = 10.0
"""Seconds a fault must stay before anybody is told: a plug pulled over, a broker restarted, are no news."""
QUIET = 60.0
"""Seconds between two lines about one thing, and those it must stay well before that is told."""

Faults = Mapping[str, Callable[[], str]]
"""What can be wrong: its name, and what says the fault or "" when all is well."""


class Teller:
    """Watches faults; belongs to one task."""

    def __init__(self, faults: Faults) -> None:
        """`faults` are asked once a second."""
        self._faults = faults
        self._now: dict[str, tuple[bool, float]] = {}
        self._told: dict[str, tuple[bool, float]] = {}

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            await asyncio.sleep(1)
            for name, fault in self._faults.items():
                self.look(name, fault(), asyncio.get_running_loop().time())

    def look(self, name: str, fault: str, now: float) -> None:
        """Take one look at one thing; `now` in seconds."""
        wrong = bool(fault)
        was, since = self._now.get(name, (False, now))
        if wrong != was:
            since = now
        self._now[name] = wrong, since
        told, at = self._told.get(name, (False, now - QUIET))
        if wrong != told and now - since >= (LASTS if wrong else QUIET) and now - at >= QUIET:
            self._told[name] = wrong, now
            log.warning("%s: %s", name, fault or "well again")
