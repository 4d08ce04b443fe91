"""How old is old enough: what was closed before some moment may go, unless the clock was just set ahead."""

import time
from collections.abc import Callable

from gateway.message import ClockState

AHEAD_MS = 3_600_000
"""A clock drifts and slews by seconds; one that gains an hour was set."""


class Expiry:
    """Names the moment before which blocks are older than `keep` seconds; None while nobody can tell.

    A clock that was put ahead makes no block older: only after another `keep` have passed it is believed. The quota
    bounds the journal all the while.
    """

    def __init__(
        self,
        keep: float,
        wall: Callable[[], int],
        clock_state: Callable[[], ClockState],
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep, self._wall, self._clock_state, self._passed = keep, wall, clock_state, passed
        self._offset: float | None = None
        self._ahead: float | None = None

    def __call__(self) -> int | None:
        """Give UTC ms."""
        if self._clock_state() == "unsynced":
            return None
        wall, passed = self._wall(), self._passed()
        offset = wall - passed * 1000
        if self._offset is not None and offset > self._offset + AHEAD_MS:
            self._ahead = passed if self._ahead is None else self._ahead
            if passed - self._ahead < self._keep:
                return None
        self._offset, self._ahead = offset, None
        return wall - int(self._keep * 1000)
