"""What the check says of a reading: the utility's rules V2 to V9, faults M1, M2, M3, M6, M8 of the acceptance plan."""

import json
import math
import time
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Number
from gateway.check import LATE_LIMIT, Checker, Interval, Limits, Remark
from gateway.message import METER_FLAG, RESET, SUSPECT
from tests.support.registers import HOUR, KEY, SHARP, booked, feed, hourly


def test_first_reading_is_a_start() -> None:
    """A register's first value is no consumption."""
    assert feed([(0, 397_000)]) == ([0], [])


def test_rise_and_stillness_are_intervals() -> None:
    """Each further reading closes an interval, an idle one too."""
    bits, intervals = feed(hourly(1000.1, 1000.3, 1000.3))
    assert bits == [0, 0, 0]
    assert intervals == [Interval("m", KEY, 0, HOUR, 0.2, "good"), Interval("m", KEY, HOUR, 2 * HOUR, 0.0, "good")]


def test_gauges_and_unknown_keys_have_no_intervals() -> None:
    """Only counters of the closed list are counted, and a missing value gives nothing."""
    checker = Checker()
    for ts in (0, 1000, 2000):
        assert checker.judge("m", ts, {"power_w": ts, "new_thing": ts}, (), SHARP) == (0, [])
    assert checker.judge("m", 3000, {}, (), SHARP) == (0, [])


# --- time ------------------------------------------------------------------------------------------------------------


def test_gap_gives_one_interval_with_the_registers_delta() -> None:
    """After an outage the sum is known and marked as a catch-up; the usual pace is good again at once."""
    minute = 60_000
    times = [0, 1, 2, 3, 63, 64, 65]
    _, intervals = feed([(at * minute, 1000 + at) for at in times])
    assert [(row.end - row.start) // minute for row in intervals] == [1, 1, 1, 60, 1, 1]
    assert [row.quality for row in intervals] == ["good", "good", "good", "catch_up", "good", "good"]
    assert booked(intervals) == 65


def test_new_pace_becomes_usual() -> None:
    """A meter that is read each minute instead of each ten seconds is not catching up for ever."""
    times = [at * 10_000 for at in range(10)] + [90_000 + at * 60_000 for at in range(1, 10)]
    _, intervals = feed([(at, 1000 + index) for index, at in enumerate(times)])
    assert [row.quality for row in intervals].count("catch_up") == 1


def test_two_readings_at_once_do_not_make_a_gap_of_the_next() -> None:
    """One burst hardly moves what is usual."""
    times = [0, 10_000, 20_000, 20_001, 30_000, 40_000]
    _, intervals = feed([(at, 1000 + index) for index, at in enumerate(times)])
    assert {row.quality for row in intervals} == {"good"}


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5)), min_size=2, max_size=40))
def test_m6_repeated_telegrams_add_nothing(steps: list[tuple[int, int]]) -> None:
    """Each reading sent one to five times, and once more after the next one, gives the same intervals."""
    once: list[tuple[int, Number]] = []
    often: list[tuple[int, Number]] = []
    value = 1000
    for index, (step, times) in enumerate(steps):
        value += step
        once.append((index * 60_000, value))
        often += [once[-1]] * times + once[-2:-1]
    assert feed(often)[1] == feed(once)[1]


