"""Gaps are filled from what meters remember: each row once, between turns, whatever fails meanwhile."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import pytest

from drivers.contract import DriverError, HasHistory, Meter, NoAnswer, NotConnected, Reading, Refused
from gateway.backfill import LONGEST_MS, MOST, Backfill, last_readings
from gateway.check import Checker, Limits
from gateway.intake import Intake, Known, ProfileRow
from gateway.journal import Unwritable
from gateway.live import LiveBook
from gateway.message import LOAD_PROFILE, METER_FLAG
from gateway.poll import Poller
from tests.support.virtual_time import run_virtually

START = 1_795_219_200_000
"""2026-11-21 00:00 UTC, the moment at which virtual time is nothing."""
QUARTER, HOUR, DAY = 900_000, 3_600_000, 86_400_000
MINUTES = 60.0


def meter(name: str, address: int = 1) -> Meter:
    """Make a meter whose profile nobody looks at."""
    profile: Any = None
    return Meter(name, profile, address)


@dataclass
class FakeDriver:
    """Meters with a row each quarter of an hour; those in `silent` do not answer, nor does anybody while `away`."""

    turns: Literal["asked", "pushed"] = "asked"
    answers_in: float = 0.05
    a_day_takes: float = 1.0
    silent: set[str] = field(default_factory=set)
    away: bool = False
    clock_off: int | None = None
    fails: list[Exception | None] = field(default_factory=list)
    more: list[int | None] = field(default_factory=list)
    period: int = QUARTER
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    busy: bool = False

    async def connect(self) -> None:
        """Open the bus."""
        if self.away:
            raise NotConnected("no such port")

    async def read(self, meter: Meter) -> Reading:
        """Answer, or stay silent."""
        await self._take_line(self.answers_in)
        if self.away:
            raise NotConnected("gone")
        if meter.id in self.silent:
            raise NoAnswer("silent", meter=meter.id)
        at = _boot_ms()
        shown = None if self.clock_off is None else at + START + self.clock_off
        return Reading(meter.id, at, {"energy_import_wh": at}, meter_time=shown)

    async def history(self, meter: Meter, since_ms: int, until_ms: int) -> Sequence[Reading]:
        """Give the rows there are, and those of `more`."""
        self.asked.append((meter.id, since_ms, until_ms))
        await self._take_line(self.a_day_takes * (until_ms - since_ms) / DAY)
        if self.fails and (failure := self.fails.pop(0)):
            raise failure
        times: list[int | None] = list(range(-(-since_ms // self.period) * self.period, until_ms + 1, self.period))
        return [Reading(meter.id, _boot_ms(), {"energy_import_wh": 1}, captured=at) for at in [*times, *self.more]]

    async def close(self) -> None:
        """Nothing to close."""

    def counters(self) -> Mapping[str, int]:
        """Nothing was rejected."""
        return {}

    async def _take_line(self, seconds: float) -> None:
        assert not self.busy, "two at once on one wire"
        self.busy = True
        try:
            await asyncio.sleep(seconds)
        finally:
            self.busy = False


def _boot_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)


async def _at_once(work: Callable[..., None], *arguments: object) -> None:
    work(*arguments)


@dataclass
class Bench:
    """A bus with its poller, and all that it took: times of live readings and of rows, by meter."""

    folder: Path
    driver: Any = field(default_factory=FakeDriver)
    every: Mapping[str, float] = field(default_factory=lambda: {"m": 60.0})
    offset: int | None = START
    before: dict[str, int] = field(default_factory=dict)
    refuses: bool = False
    flushed: int = 0
    live: dict[str, list[int]] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)

    def take(self, reading: Reading) -> None:
        """Sort what comes."""
        if isinstance(reading, ProfileRow):
            assert reading.captured is not None
            self.rows.setdefault(reading.meter, []).append(reading.captured)
        else:
            self.live.setdefault(reading.meter, []).append(reading.at + START)

    async def _flush(self) -> None:
        if self.refuses:
            raise Unwritable("the disk is full")
        self.flushed += 1

    def run(self, story: Callable[["Bench"], Awaitable[None]]) -> "Bench":
        """Poll on virtual time, which waits for no thread, as long as the story lasts."""
        with patch("asyncio.to_thread", _at_once):
            run_virtually(self._run(story))
        return self

    async def _run(self, story: Callable[["Bench"], Awaitable[None]]) -> None:
        self.backfill = Backfill(lambda: self.offset, self.folder / "backfill.json", self._flush, dict(self.before))
        meters = [(meter(name), every) for name, every in self.every.items()]
        self.poller = Poller("bus", self.driver, meters, self.take, dice=random.Random(1), backfill=self.backfill)
        tasks = [asyncio.create_task(self.poller.run()), asyncio.create_task(self.backfill.run())]
        try:
            await story(self)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def minutes(number: float) -> None:
    """Let time pass."""
    await asyncio.sleep(number * MINUTES)


async def silence(bench: Bench, number: float, *names: str) -> None:
    """Ten minutes of readings, silence for so many, then as long again."""
    await minutes(10)
    bench.driver.silent = set(names or ("m",))
    await minutes(number)
    bench.driver.silent = set()
    await minutes(max(number, 30))


def expected(bench: Bench, name: str = "m") -> list[int]:
    """Give the quarters between the two live readings that lie furthest apart."""
    times = bench.live[name]
    since, until = max(pairwise(times), key=lambda pair: pair[1] - pair[0])
    return list(range(since // QUARTER * QUARTER + QUARTER, until, QUARTER))


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


@pytest.mark.parametrize(
    "failure", [NoAnswer("silent"), NotConnected("gone"), Refused("busy", code=2), ZeroDivisionError("a bug")]
)
def test_a_failure_is_tried_again_later(tmp_path: Path, failure: Exception) -> None:
    """Nothing is lost by it, nothing taken twice, and live readings go on."""
    driver = FakeDriver(fails=[failure, failure])
    bench = Bench(tmp_path, driver, before={"m": START - 4 * HOUR}).run(lambda _: minutes(20))
    assert len(driver.asked) == 3
    assert len(bench.rows["m"]) == len(set(bench.rows["m"])) >= 16
    assert bench.backfill.unfilled == {}
    assert len(bench.live["m"]) >= 19
    assert bench.poller.reconnects == 2 * isinstance(failure, NotConnected)


def test_a_meter_that_refuses_is_left_alone(tmp_path: Path) -> None:
    """After three refusals the gap is given up, with its reason."""
    driver = FakeDriver(fails=[Refused("no such object", code=4) for _ in range(9)])
    bench = Bench(tmp_path, driver, before={"m": START - 4 * HOUR}).run(lambda _: minutes(600))
    assert len(driver.asked) == 3
    assert bench.backfill.unfilled == {"refused": 1}
    assert bench.rows == {}


def test_failures_between_pieces_that_come_do_not_add_up(tmp_path: Path) -> None:
    """A gap is given up for three refusals in a row, not for six within a month."""
    no = Refused("busy", code=2)
    driver = FakeDriver(fails=[no, no, None, no, no, None, no, no])
    bench = Bench(tmp_path, driver, before={"m": START - 4 * DAY}).run(lambda _: minutes(60))
    assert bench.backfill.unfilled == {}
    assert len(bench.rows["m"]) == 4 * 96 + 1


def test_a_meter_that_never_manages_is_given_up_after_a_day(tmp_path: Path) -> None:
    """Pauses double up to six hours; the gap then counts as unfilled."""
    driver = FakeDriver(fails=[DriverError("cut short") for _ in range(99)])
    bench = Bench(tmp_path, driver, {"m": 600.0}, before={"m": START - 4 * HOUR}).run(lambda _: minutes(48 * 60))
    assert len(driver.asked) == 12
    assert bench.backfill.unfilled == {"unread": 1}


def test_a_meter_without_rows_is_asked_once(tmp_path: Path) -> None:
    """A meter that remembers nothing of the gap gives nothing, and that is counted."""
    bench = Bench(tmp_path, FakeDriver(period=365 * DAY)).run(lambda bench: silence(bench, 60))
    assert len(bench.driver.asked) == 1
    assert bench.backfill.unfilled == {"no_rows": 1}


def test_what_lies_outside_the_gap_is_left_out(tmp_path: Path) -> None:
    """Rows from before or after, twice, or without a time, are none of the gap's."""
    driver = FakeDriver(more=[START - 50 * DAY, None, START + 50 * DAY, START - 4 * HOUR + 5_000])
    bench = Bench(tmp_path, driver, before={"m": START - 4 * HOUR}).run(lambda _: minutes(10))
    assert bench.rows["m"] == sorted(set(bench.rows["m"]))
    assert min(bench.rows["m"]) > START - 4 * HOUR
    assert max(bench.rows["m"]) < bench.live["m"][0]
    assert bench.backfill.left_out == {"outside": 4}


