"""Decides which block goes next: new ones first, old ones beside them at a bounded rate. No I/O; time is handed in.

A block is in one place at a time: waiting in `fresh` or `backlog`, on its way to its PUBACK, or sent and awaiting its
stored ack. One that stays unanswered comes back into the backlog, its wait doubling up to 10 minutes.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush, merge
from math import exp

UNSTORED = 2000
"""Blocks that may await their stored ack at once; more would only make a dead collector's queue longer."""
BACKLOG_RATE = 5.0
LIVE_FACTOR = 20.0
SLOWEST = 1 / 8
LONGEST_WAIT = 600.0
RATE_MEMORY = 30.0


class Lanes:
    """The order of sending. Times are monotonic seconds; blocks are their numbers."""

    def __init__(self, ack_timeout: float) -> None:
        """`ack_timeout` is how long a sent block may stay unanswered the first time."""
        self.missing_acks = 0
        self._ack_timeout = ack_timeout
        self._fresh: deque[int] = deque()
        self._backlog: deque[int] = deque()
        self._replayed: set[int] = set()
        self._highest = -1
        self._under_way: set[int] = set()
        self._tries: dict[int, int] = {}
        self._awaiting: dict[int, float] = {}
        self._timers: list[tuple[float, int]] = []
        self._live_rate = 0.0
        self._last_commit: float | None = None
        self._slow = 1.0
        self._slowed_at = float("-inf")
        self._next_backlog = 0.0

    @property
    def awaiting(self) -> int:
        """How many blocks are sent and not stored."""
        return len(self._awaiting)

    @property
    def backlog_rate(self) -> float:
        """Blocks a second that the backlog may use now."""
        return max(BACKLOG_RATE, LIVE_FACTOR * self._live_rate) * self._slow

    def connected(self, pending: Sequence[int]) -> None:
        """Begin a connection: all that is pending and not awaiting an answer is backlog."""
        self._under_way.clear()
        self._fresh.clear()
        everything = merge(sorted(self._replayed), pending)
        self._backlog = deque(block for block in everything if block not in self._awaiting)
        if pending:
            self._highest = max(self._highest, pending[-1])

    def committed(self, pending: Sequence[int], now: float) -> None:
        """Take what the journal committed since the last call into the live lane."""
        new = pending[bisect_right(pending, self._highest) :]
        if not new:
            return
        self._fresh.extend(new)
        self._highest = new[-1]
        if self._last_commit is not None:
            passed = max(now - self._last_commit, 1e-3)
            self._live_rate += (len(new) / passed - self._live_rate) * (1 - exp(-passed / RATE_MEMORY))
        self._last_commit = now

    def replay(self, blocks: Iterable[int]) -> int:
        """Put blocks that were stored once before into the backlog again; give how many are new there."""
        new = [block for block in blocks if block not in self._replayed]
        self._replayed.update(new)
        self._backlog.extend(new)
        return len(new)

    def next(self, now: float) -> int | None:
        """Give the block to send now, or None; it is then under way until `sent`, `refused`, `unsent` or `freed`."""
        self._come_back(now)
        if len(self._awaiting) + len(self._under_way) >= UNSTORED:
            return None
        if self._fresh:
            block = self._fresh.popleft()
        elif self._backlog and now >= self._next_backlog:
            block = self._backlog.popleft()
            self._next_backlog = max(self._next_backlog, now - 1 / self.backlog_rate) + 1 / self.backlog_rate
        else:
            return None
        self._under_way.add(block)
        return block

    def wake_at(self, now: float) -> float | None:
        """When `next` may have something without any other event, or None."""
        moments = [self._timers[0][0]] if self._timers else []
        if self._backlog and len(self._awaiting) + len(self._under_way) < UNSTORED:
            moments.append(max(self._next_backlog, now))
        return min(moments, default=None)

    def sent_before(self, block: int) -> bool:
        """Say whether the block was given to a broker earlier and went unanswered."""
        return block in self._tries

    def sent(self, block: int, now: float) -> None:
        """The broker has it: await the stored ack, unless that came even before the PUBACK."""
        if block in self._under_way:
            self._under_way.discard(block)
            self._wait_for(block, now)

    def refused(self, block: int, now: float, *, slower: bool) -> None:
        """The broker did not take it: keep it for later, and send slower when it asked for that."""
        self._under_way.discard(block)
        self._wait_for(block, now)
        if slower:
            self._slow_down(now)

    def unsent(self, block: int) -> None:
        """The connection died first: the next one takes the block from the journal again."""
        self._under_way.discard(block)

    def freed(self, block: int) -> bool:
        """The block needs no more sending; True when it was being replayed."""
        replayed = block in self._replayed
        self._replayed.discard(block)
        self._under_way.discard(block)
        self._tries.pop(block, None)
        if self._awaiting.pop(block, None) is not None:
            self._slow = min(self._slow * 1.1, 1.0)
        return replayed

    def _wait_for(self, block: int, now: float) -> None:
        tries = self._tries.get(block, 0)
        self._tries[block] = tries + 1
        again = now + min(self._ack_timeout * 2 ** min(tries, 10), LONGEST_WAIT)
        self._awaiting[block] = again
        heappush(self._timers, (again, block))

    def _come_back(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            again, block = heappop(self._timers)
            if self._awaiting.get(block) == again:
                del self._awaiting[block]
                self._backlog.append(block)
                self.missing_acks += 1
                self._slow_down(now)

    def _slow_down(self, now: float) -> None:
        # One restart of a broker leaves many blocks unanswered at once; that is one event, not many.
        if now - self._slowed_at >= self._ack_timeout:
            self._slow = max(self._slow / 2, SLOWEST)
            self._slowed_at = now
