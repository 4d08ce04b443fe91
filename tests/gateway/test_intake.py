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

    def _hear(
        self,
        meter: str,
        ts: int,
        q: int,
        values: Mapping[str, Number],
        intervals: Sequence[Interval],
        _: Sequence[str],
    ) -> None:
        assert self.journal.rows[-1][:2] == (meter, ts)
        kept = {key: value for key, value in values.items() if key != "meter_clock_s"}
        assert self.journal.rows[-1][3:5] == (q, kept)
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
    bench.take(2500, captured=1_000_000)
    assert [row[1] for row in bench.journal.rows] == [900_000, 1_000_000]
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


NOON = 1_795_262_400_000
"""UTC ms, on a clock whose boot time is `NOON` less than that."""


def told(offset_ms: int, captured: int | None = None) -> tuple[int | None, Any]:
    """Take one reading of a meter whose clock is so far off; give its time less noon, and what goes along."""
    bench = Bench(clock=FakeClock(offset=NOON))
    bench.take(0, meter_time=NOON + offset_ms, captured=None if captured is None else NOON + captured)
    _, ts, _, _, _, extra = bench.journal.rows[0]
    return None if ts is None else ts - NOON, None if extra is None else extra["mt"] - NOON


def test_a_meter_s_clock_is_told_from_ten_seconds_on() -> None:
    """T10: five seconds off is nothing; thirty seconds or ten minutes go along, and the time is the gateway's."""
    assert told(5_000) == (0, None)
    assert told(-10_000) == (0, None)
    assert told(30_000) == (0, 30_000)
    assert told(-600_000) == (0, -600_000)


def test_a_meter_s_own_time_counts_up_to_three_minutes() -> None:
    """T10: an hourly register of a meter ten minutes off is timed by the gateway; what the meter said is kept."""
    hour = -1_800_000
    assert told(5_000, captured=hour) == (hour, None)
    assert told(180_000, captured=hour) == (hour, 180_000)
    assert told(-600_000, captured=hour - 600_000) == (0, hour - 600_000)
    assert told(600_000, captured=hour + 600_000) == (0, hour + 600_000)


def test_no_value_was_captured_in_the_future() -> None:
    """T10: a sub-meter whose own clock is a day ahead of a right meter's is timed by the gateway."""
    assert told(0, captured=86_400_000) == (0, 86_400_000)


def test_across_a_step_of_the_clock_the_rules_get_a_hole() -> None:
    """T2: an interval of thirty days that never passed says nothing; the readings and the next interval are whole."""
    bench = Bench()
    bench.take(1000, 5)
    bench.take(2000, 7)
    bench.clock.offset = 1_000_000 + 30 * 86_400_000
    bench.take(3000, 7)
    bench.take(4000, 9)
    assert [(interval.end - interval.start, interval.amount) for interval in bench.heard] == [(1000, 2), (1000, 2)]
    assert [row[4]["energy_import_wh"] for row in bench.journal.rows] == [5, 7, 7, 9]


def test_a_pause_of_the_whole_program_is_no_step() -> None:
    """T5: ten minutes in which nobody ran passed on both clocks, so the rules hear of the whole interval."""
    bench = Bench()
    for at in (1000, 2000, 602_000):
        bench.take(at, at // 1000)
    assert [interval.end - interval.start for interval in bench.heard] == [1000, 600_000]


def test_the_rules_hear_how_far_a_meter_s_clock_is_ahead() -> None:
    """T10: beside the values that are kept, for readings that show the meter's clock."""
    heard: list[Mapping[str, Number]] = []
    bench = Bench(clock=FakeClock(offset=NOON))
    bench.intake = Intake(
        bench.clock, Checker(), bench.journal, bench.book, None, lambda *told: heard.append(told[3])
    )  # fmt: skip
    bench.intake.meters["m"] = Known(1.0, Limits())
    bench.take(0, meter_time=NOON + 30_000)
    bench.take(1000)
    assert heard == [{"energy_import_wh": 5, "meter_clock_s": 30.0}, {"energy_import_wh": 5}]
    assert [row[4] for row in bench.journal.rows] == [{"energy_import_wh": 5}] * 2