@pytest.mark.parametrize("off", [-HOUR, HOUR])
def test_a_meter_whose_clock_is_wrong_is_not_asked(tmp_path: Path, off: int) -> None:
    """Its rows would lie an hour beside the truth, over what was read live."""
    driver = FakeDriver(clock_off=off)
    bench = Bench(tmp_path, driver, before={"m": START - 4 * HOUR}).run(lambda _: minutes(10))
    assert driver.asked == []
    assert bench.backfill.unfilled == {"meter_clock": 1}


def test_a_meter_whose_clock_is_about_right_is_asked(tmp_path: Path) -> None:
    """Half a minute is nothing."""
    bench = Bench(tmp_path, FakeDriver(clock_off=30_000), before={"m": START - 4 * HOUR}).run(lambda _: minutes(10))
    assert len(bench.rows["m"]) >= 16


def test_gaps_wait_for_the_true_time(tmp_path: Path) -> None:
    """A board that woke without a clock fills both gaps, the one before its start too, when it learns the time."""
    bench = Bench(tmp_path, offset=None, before={"m": START - 4 * HOUR})

    async def story(bench: Bench) -> None:
        await silence(bench, 60)
        assert bench.driver.asked == []
        bench.offset = START
        await minutes(10)

    bench.run(story)
    assert bench.rows["m"] == sorted(set(bench.rows["m"]))
    for live in bench.live["m"]:
        assert all(abs(live - row) >= 1000 for row in bench.rows["m"])
    assert len(bench.rows["m"]) == 17 + len(expected(bench)), "four hours and a sixth, and the silent one"


