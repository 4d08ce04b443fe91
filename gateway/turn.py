"""A meter's place in the order of its bus, and what success, silence and a driver's mistake do to it."""

from collections import deque
from dataclasses import dataclass, field

from drivers.contract import Meter

SET_ASIDE_AFTER = 3
FIRST_PROBE = 10.0
LAST_PROBE = 60.0
CRASHES = 10
CRASH_MEMORY = 600.0
QUARANTINE = 3600.0


@dataclass(order=True)
class Turn:
    """One meter's place in its bus's order, and how it has fared. Times are the event loop's, in seconds.

    Among turns due at one moment the meter that waited longest goes first (`tried` is when it was last asked).
    """

    due: float
    tried: float
    meter: Meter = field(compare=False)
    every: float = field(compare=False)
    read: int = field(default=0, compare=False)
    missed: int = field(default=0, compare=False)
    failed: int = field(default=0, compare=False)
    failing: int = field(default=0, compare=False)
    last: float | None = field(default=None, compare=False)
    error: str = field(default="", compare=False)
    crashes: deque[float] = field(default_factory=lambda: deque(maxlen=CRASHES), compare=False)
    quarantined: bool = field(default=False, compare=False)
    gone: bool = field(default=False, compare=False)

    @property
    def set_aside(self) -> bool:
        """Whether the meter is only probed for now."""
        return self.failing >= SET_ASIDE_AFTER

    def succeeded(self, now: float) -> None:
        """Count a reading and find the next turn on the meter's own grid."""
        self.tried = now
        self.read += 1
        self.failing = 0
        self.error = ""
        self.quarantined = False
        self.last = now
        self.due += self.every
        if not self.every:  # asked without pause
            self.due = now
        elif self.due < now:
            late = int((now - self.due) / self.every) + 1
            self.missed += late
            self.due += late * self.every

    def stayed_silent(self, error: str) -> None:
        """Count a failure of a meter that nobody asks."""
        self.failed += 1
        self.failing += 1
        self.error = error

    def went_wrong(self, now: float, error: str) -> None:
        """Count a failure; after three the meter is set aside."""
        self.tried = now
        self.stayed_silent(error)
        if self.set_aside:
            pause = min(FIRST_PROBE * 2 ** min(self.failing - SET_ASIDE_AFTER, 10), LAST_PROBE)
            self.due = now + max(pause, self.every)
        else:
            self.due = max(now, self.due + self.every)

    def crashed(self, now: float, error: Exception) -> None:
        """Count a mistake of the driver's; the tenth in ten minutes puts the meter into quarantine."""
        self.went_wrong(now, f"{type(error).__name__} in the driver: {error}")
        self.crashes.append(now)
        if len(self.crashes) == CRASHES and now - self.crashes[0] <= CRASH_MEMORY:
            self.quarantined = True
            self.due = now + QUARANTINE
            self.crashes.clear()
