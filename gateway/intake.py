"""The way of a reading inside the edge, in one synchronous step: time, check, journal, live.

1. The clock turns the driver's boot time into UTC; while it cannot, the reading is journalled untimed.
2. A meter's times only rise: two readings within one millisecond get two. A value that carries its own capture time (a
   gas register) is taken once; the same one again is no news. That time is the reading's as long as the meter's clock
   is about right; otherwise the gateway's is, and the meter's goes along as `mt`.
3. The check adds bits of quality and gives intervals; values are never changed. An interval across a step of the clock
   has a false length, so the rules get a hole instead: neither a stand nor a flow of so long.
4. The journal takes the reading; only then anybody sees it, the alert engine first.
5. What virtual meters make of it takes the same way, with its parts' bits of quality added to its own.
6. A row of a meter's load profile is the past: flagged, it goes into the journal, and neither check, rules nor pages,
   which have gone on since, hear of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from drivers.contract import Number, Reading
from gateway.alerts.rules.meter_clock import KEY as METER_CLOCK
from gateway.check import Checker, Interval, Limits
from gateway.live import LiveBook
from gateway.message import HOLDOVER, LOAD_PROFILE, METER_FLAG
from gateway.virtual.compute import Derived, Part, Virtuals

Hear = Callable[[str, int, int, Mapping[str, Number], Sequence[Interval], Sequence[str]], None]
"""Takes meter, UTC ms, bits of quality, values, and the intervals they closed."""

METER_CLOCK_TOLERANCE_MS = 10_000
"""What a meter's clock may be off without being told."""
METER_CLOCK_LIMIT_MS = 180_000
"""A meter's clock that is further off names no time of a reading: three minutes are a fifth of a quarter-hour."""
STEP_BACK_MS = 1000
STEP_MS = 60_000
"""A smaller step of the clock cannot make a stand or hide one: the shortest that a rule looks for is an hour."""


@dataclass(frozen=True, slots=True)
class ProfileRow(Reading):
    """A reading that a meter kept itself while nobody asked it (`backfill.py`); `captured` is its time."""


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
    """What the intake knows of one meter; `every` in seconds, its last reading in UTC (`last`) and boot ms (`at`)."""

    every: float
    limits: Limits
    last: int = 0
    at: int = 0
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
        self.virtuals: Virtuals | None = None
        self._clock, self._checker, self._journal = clock, checker, journal
        self._book, self._post, self._hear = book, post, hear

    def take(self, reading: Reading) -> None:
        """Bring one reading into the journal, then show it."""
        if isinstance(reading, ProfileRow):
            self._keep(reading)
            return
        known = self.meters[reading.meter]
        if reading.captured is not None and reading.captured == known.captured:
            self.repeated += 1
            return
        known.captured = reading.captured
        now = self._clock.stamp(reading.at)
        own = _names_its_time(reading, now)
        ts, stepped = (reading.captured, False) if own else _rising(known, now, reading.at)
        q, extra = reading.q if isinstance(reading, Derived) else 0, None
        intervals: Sequence[Interval] = ()
        if ts is not None:
            bits, intervals = self._checker.judge(reading.meter, ts, reading.values, reading.status, known.limits)
            q |= bits
            if self._clock.state == "holdover" and not own:
                q |= HOLDOVER
        if reading.status or reading.meter_time is not None or reading.captured is not None:
            extra = _extra(reading, now, own=own)
        self._journal.add(reading.meter, ts, reading.at, q, reading.values, extra)
        self.read += 1
        if ts is not None:
            if self._hear is not None:
                self._hear(reading.meter, ts, q, _with_clock(reading, ts), () if stepped else intervals, reading.status)
            self._book.update(reading.meter, ts, q, reading.values)
            if self._post is not None:
                self._post(reading.meter, ts, q, reading.values, known.every)
        if self.virtuals is not None:
            self._compute(self.virtuals, _part_of(reading, now, q, own=own))

    def _compute(self, virtuals: Virtuals, part: Part | None) -> None:
        """Take what virtual meters make of a reading."""
        for made in virtuals.hear(part) if part is not None else ():
            self.take(made)

    def _keep(self, row: ProfileRow) -> None:
        """Bring a row of the past into the journal."""
        q = LOAD_PROFILE | (METER_FLAG if row.status else 0)
        extra = {"status": list(row.status)} if row.status else None
        self._journal.add(row.meter, row.captured, row.at, q, row.values, extra)


def _names_its_time(reading: Reading, now: int | None) -> bool:
    """Tell whether the reading's own capture time is its time; `now` is the gateway's, None while unsynced."""
    if reading.captured is None or now is None:
        return reading.captured is not None
    shown = now if reading.meter_time is None else reading.meter_time
    return abs(shown - now) <= METER_CLOCK_LIMIT_MS and reading.captured - now <= METER_CLOCK_LIMIT_MS


def _part_of(reading: Reading, now: int | None, q: int, *, own: bool) -> Part | None:
    """Say what virtual meters need of a reading; one of its own time has none on the boot clock while unsynced."""
    if not own:
        return Part(reading.meter, reading.at, reading.at, reading.values, q)
    if now is None or reading.captured is None:
        return None
    moment = reading.at - (now - reading.captured)
    return Part(reading.meter, moment, reading.at, reading.values, q, reading.captured)


def _with_clock(reading: Reading, ts: int) -> Mapping[str, Number]:
    """Add how far the meter's clock is ahead, where it shows one, for the rules to judge."""
    if reading.meter_time is None or reading.captured is not None:
        return reading.values
    return {**reading.values, METER_CLOCK: (reading.meter_time - ts) / 1000}


def _rising(known: Known, ts: int | None, at: int) -> tuple[int | None, bool]:
    """Give a meter's next time, and whether the clock was set since its last one."""
    if ts is None:
        return None, False
    if 0 <= known.last - ts < STEP_BACK_MS:
        ts = known.last + 2  # the clock uses every second millisecond, see there
    stepped = known.last != 0 and abs((ts - known.last) - (at - known.at)) > STEP_MS
    known.last, known.at = ts, at
    return ts, stepped


def _extra(reading: Reading, now: int | None, *, own: bool) -> dict[str, Any] | None:
    extra: dict[str, Any] = {}
    if reading.status:
        extra["status"] = list(reading.status)
    told = reading.meter_time if own or reading.captured is None else reading.captured
    if told is not None and now is not None and abs(told - now) > METER_CLOCK_TOLERANCE_MS:
        extra["mt"] = told
    return extra or None
