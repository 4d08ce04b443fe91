"""Decides which block goes next: new ones first, old ones beside them at a bounded rate. No I/O; time is handed in.

A block is in one place at a time: waiting in `fresh`, `suspects` or `backlog`, on its way to its PUBACK, sent and
awaiting its stored ack, or resting. One that stays unanswered comes back into the backlog, its wait doubling up to 10
minutes; one that the broker refused, or the disk would not give, rests and comes back likewise.

A connection that dies makes a suspect of every block on its way, since some brokers refuse a block by hanging up. While
there are suspects blocks go one at a time: then a loss names its block, and three of them set it aside (`strikes.py`).
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush, merge
from math import exp

from gateway.strikes import ENOUGH, HUNG_UP, Strikes

UNSTORED = 2000
"""Blocks that may await their stored ack at once; more would only make a dead collector's queue longer."""
BACKLOG_RATE = 5.0
LIVE_FACTOR = 20.0
SLOWEST = 1 / 8
LONGEST_WAIT = 600.0
LONGEST_ASIDE = 3600.0
FIRST_REST = 5.0
"""Seconds until a block is asked of the disk again."""
ALONE = 5.0
"""Seconds for which one block keeps the others waiting; a broker owes no answer to a deadline, so it is a short one."""
RATE_MEMORY = 30.0


class Lanes:
    """The order of sending. Times are monotonic seconds; blocks are their numbers."""

    def __init__(self, ack_timeout: float) -> None:
        """`ack_timeout` is how long a sent block may stay unanswered the first time."""
        self.missing_acks = 0
        self.strikes = Strikes()
        self._ack_timeout = ack_timeout
        self._fresh: deque[int] = deque()
        self._suspects: deque[int] = deque()
        self._backlog: deque[int] = deque()
        self._replayed: set[int] = set()
        self._highest = -1
        self._under_way: set[int] = set()
        self._tries: dict[int, int] = {}
        self._awaiting: dict[int, float] = {}
        self._rests: dict[int, int] = {}
        self._resting: dict[int, float] = {}
        self._timers: list[tuple[float, int]] = []
        self._live_rate = 0.0
        self._last_commit: float | None = None
        self._slow = 1.0
        self._slowed_at = float("-inf")
        self._next_backlog = 0.0
        self._alone: int | None = None
        self._next_alone = float("-inf")

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
        self._fresh.clear()
        everything = merge(sorted(self._replayed), pending)
        elsewhere = self._awaiting.keys() | self._resting.keys() | set(self._suspects)
        self._backlog = deque(block for block in everything if block not in elsewhere)
        if pending:
            self._highest = max(self._highest, pending[-1])

    def lost(self, now: float) -> None:
        """End a connection: suspect what was on its way, or blame it when it was alone."""
        suspects = sorted(self._under_way)
        self._under_way.clear()
        if len(suspects) == 1 and self.strikes.against(suspects[0], HUNG_UP) >= ENOUGH:
            self._rest(suspects[0], now, self._ack_timeout, LONGEST_ASIDE)
        else:
            self._suspects.extend(suspects)

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
        """Give the block to send now, or None; it is then under way until one of the five calls below."""
        self._come_back(now)
        if self._full or (self._one_at_a_time and now < self._next_alone):
            return None
        if self._fresh:
            block = self._fresh.popleft()
        elif self._suspects:
            block = self._alone = self._suspects.popleft()
        elif self._backlog and now >= self._next_backlog:
            block = self._backlog.popleft()
            self._next_backlog = max(self._next_backlog, now - 1 / self.backlog_rate) + 1 / self.backlog_rate
        else:
            return None
        self._under_way.add(block)
        self._next_alone = now + ALONE
        return block

    def wake_at(self, now: float) -> float | None:
        """When `next` may have something without any other event, or None."""
        moments = [self._timers[0][0]] if self._timers else []
        if self._one_at_a_time:
            moments.append(max(self._next_alone, now))
        elif self._backlog and not self._full:
            moments.append(max(self._next_backlog, now))
        return min(moments, default=None)

    def sent_before(self, block: int) -> bool:
        """Say whether the block was given to a broker earlier and went unanswered."""
        return block in self._tries

    def sent(self, block: int, now: float) -> None:
        """The broker has it: await the stored ack, unless that came even before the PUBACK."""
        self._acquit(block, now)
        if block not in self._under_way:
            return
        self._under_way.discard(block)
        self._rests.pop(block, None)
        tries = self._tries[block] = self._tries.get(block, 0) + 1
        self._awaiting[block] = self._wake(block, now + _doubled(self._ack_timeout, tries, LONGEST_WAIT))

    def refused(self, block: int, now: float, reason: str) -> None:
        """The broker did not take it: keep it for later; without a `reason` against the block, send slower as well."""
        self._under_way.discard(block)
        if not reason:
            self._slow_down(now)
        aside = bool(reason) and self.strikes.against(block, reason) >= ENOUGH
        self._rest(block, now, self._ack_timeout, LONGEST_ASIDE if aside else LONGEST_WAIT)

    def unread(self, block: int, now: float) -> None:
        """The disk did not give its bytes: ask again soon."""
        self._under_way.discard(block)
        self._rest(block, now, FIRST_REST, LONGEST_WAIT)

    def freed(self, block: int) -> bool:
        """The block needs no more sending; True when it was being replayed."""
        replayed = block in self._replayed
        self._replayed.discard(block)
        self._under_way.discard(block)
        self._tries.pop(block, None)
        self._rests.pop(block, None)
        self._resting.pop(block, None)
        self.strikes.acquit(block)
        if block in self._suspects:
            self._suspects.remove(block)
        if self._awaiting.pop(block, None) is not None:
            self._slow = min(self._slow * 1.1, 1.0)
        return replayed

    @property
    def _full(self) -> bool:
        return len(self._awaiting) + len(self._under_way) >= UNSTORED

    @property
    def _one_at_a_time(self) -> bool:
        """Whether a block must wait for the answer to the one before it."""
        return bool(self._under_way and (self._suspects or self._alone in self._under_way))

    def _acquit(self, block: int, now: float) -> None:
        """The broker takes what it refused before: what rests for the same reason need not wait longer."""
        for other in self.strikes.acquit(block):
            if other in self._resting:
                self._resting[other] = self._wake(other, now)

    def _rest(self, block: int, now: float, first: float, longest: float) -> None:
        rests = self._rests[block] = self._rests.get(block, 0) + 1
        self._resting[block] = self._wake(block, now + _doubled(first, rests, longest))

    def _wake(self, block: int, when: float) -> float:
        heappush(self._timers, (when, block))
        return when

    def _come_back(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            when, block = heappop(self._timers)
            if self._awaiting.get(block) == when:
                del self._awaiting[block]
                self._backlog.append(block)
                self.missing_acks += 1
                self._slow_down(now)
            elif self._resting.get(block) == when:
                del self._resting[block]
                (self._suspects if self.strikes.hung_up(block) else self._backlog).append(block)

    def _slow_down(self, now: float) -> None:
        # One restart of a broker leaves many blocks unanswered at once; that is one event, not many.
        if now - self._slowed_at >= self._ack_timeout:
            self._slow = max(self._slow / 2, SLOWEST)
            self._slowed_at = now


def _doubled(first: float, times: int, longest: float) -> float:
    return min(first * 2.0 ** min(times - 1, 20), longest)
