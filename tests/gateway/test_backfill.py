"""Gaps are filled from what meters remember: each row once, between turns, whatever fails meanwhile."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from drivers.contract import HasHistory, NoAnswer, Reading
from gateway.backfill import last_readings
from gateway.check import Checker, Limits
from gateway.gaps import LONGEST_MS
from gateway.intake import Intake, Known, ProfileRow
from gateway.live import LiveBook
from gateway.message import LOAD_PROFILE, METER_FLAG
from tests.support.backfill_bench import DAY, HOUR, QUARTER, START, Bench, FakeDriver, expected, minutes, silence


def test_a_silent_meters_gap_is_filled_once(tmp_path: Path) -> None:
    """Every quarter of the silence is taken, none twice, and the file forgets the gap."""
    bench = Bench(tmp_path).run(lambda bench: silence(bench, 300))
    assert len(bench.rows["m"]) == 20
    assert bench.rows["m"] == expected(bench)
    assert len(bench.driver.asked) == 1
    assert bench.backfill.status() == {
        "backfilled": 20, "gaps": 0, "unfilled": {}, "left_out": {}, "error": "",
    }  # fmt: skip
    assert (tmp_path / "backfill.json").read_bytes() == b"[]"
    assert bench.flushed > 0


def test_a_bus_that_was_down_has_the_gaps_of_all_its_meters_filled(tmp_path: Path) -> None:
    """The wire's silence is each meter's."""

    async def story(bench: Bench) -> None:
        await minutes(10)
        bench.driver.away = True
        await minutes(120)
        bench.driver.away = False
        await minutes(30)

    bench = Bench(tmp_path, every={"a": 30.0, "b": 60.0}).run(story)
    assert [len(bench.rows[name]) for name in "ab"] == [8, 8]
    assert [bench.rows[name] for name in "ab"] == [expected(bench, name) for name in "ab"]


def test_a_missed_turn_is_no_gap(tmp_path: Path) -> None:
    """Two intervals between two readings are a turn that failed, and nothing is asked for."""

    async def story(bench: Bench) -> None:
        await minutes(30)
        bench.driver.silent = {"m"}
        await minutes(15)
        bench.driver.silent = set()
        await minutes(60)

    bench = Bench(tmp_path, every={"m": 900.0}).run(story)
    assert bench.poller.turns[0].failed == 1
    assert bench.driver.asked == []


def test_half_a_minute_is_no_gap_of_a_quick_meter(tmp_path: Path) -> None:
    """No load profile has rows so close together that there could be one."""
    bench = Bench(tmp_path, every={"m": 1.0}).run(lambda bench: silence(bench, 0.3))
    assert bench.poller.turns[0].failed >= 3
    assert bench.driver.asked == []


def test_a_restart_fills_what_was_missed_while_away(tmp_path: Path) -> None:
    """The gap begins where the check says that the meter was last read."""
    bench = Bench(tmp_path, before={"m": START - 2 * HOUR + 1}).run(lambda _: minutes(10))
    first = bench.live["m"][0]
    assert bench.rows["m"] == list(range(START - 2 * HOUR + QUARTER, first, QUARTER))


def test_a_quick_restart_is_no_gap(tmp_path: Path) -> None:
    """A minute and a half away is nothing to a meter that is read once a minute."""
    bench = Bench(tmp_path, before={"m": START + 1_000_000 - 90_000}).run(lambda _: minutes(10))
    assert bench.driver.asked == []


def test_a_long_gap_is_filled_in_days_and_no_more_than_a_month(tmp_path: Path) -> None:
    """A gateway that lay in a drawer for a year asks for 31 days, a day at a time."""
    bench = Bench(tmp_path, before={"m": START - 365 * DAY}).run(lambda _: minutes(20))
    assert len(bench.driver.asked) == 31
    assert max(until - since for _, since, until in bench.driver.asked) < DAY
    times = bench.rows["m"]
    assert times == list(range(times[0], times[0] + 31 * 96 * QUARTER, QUARTER))
    assert START - LONGEST_MS <= times[0] < START - LONGEST_MS + 2 * HOUR
    assert bench.backfill.unfilled == {"too_old": 1}


def test_filling_makes_no_meter_miss_its_turn(tmp_path: Path) -> None:
    """While a month is filled in pieces of two seconds, the meter beside it is read on time."""
    driver = FakeDriver(a_day_takes=2.0)
    bench = Bench(tmp_path, driver, {"m": 60.0, "quick": 5.0}, before={"m": START - LONGEST_MS})
    bench.run(lambda _: minutes(20))
    assert len(bench.rows["m"]) >= 31 * 96
    late = [b - a - 5000 for a, b in pairwise(bench.live["quick"][1:])]
    assert max(late) <= 2_100, "the first piece's length is not known beforehand"
    assert sorted(late)[-3] <= 100
    assert sum(turn.missed for turn in bench.poller.turns) == 0


def test_a_bus_that_is_never_idle_gives_a_piece_a_minute(tmp_path: Path) -> None:
    """Meters that are asked without pause are read on; the gaps of all of them get one piece each minute."""
    every = dict.fromkeys("abc", 0.0)
    bench = Bench(tmp_path, every=every, before=dict.fromkeys("abc", START - 3 * DAY)).run(lambda _: minutes(10))
    assert 8 <= len(bench.driver.asked) <= 10
    assert min(len(times) for times in bench.live.values()) > 3000


def test_a_slow_meter_is_asked_for_less_at_once(tmp_path: Path) -> None:
    """Where a day takes forty seconds, pieces shrink until one takes five."""
    bench = Bench(tmp_path, FakeDriver(a_day_takes=40.0), before={"m": START - 5 * DAY}).run(lambda _: minutes(60))
    lengths = [until - since for _, since, until in bench.driver.asked]
    assert lengths[0] == DAY - 1
    assert max(lengths[4:]) <= DAY / 8
    assert len(bench.rows["m"]) >= 5 * 96
    assert len(set(bench.rows["m"])) == len(bench.rows["m"])


def test_what_lies_outside_the_gap_is_left_out(tmp_path: Path) -> None:
    """Rows from before or after, twice, or without a time, are none of the gap's."""
    driver = FakeDriver(more=[START - 50 * DAY, None, START + 50 * DAY, START - 4 * HOUR + 5_000])
    bench = Bench(tmp_path, driver, before={"m": START - 4 * HOUR}).run(lambda _: minutes(10))
    assert bench.rows["m"] == sorted(set(bench.rows["m"]))
    assert min(bench.rows["m"]) > START - 4 * HOUR
    assert max(bench.rows["m"]) < bench.live["m"][0]
    assert bench.backfill.left_out == {"outside": 4}


