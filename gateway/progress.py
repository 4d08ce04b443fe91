"""Which essential tasks still move: the watchdog is fed only while none of them stands still.

1. A task of ours says `alive()` each turn; of a part that knows nothing of this, a mark is watched that changes with
   its work, or is None while it has nothing to do or waits for the world.
2. Each has its own pause: the longest it may honestly make no turn. A meter, a broker, a full disk that do not answer
   are part of that pause, since a new start would not mend them.
3. `look` compares marks; it is called every few seconds, so a turn costs one addition.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

from gateway.transport import Connect, Connection, Endpoint

T = TypeVar("T")

Mark = Callable[[], Hashable | None]
"""Changes when there was progress; None while there is nothing to do."""


@dataclass(slots=True)
class Pulse:
    """What one task beats; one that waits for the world to want something of it rests."""

    turns: int = 0
    resting: bool = False

    def alive(self) -> None:
        """Say that the task made a turn."""
        self.turns += 1
        self.resting = False

    def rest(self) -> None:
        """Say that there is nothing to do until the next beat."""
        self.resting = True

    def mark(self) -> int | None:
        """Give what changes with each turn, None at rest."""
        return None if self.resting else self.turns


@dataclass(slots=True)
class _Watched:
    pause: float
    mark: Mark
    seen: Hashable | None
    since: float


class Progress:
    """The essential tasks of one program; time is handed in, in seconds of any monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Watch nothing yet; `overdue` is what the last look gave."""
        self.overdue: list[str] = []
        self._now = now
        self._watched: dict[str, _Watched] = {}

    def pulse(self, name: str, pause: float) -> Pulse:
        """Watch a task that beats the pulse given back, no more than `pause` seconds apart."""
        pulse = Pulse()
        self.watch(name, pause, pulse.mark)
        return pulse

    def watch(self, name: str, pause: float, mark: Mark) -> None:
        """Watch a mark that changes within `pause` seconds while there is work."""
        self._watched[name] = _Watched(pause, mark, mark(), self._now())

    def forget(self, name: str) -> None:
        """Watch it no longer: its task was ended on purpose."""
        self._watched.pop(name, None)

    def look(self) -> list[str]:
        """Give the names of those that stand still, each with how long it has; empty while all move."""
        now = self._now()
        overdue = []
        for name, watched in self._watched.items():
            mark = watched.mark()
            if mark is None or mark != watched.seen:
                watched.seen, watched.since = mark, now
            elif now - watched.since > watched.pause:
                overdue.append(f"{name} made no turn for {now - watched.since:.0f} s")
        self.overdue = overdue
        return overdue


def beaten(pulse: Pulse, clock: Callable[[], T]) -> Callable[[], T]:
    """Give a clock that beats a pulse whenever it is read, for a part that reads it every turn."""

    def read() -> T:
        pulse.turns += 1
        return clock()

    return read


def counted(dial: Connect, dials: Pulse) -> Connect:
    """Give a `connect` that beats a pulse at each try."""

    async def connect_and_count(endpoint: Endpoint, timeout: float = 10.0) -> Connection:
        dials.alive()
        return await dial(endpoint, timeout)

    return connect_and_count
