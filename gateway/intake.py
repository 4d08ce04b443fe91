"""The way of a reading inside the edge, in one synchronous step: time, check, journal, live.

1. The clock turns the driver's boot time into UTC; while it cannot, the reading is journalled untimed.
2. A meter's times only rise: two readings within one millisecond get two. A value that carries its own capture time (a
   gas register) is taken once; the same one again is no news.
3. The check adds bits of quality and gives intervals; values are never changed.
4. The journal takes the reading; only then anybody sees it, the alert engine first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from drivers.contract import Number, Reading
from gateway.check import Checker, Interval, Limits
from gateway.live import LiveBook
from gateway.message import HOLDOVER

Hear = Callable[[str, int, int, Mapping[str, Number], Sequence[Interval]], None]
"""Takes meter, UTC ms, bits of quality, values, and the intervals they closed."""

METER_CLOCK_TOLERANCE_MS = 10_000
STEP_BACK_MS = 1000


class HasTime(Protocol):
    """What the intake needs of the clock."""

    @property
    def state(self) -> str:
        """Say "synced", "holdover" or "unsynced"."""

    def stamp(self, at_boot_ms: int) -> int | None:
        """Give the UTC ms of a moment on the boot clock, or None while unsynced."""


class TakesReadings(Protocol):
    """What the intake needs of the journal."""

    def add(
        self,
        meter: str,
        at: int | None,
        mono: int,
        q: int,
        values: Mapping[str, Any],
        extra: Mapping[str, Any] | None = None,
    ) -> int:
        """Keep one reading and give its sequence number."""


@dataclass(slots=True)
class Known:
    """What the intake knows of one meter; `every` in seconds."""

    every: float
    limits: Limits
    last: int = 0
    captured: int | None = None


class Intake:
    """Takes every reading of every bus; `read` counts them."""

    def __init__(
        self,
        clock: HasTime,
        checker: Checker,
        journal: TakesReadings,
        book: LiveBook,
        post: Callable[[str, int, int, Mapping[str, Number], float], None] | None,
        hear: Hear | None = None,
    ) -> None:
        """`post` sends live values, `hear` judges readings and their intervals; both may be absent."""
        self.read = 0
        self.repeated = 0
        self.meters: dict[str, Known] = {}
        self._clock, self._checker, self._journal = clock, checker, journal
        self._book, self._post, self._hear = book, post, hear

    def take(self, reading: Reading) -> None:
        """Bring one reading into the journal, then show it."""
        known = self.meters[reading.meter]
        ts = self._time_of(reading, known)
        if ts is None and reading.captured is not None:
            self.repeated += 1
            return
        q, extra = 0, None
        intervals: Sequence[Interval] = ()
        if ts is not None:
            q, intervals = self._checker.judge(reading.meter, ts, reading.values, reading.status, known.limits)
            if self._clock.state == "holdover" and reading.captured is None:
                q |= HOLDOVER
        if reading.status or reading.meter_time is not None:
            extra = _extra(reading, ts)
        self._journal.add(reading.meter, ts, reading.at, q, reading.values, extra)
        self.read += 1
        if ts is not None:
            if self._hear is not None:
                self._hear(reading.meter, ts, q, reading.values, intervals)
            self._book.update(reading.meter, ts, q, reading.values)
            if self._post is not None:
                self._post(reading.meter, ts, q, reading.values, known.every)

    def _time_of(self, reading: Reading, known: Known) -> int | None:
        if reading.captured is not None:
            if reading.captured == known.captured:
                return None
            known.captured = reading.captured
            return reading.captured
        ts = self._clock.stamp(reading.at)
        if ts is not None:
            if 0 <= known.last - ts < STEP_BACK_MS:
                ts = known.last + 2  # the clock uses every second millisecond, see there
            known.last = ts
        return ts


def _extra(reading: Reading, ts: int | None) -> dict[str, Any] | None:
    extra: dict[str, Any] = {}
    if reading.status:
        extra["status"] = list(reading.status)
    meter_time = reading.meter_time
    if meter_time is not None and ts is not None and abs(meter_time - ts) > METER_CLOCK_TOLERANCE_MS:
        extra["mt"] = meter_time
    return extra or None