def test_a_meter_that_is_still_silent_is_not_asked_for_its_past(tmp_path: Path) -> None:
    """Its gap waits until it answers; the one beside it is served."""

    async def story(bench: Bench) -> None:
        await minutes(2)
        assert {name for name, _, _ in bench.driver.asked} == {"a", "b"}
        bench.driver.silent, bench.driver.fails = {"a"}, []
        bench.driver.asked.clear()
        await minutes(60)

    driver = FakeDriver(fails=[NoAnswer("silent")] * 99)
    before = dict.fromkeys("ab", START - 4 * HOUR)
    bench = Bench(tmp_path, driver, dict.fromkeys("ab", 60.0), before=before).run(story)
    assert {name for name, _, _ in driver.asked} == {"b"}
    assert set(bench.rows) == {"b"}
    assert bench.backfill.status()["gaps"] == 1


def test_a_driver_without_history_costs_nothing(tmp_path: Path) -> None:
    """Nothing is noted of its meters, nothing asked."""

    class Plain:
        turns: Literal["asked", "pushed"] = "asked"

        def __init__(self) -> None:
            self._driver = FakeDriver()
            self.connect, self.read = self._driver.connect, self._driver.read
            self.close, self.counters = self._driver.close, self._driver.counters
            self.silent: set[str] = set()

    plain = Plain()
    assert not isinstance(plain, HasHistory)
    bench = Bench(tmp_path, plain, before={"m": START - DAY}).run(lambda bench: silence(bench, 60))
    assert bench.backfill.status()["gaps"] == 0
    assert not (tmp_path / "backfill.json").exists()


def test_a_row_goes_into_the_journal_alone() -> None:
    """It carries its flags; check, rules, pages and live topics, which have gone on, hear nothing of it."""
    kept: list[Any] = []
    heard: list[Any] = []
    checker = Checker()

    class Journal:
        def add(self, *row: object) -> int:
            kept.append(row)
            return len(kept)

    class Clock:
        state = "holdover"

        def stamp(self, at: int) -> int:
            return at + START

    book = LiveBook()
    intake = Intake(Clock(), checker, Journal(), book, lambda *post: heard.append(post), lambda *row: heard.append(row))
    intake.meters["m"] = Known(1.0, Limits())
    intake.take(Reading("m", 5_000, {"energy_import_wh": 9}))
    state, told = checker.snapshot(), len(heard)
    for number in range(20):
        intake.take(ProfileRow("m", 6_000, {"energy_import_wh": 1}, captured=START - (20 - number) * QUARTER))
    intake.take(ProfileRow("m", 6_000, {"energy_import_wh": 8}, ("clock_invalid",), captured=START - QUARTER + 1))
    assert kept[1] == ("m", START - 20 * QUARTER, 6_000, LOAD_PROFILE, {"energy_import_wh": 1}, None)
    assert kept[-1][3:] == (LOAD_PROFILE | METER_FLAG, {"energy_import_wh": 8}, {"status": ["clock_invalid"]})
    assert (checker.snapshot(), len(heard), checker.remarks) == (state, told, Counter())
    assert last_readings(state) == {"m": START + 5_000}