def test_v3_late_reading_is_no_interval() -> None:
    """What is older than the newest reading changes nothing."""
    bits, intervals = feed([(0, 1000), (HOUR, 1100), (HOUR // 2, 1050), (2 * HOUR, 1200)])
    assert bits == [0, 0, 0, 0]
    assert [row.amount for row in intervals] == [100, 100]


def test_clock_that_was_far_ahead_does_not_stop_the_count() -> None:
    """After ten readings behind the newest one it is that one's time that was wrong; no energy is lost."""
    readings: list[tuple[int, Number]] = [(0, 1000), (10**12, 1010)]
    readings += [(at * 60_000, 1010 + at) for at in range(1, LATE_LIMIT + 5)]
    _, intervals = feed(readings)
    assert booked(intervals) == 1010 + LATE_LIMIT + 4 - 1000
    held: list[tuple[int, Number]] = [(0, 1000), (10**12, 3), *readings[2:]]
    assert booked(feed(held)[1]) == 1010 + LATE_LIMIT + 4 - 1000


# --- state and values ------------------------------------------------------------------------------------------------


@given(
    values=st.lists(st.sampled_from([0, 3, 5000, 5001.5, 5100, 5200, 9_999_000, 80_000_000]), min_size=2, max_size=30),
    gaps=st.lists(st.integers(0, 5), min_size=30, max_size=30),
    cut=st.integers(0, 30),
)
def test_restart_at_any_point_neither_repeats_nor_forgets(values: list[float], gaps: list[int], cut: int) -> None:
    """A checker that goes through a snapshot, as JSON, says the same as one that never stopped."""
    times = [sum(gaps[:index]) * HOUR for index in range(len(values))]
    readings = list(zip(times, values, strict=True))
    limits = Limits(modulus={KEY: 10**7})
    whole = feed(readings, limits)
    first = Checker()
    before = feed(readings[:cut], limits, checker=first)
    second = Checker(json.loads(json.dumps(first.snapshot())))
    after = feed(readings[cut:], limits, checker=second)
    assert (before[0] + after[0], before[1] + after[1]) == whole


@given(st.lists(st.integers(0, 10**9), max_size=40))
def test_whatever_comes_amounts_are_never_negative_and_never_overlap(values: list[int]) -> None:
    """Random registers give intervals in order, without overlap, with amounts of zero or more or unknown."""
    bits, intervals = feed(hourly(*values))
    assert all(row.amount is None or row.amount >= 0 for row in intervals)
    assert all(row.start < row.end for row in intervals)
    assert all(first.end <= second.start for first, second in pairwise(intervals))
    assert all(bit in (0, SUSPECT, RESET) for bit in bits)


def test_m8_raw_values_stay_as_they_are() -> None:
    """The check looks at values and changes none."""
    values = {KEY: 397_000.5, "power_w": -3.25}
    checker = Checker()
    checker.judge("m", 0, values, (), SHARP)
    for ts, broken in ((1, 0.0), (2, 413_000.5)):
        values[KEY] = broken
        before = dict(values)
        checker.judge("m", ts, values, ("tamper",), SHARP)
        assert values == before


def test_meters_and_counters_are_apart() -> None:
    """One counter's reset is not another's, nor another meter's."""
    checker = Checker()
    export = "energy_export_wh"
    assert checker.judge("a", 0, {KEY: 100, export: 5}, (), SHARP) == (0, [])
    assert checker.judge("b", 0, {KEY: 7, export: 900}, (), SHARP) == (0, [])
    q, intervals = checker.judge("a", HOUR, {KEY: 3, export: 9}, (), SHARP)
    assert (q, intervals) == (SUSPECT, [Interval("a", export, 0, HOUR, 4, "good")])
    assert checker.judge("b", HOUR, {KEY: 8}, (), SHARP) == (0, [Interval("b", KEY, 0, HOUR, 1, "good")])
    checker.forget("a")
    assert checker.judge("a", 2 * HOUR, {KEY: 4}, (), SHARP) == (0, [])


def test_v17_the_meters_own_flags_are_passed_on() -> None:
    """A reading with status words carries the bit of the meter."""
    checker = Checker()
    assert checker.judge("m", 0, {KEY: 5}, ("tamper",), SHARP) == (METER_FLAG, [])
    q, _ = checker.judge("m", HOUR, {KEY: 1}, ("tamper",), SHARP)
    assert q == METER_FLAG | SUSPECT


def test_decimals_are_counted_exactly() -> None:
    """Registers beyond a float's steps come as decimals, before and after a float, and survive a snapshot."""
    big = Decimal("123456789012345.0001")
    limits = Limits(rate={KEY: 1e15})
    checker = Checker()
    _, intervals = feed([(0, 1.5), (HOUR, big)], limits, checker=checker)
    assert booked(intervals) == round(float(big - Decimal("1.5")), 4)
    restored = Checker(json.loads(json.dumps(checker.snapshot())))
    _, intervals = feed([(2 * HOUR, big + Decimal("0.0002"))], limits, checker=restored)
    assert booked(intervals) == 0.0002


def test_a_reading_costs_microseconds() -> None:
    """Twenty values, three of them counters: a few microseconds; the bound leaves room for a busy machine."""
    keys = [KEY, "energy_export_wh", "energy_import_t1_wh"] + [f"gauge_{n}" for n in range(17)]
    readings = [(ts * 10_000, dict.fromkeys(keys, 1e6 + ts * 1.1)) for ts in range(3000)]
    best = math.inf
    for _ in range(5):
        checker = Checker()
        started = time.perf_counter()
        for ts, values in readings:
            checker.judge("m", ts, values, (), SHARP)
        best = min(best, (time.perf_counter() - started) / len(readings))
    assert best < 30e-6


# --- what is told ----------------------------------------------------------------------------------------------------


def told(readings: Sequence[tuple[int, Number]], limits: Limits = SHARP) -> list[tuple[str, int, int]]:
    """Give the words for one register's readings, each with its hours."""
    remarks: list[Remark] = []
    checker = Checker(tell=remarks.append)
    for ts, value in readings:
        checker.judge("m", ts, {KEY: value}, (), limits)
    assert sum(checker.remarks.values()) == len(remarks)
    return [(remark.flag, remark.start // HOUR, remark.end // HOUR) for remark in remarks]


def test_ordinary_readings_are_not_worth_a_word() -> None:
    """Rises, standstills and steps of a coarse register tell nothing."""
    assert told(hourly(100, 100, 1100, 2100, 2100)) == []


def test_each_rule_of_a_register_has_its_word() -> None:
    """Drop, glitch, reset, impossible rise, rollover, duplicate and late reading."""
    assert told(hourly(5000, 0, 5100)) == [("neg", 1, 1), ("glitch", 1, 1)]
    assert told(hourly(5000, 3, 13, 23, 33)) == [*(("neg", n, n) for n in (1, 2, 3, 4)), ("reset", 0, 1)]
    assert told(hourly(5000, 900_001, 5100)) == [("imposs", 1, 1), ("glitch", 1, 1)]
    assert told(hourly(99_999_000, 100), Limits(63, modulus={KEY: 10**8})) == [("roll", 0, 1)]
    assert told([(0, 5), (HOUR, 6), (HOUR, 6), (0, 5)]) == [("dup", 1, 1), ("late", 0, 0)]


@pytest.mark.parametrize(
    "absent", [math.nan, math.inf, -math.inf, 4_294_967_295, 2_147_483_647, 429_496_729.5, 99_999_999]
)
def test_v14_a_number_that_means_no_value_is_left_out(absent: float) -> None:
    """However often it comes it is no reset, and the count goes on as if it had not been there."""
    values = [5000, *[absent] * 6, 5600, 5700]
    bits, intervals = feed(hourly(*values))
    assert set(bits) == {0, SUSPECT}
    assert booked(intervals) == 700
    assert {word for word, _, _ in told(hourly(*values))} == {"na"}


def test_v14_a_register_does_not_begin_with_no_value() -> None:
    """The first number is the start, not the nonsense before it."""
    bits, intervals = feed(hourly(math.nan, 5000, 5100))
    assert bits == [SUSPECT, 0, 0]
    assert booked(intervals) == 100


def test_v14_registers_pass_through_every_number() -> None:
    """65,535 Wh is a count like any other when it is reached by counting."""
    assert told(hourly(65_500, 65_535, 65_600)) == []


def test_a_clock_set_back_books_all_that_was_used() -> None:
    """T2: an hour back under nearly full load, and the intervals are still what the register rose by."""
    readings: list[tuple[int, Number]] = [
        (10**12 + n * 10_000 - (HOUR if n >= 100 else 0), round(n * 35_000 / 360, 1)) for n in range(200)
    ]
    bits, intervals = feed(readings)
    assert not any(bits)
    assert sum(interval.amount or 0 for interval in intervals) == pytest.approx(readings[-1][1])
