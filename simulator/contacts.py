"""Contacts of a scenario's meters on the lines of a simulated board: a pulse for each step of a register.

1. Whoever connects says `watch LINE` or `watch LINE DIRECTION`, and hears from then on `LINE TIME NUMBER WAY` for each
   pulse; numbers begin with one for each who watches, as a kernel's do for each request.
2. The registers are looked at a few times a second; pulses since the last look are stamped evenly in between, since a
   household that runs faster than real time gives many at once.
3. What comes while nobody watches is lost.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.serving import Send, Session

LOOK = 0.2
"""Seconds between two looks at the registers."""
MOST = 1000
"""Pulses told at one look: a register that leaps by more is a scenario's mistake, and must not fill the socket."""

Total = Callable[[], int]
"""Gives the pulses of a contact since the home was built."""


@dataclass(slots=True)
class _Watched:
    """One line that a program watches: the pulses at the last look, and how many were told."""

    total: Total
    seen: int
    told: int = 0


class Contacts:
    """A board: `totals` are its contacts by line, `now` gives nanoseconds of the monotonic clock."""

    def __init__(self, totals: Mapping[int, Total], now: Callable[[], int] = time.monotonic_ns) -> None:
        self.totals = totals
        self.now = now

    def open(self, send: Send) -> Session:
        """Let a program watch."""
        return _Watcher(self, send)


class _Watcher:
    """One program."""

    def __init__(self, board: Contacts, send: Send) -> None:
        self._board, self._send = board, send
        self._rest = b""
        self._watched: dict[int, _Watched] = {}
        self._looked = board.now()
        self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)

    def feed(self, data: bytes) -> None:
        """Take `watch` lines; a line without a contact stays silent, as an unwired one does."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for words in (line.split() for line in lines):
            if len(words) > 1 and words[0] == b"watch" and (total := self._board.totals.get(int(words[1]))):
                self._watched[int(words[1])] = _Watched(total, total())

    def close(self) -> None:
        """The program is gone."""
        self._timer.cancel()

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)
        now, before = self._board.now(), self._looked
        self._looked = now
        for line, watched in self._watched.items():
            total = watched.total()
            fresh, watched.seen = min(max(total - watched.seen, 0), MOST), max(total, watched.seen)
            for number in range(1, fresh + 1):
                watched.told += 1
                self._send(f"{line} {before + (now - before) * number // fresh} {watched.told} +\n".encode())
