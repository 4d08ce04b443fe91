"""The way of a reading: timed, checked, kept, shown, and never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drivers.contract import Number, Reading
from gateway.check import Checker, Interval, Limits
from gateway.intake import Intake, Known
from gateway.live import LiveBook, LiveMeter
from gateway.message import HOLDOVER, METER_FLAG, SUSPECT


@dataclass
class FakeClock:
    """Boot time plus an offset, or nothing."""

    offset: int | None = 1_000_000
    state: str = "synced"

    def stamp(self, at_boot_ms: int) -> int | None:
        """Add the offset."""
        return None if self.offset is None else at_boot_ms + self.offset


@dataclass
class FakeJournal:
    """Keeps what it is given."""

    rows: list[tuple[str, int | None, int, int, Mapping[str, Any], Any]] = field(default_factory=list)

    def add(
        self,
        meter: str,
        at: int | None,
        mono: int,
        q: int,
        values: Mapping[str, Any],
        extra: Mapping[str, Any] | None = None,
    ) -> int:
        """Keep one reading."""
        self.rows.append((meter, at, mono, q, values, extra))
        return len(self.rows)


@dataclass
class Bench:
    """An intake for one meter and all it tells."""

    clock: FakeClock = field(default_factory=FakeClock)
    journal: FakeJournal = field(default_factory=FakeJournal)
    book: LiveBook = field(default_factory=LiveBook)
    posted: list[tuple[str, int, int]] = field(default_factory=list)
    heard: list[Interval] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Know the meter "m"."""
        self.intake = Intake(self.clock, Checker(), self.journal, self.book, self._post, self._hear)
        self.intake.meters["m"] = Known(1.0, Limits())
        self.book.know(LiveMeter("m", "main", "electricity", "a model", 1.0))

    def _post(self, meter: str, ts: int, q: int, _values: Mapping[str, Number], _every: float) -> None:
        self.posted.append((meter, ts, q))

    def _hear(self, meter: str, ts: int, q: int, values: Mapping[str, Number], intervals: Sequence[Interval]) -> None:
        assert self.journal.rows[-1][:2] == (meter, ts)
        assert self.journal.rows[-1][3:5] == (q, values)
        self.heard += intervals

    def take(self, at: int, energy: Number = 5, **more: Any) -> None:
        """Take one reading."""
        self.intake.take(Reading("m", at, {"energy_import_wh": energy}, **more))


def test_a_reading_is_kept_and_shown_with_its_time() -> None:
    """Boot time becomes UTC; journal, page and live topic see the same reading."""
    bench = Bench()
    bench.take(500)
    assert bench.journal.rows == [("m", 1_000_500, 500, 0, {"energy_import_wh": 5}, None)]
    assert bench.posted == [("m", 1_000_500, 0)]
    assert bench.book.meters()[0].ts == 1_000_500


def test_without_a_clock_a_reading_is_kept_untimed_and_not_shown() -> None:
    """An unsynced reading waits in the journal for its time."""
    bench = Bench(clock=FakeClock(offset=None, state="unsynced"))
    bench.take(500)
    assert bench.journal.rows[0][1:4] == (None, 500, 0)
    assert bench.posted == []


def test_two_readings_of_one_millisecond_get_two_times() -> None:
    """A meter's key in the store is its time, so times only rise."""
    bench = Bench()
    bench.take(500)
    bench.take(500)
    bench.take(501)
    times = [row[1] for row in bench.journal.rows]
    assert len(set(times)) == 3
    assert times == sorted(times)  # type: ignore[type-var]


def test_a_value_with_its_own_capture_time_is_taken_once() -> None:
    """A gas register repeated in each telegram is one reading an hour."""
    bench = Bench()
    bench.take(500, captured=900_000)
    bench.take(1500, captured=900_000)
    bench.take(2500, captured=1_200_000)
    assert [row[1] for row in bench.journal.rows] == [900_000, 1_200_000]
    assert bench.intake.read == 2
    assert bench.intake.repeated == 1


def test_a_drop_is_flagged_and_the_value_left_as_it_was() -> None:
    """The check adds a bit; the meter's number goes on unchanged, and no consumption is told yet."""
    bench = Bench()
    bench.take(1000, 397_000)
    bench.take(2000, 0)
    assert bench.journal.rows[1][3] & SUSPECT
    assert bench.journal.rows[1][4] == {"energy_import_wh": 0}
    assert bench.heard == []


def test_intervals_reach_whoever_listens() -> None:
    """A rise is an interval of that amount."""
    bench = Bench()
    bench.take(1000, 5)
    bench.take(2000, 7)
    assert [(interval.key, interval.amount) for interval in bench.heard] == [("energy_import_wh", 2)]


def test_status_and_a_wrong_meter_clock_travel_along() -> None:
    """Flags become a list and a bit; a meter's clock more than ten seconds off is told."""
    bench = Bench()
    bench.take(1000, status=("leak",), meter_time=1_001_000 - 60_000)
    bench.take(2000, meter_time=1_002_000 - 9_000)
    assert bench.journal.rows[0][3] & METER_FLAG
    assert bench.journal.rows[0][5] == {"status": ["leak"], "mt": 941_000}
    assert bench.journal.rows[1][5] is None


def test_holdover_is_a_bit() -> None:
    """A clock that ran on alone marks each reading it stamps."""
    bench = Bench(clock=FakeClock(state="holdover"))
    bench.take(1000)
    assert bench.journal.rows[0][3] == HOLDOVER