def test_what_a_crash_left_open_is_filled_after_it(tmp_path: Path) -> None:
    """Gaps of the file go on where they were, and do not overlap the one of the restart."""
    driver = FakeDriver(fails=[NoAnswer("silent") for _ in range(5)])
    first = Bench(tmp_path, driver, before={"m": START - 3 * DAY}).run(lambda _: minutes(5))
    assert first.rows == {}
    second = Bench(tmp_path, before={"m": first.live["m"][-1] - 2 * HOUR}).run(lambda _: minutes(30))
    assert second.rows["m"] == sorted(set(second.rows["m"]))
    assert len(second.rows["m"]) >= 3 * 96
    assert (tmp_path / "backfill.json").read_bytes() == b"[]"


def test_a_gap_stays_in_the_file_until_its_rows_are_safe(tmp_path: Path) -> None:
    """While the journal's disk refuses, the file says what it said; the next start asks again."""
    (tmp_path / "backfill.json").write_bytes(b'[{"meter":"m","since":%d,"until":%d}]' % (START - DAY, START - HOUR))
    bench = Bench(tmp_path, refuses=True).run(lambda _: minutes(10))
    assert len(bench.rows["m"]) == 93
    assert "the disk is full" in bench.backfill.status()["error"]
    again = Bench(tmp_path).run(lambda _: minutes(10))
    assert again.rows == bench.rows
    assert again.poller.reconnects == 0
    assert again.backfill.status()["error"] == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'[{"meter":"../../m","since":0,"until":1}]',
        b"[%s]" % b",".join([b'{"meter":"m","since":0,"until":1}'] * 3000),
    ],
)
def test_a_file_that_is_none_is_told_of_and_written_anew(tmp_path: Path, body: bytes) -> None:
    """Whatever stands in it, the gateway starts."""
    (tmp_path / "backfill.json").write_bytes(body)
    bench = Bench(tmp_path)

    async def story(bench: Bench) -> None:
        assert "forgotten" in bench.backfill.status()["error"]
        await silence(bench, 60)

    bench.run(story)
    assert len(bench.rows["m"]) == 4
    assert bench.backfill.status()["error"] == ""


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


def test_what_went_wrong_with_many_meters_stays_bounded(tmp_path: Path) -> None:
    """Beyond the bound the shortest gap goes, and is counted."""
    names = [f"m{number}" for number in range(MOST + 10)]
    before = {name: START - DAY - number * HOUR for number, name in enumerate(names)}
    driver = FakeDriver(fails=[NoAnswer("silent")] * 999)

    async def story(bench: Bench) -> None:
        await minutes(2)
        assert bench.backfill.status()["gaps"] <= MOST

    bench = Bench(tmp_path, driver, dict.fromkeys(names, 600.0), before=before).run(story)
    assert bench.backfill.unfilled["too_many"] == 10
    kept = {gap["meter"] for gap in json.loads((tmp_path / "backfill.json").read_bytes())}
    assert kept == set(names[10:])


@pytest.mark.parametrize(("address", "filled"), [(1, True), (2, False)])
def test_another_meter_of_the_same_name_is_not_asked_for_the_past(tmp_path: Path, address: int, filled: bool) -> None:
    """A gap is one meter's: behind another address there is another; another deadline changes nothing."""

    async def story(bench: Bench) -> None:
        await minutes(10)
        bench.driver.silent = {"m"}
        await minutes(60)
        bench.driver.silent = set()
        changed: Any = None
        bench.poller.change([(Meter("m", changed, address, deadline=2.0), 60.0)])
        await minutes(30)

    bench = Bench(tmp_path).run(story)
    assert bool(bench.rows) is filled


@pytest.mark.parametrize("failure", [None, Refused("busy", code=2)])
def test_a_meter_that_goes_while_it_is_asked_leaves_nothing(tmp_path: Path, failure: Exception | None) -> None:
    """What it still says is dropped, and its gap with it; the bus goes on."""

    async def story(bench: Bench) -> None:
        while not bench.driver.asked:
            await asyncio.sleep(0.1)
        bench.poller.change([(meter("m", 2), 60.0)])
        await minutes(10)

    driver = FakeDriver(a_day_takes=8.0, fails=[failure] * 3)
    bench = Bench(tmp_path, driver, before={"m": START - DAY}).run(story)
    assert bench.rows == {}
    assert bench.backfill.unfilled == {"meter_changed": 1}
    assert bench.poller.reconnects == 0
    assert len(bench.live["m"]) >= 9


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
