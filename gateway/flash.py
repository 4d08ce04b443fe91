"""What this program writes to flash: cards wear out by it, so it is measured here and shown, not promised only.

The kernel counts what the process hands to disks; the file system's own journal comes on top, about a quarter more.
"""

from collections import deque
from collections.abc import Callable

from gateway.journal.stats import written_by_process

DAY = 86400.0
LIMIT = 1_000_000_000
"""Bytes a day from which it is told: a plain card takes 10 TB in its life, which are gone in 27 years at this rate."""
_EVERY = 900.0
_SOONEST = 60.0
"""Seconds after which a rate is told; a start writes more than a minute after it."""


class FlashMeter:
    """Keeps a sample each quarter-hour of the last day; `now` is monotonic seconds."""

    def __init__(self, now: float, read: Callable[[], int] = written_by_process) -> None:
        """Begin to count."""
        self._read = read
        self._samples = deque([(now, read())], maxlen=int(DAY / _EVERY) + 1)

    def look(self, now: float) -> None:
        """Take a sample when it is time; call it as often as you like."""
        if now - self._samples[-1][0] >= _EVERY:
            self._samples.append((now, self._read()))

    def a_day(self, now: float) -> int | None:
        """Give bytes a day, from those of the last day or since the start; None in the first minute."""
        began, before = self._samples[0]
        if now - began < _SOONEST:
            return None
        return int((self._read() - before) / (now - began) * DAY)

    def warning(self, now: float) -> str:
        """Say so when flash is written too much; the first quarter-hour says nothing about a day."""
        a_day = self.a_day(now)
        if a_day is None or a_day <= LIMIT or now - self._samples[0][0] < _EVERY:
            return ""
        return f"{a_day / 1e9:.1f} GB a day are written to flash (poll more seldom, or lengthen journal.window)"
