"""Gaps are filled whatever fails meanwhile: meters, clocks, files, the journal, the program itself."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import DriverError, Meter, NoAnswer, NotConnected, Refused
from gateway.gaps import MOST
from tests.support.backfill_bench import DAY, HOUR, START, Bench, FakeDriver, expected, meter, minutes, silence


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
