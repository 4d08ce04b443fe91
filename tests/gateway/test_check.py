"""Tests of gateway/check.py: the utility's rules V2 to V9, and faults M1, M2, M3, M6, M8 of the acceptance plan."""

import json
import math
import random
import time
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from drivers.contract import Number
from gateway.check import CONFIRMATIONS, LATE_LIMIT, Checker, Interval, Limits, Remark
from gateway.message import METER_FLAG, RESET, ROLLOVER, SUSPECT

KEY = "energy_import_wh"
HOUR = 3_600_000
SHARP = Limits(rating_a=63)


def feed(
    readings: Sequence[tuple[int, Number]], limits: Limits = SHARP, key: str = KEY, checker: Checker | None = None
) -> tuple[list[int], list[Interval]]:
    """Judge readings in turn; give each one's bits and all intervals."""
    checker = checker or Checker()
    bits, intervals = [], []
    for ts, value in readings:
        q, closed = checker.judge("m", ts, {key: value, "voltage_l1_v": 230.1}, (), limits)
        bits.append(q)
        intervals += closed
    return bits, intervals


def hourly(*values: Number, step: int = HOUR) -> list[tuple[int, Number]]:
    """Give values one hour apart."""
    return [(index * step, value) for index, value in enumerate(values)]


def booked(intervals: Sequence[Interval]) -> float:
    """Sum what is known."""
    return round(sum(row.amount for row in intervals if row.amount is not None), 4)


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


# --- M1: the three quoted sequences ----------------------------------------------------------------------------------


def test_m1_zero_between_two_good_readings_books_the_difference_only() -> None:
    """397 -> 0 -> 413 kWh is 16 kWh, in one interval over the whole time."""
    bits, intervals = feed(hourly(397_000, 0, 413_000))
    assert intervals == [Interval("m", KEY, 0, 2 * HOUR, 16_000, "good")]
    assert bits == [0, SUSPECT, 0]


def test_m1_one_zero_in_a_week_leaves_the_week_as_it_was() -> None:
    """A week of 38 kWh on a register of 81,212 kWh stays 38 kWh, whichever reading drops to zero."""
    week = [81_212_000 + round(38_000 * hour / 168) for hour in range(169)]
    for broken in range(1, 168):
        values = [*week[:broken], 0, *week[broken + 1 :]]
        _, intervals = feed(hourly(*values))
        assert booked(intervals) == 38_000
        assert len(intervals) == 167


def test_m1_sixteen_bit_counter_that_wraps() -> None:
    """65,530 -> 3 of a counter of 16 bits is 9, and nothing else."""
    limits = Limits(rate={"gas_volume_l": 1000}, modulus={"gas_volume_l": 2**16})
    bits, intervals = feed(hourly(65_500, 65_530, 3, 10), limits, "gas_volume_l")
    assert bits == [0, 0, ROLLOVER, 0]
    assert [row.amount for row in intervals] == [30, 9, 7]
    assert intervals[1].quality == "rollover"


# --- held readings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("low", range(1, CONFIRMATIONS + 1))
def test_v7_glitch_of_up_to_three_readings_is_not_counted(low: int) -> None:
    """As long as one of the next three readings returns, there was no reset."""
    bits, intervals = feed(hourly(5000, 5100, *[7] * low, 5200, 5300))
    assert bits == [0, 0, *[SUSPECT] * low, 0, 0]
    assert [(row.start // HOUR, row.end // HOUR, row.amount) for row in intervals] == [
        (0, 1, 100), (1, low + 2, 100), (low + 2, low + 3, 100),
    ]  # fmt: skip


def test_v6_drop_that_persists_is_a_reset_of_unknown_amount() -> None:
    """After the drop and three more readings a new segment stands; nothing negative, nothing huge, nothing made up."""
    bits, intervals = feed(hourly(900_000, 900_100, 3, 10, 10, 30, 70))
    assert bits == [0, 0, SUSPECT, SUSPECT, SUSPECT, RESET, 0]
    assert [(row.end // HOUR, row.amount, row.quality) for row in intervals] == [
        (1, 100, "good"), (2, None, "reset"), (3, 7, "good"), (4, 0, "good"), (5, 20, "good"), (6, 40, "good"),
    ]  # fmt: skip


def test_m3_replacement_by_a_higher_register_books_nothing_across() -> None:
    """A new meter that starts higher is an impossible rise, then a reset; both segments are kept."""
    bits, intervals = feed(hourly(1000, 1100, 5_000_000, 5_000_100, 5_000_150, 5_000_300, 5_000_400))
    assert bits == [0, 0, SUSPECT, SUSPECT, SUSPECT, RESET, 0]
    assert [row.amount for row in intervals] == [100, None, 100, 50, 150, 100]


def test_v9_high_glitch_is_held_and_forgotten() -> None:
    """A rise that no fuse carries is not booked, and the next good reading closes the interval."""
    bits, intervals = feed(hourly(1000, 81_250_000, 1200))
    assert bits == [0, SUSPECT, 0]
    assert [row.amount for row in intervals] == [200]


def test_v9_limit_follows_the_rating() -> None:
    """3 x 63 A carry 47.8 kWh in an hour with the margin; a greater fuse more; without one the default is generous."""
    assert feed(hourly(1, 47_801))[0] == [0, 0]
    assert feed(hourly(1, 47_822))[0] == [0, SUSPECT]
    assert feed(hourly(1, 47_822), Limits(rating_a=100))[0] == [0, 0]
    assert feed(hourly(1, 200_001), Limits())[0] == [0, 0]
    assert feed(hourly(1, 220_012), Limits())[0] == [0, SUSPECT]
    assert feed(hourly(1, 47_822), Limits(rating_a=63, rate={KEY: 50_000}))[0] == [0, 0]


@pytest.mark.parametrize(
    "key", ["water_volume_l", "gas_volume_l", "heat_energy_wh", "heat_volume_l", "reactive_energy_export_varh"]
)
def test_v9_every_commodity_has_a_default(key: str) -> None:
    """Without any limit configured a jump of 10^9 is held for all kinds of counters."""
    assert feed(hourly(17, 18, 10**9 + 1), Limits(), key)[0] == [0, 0, SUSPECT]


def test_rises_that_never_stop_are_booked_as_suspect() -> None:
    """Where the limit is wrong nothing is lost, but nothing is called good."""
    bits, intervals = feed(hourly(*(1 + 60_001 * hour for hour in range(10))))
    assert bits[:5] == [0, SUSPECT, SUSPECT, SUSPECT, SUSPECT]
    assert booked(intervals) == 8 * 60_001
    assert {row.quality for row in intervals} == {"suspect"}


def test_glitch_after_glitch_is_still_no_consumption() -> None:
    """Low, high and low again: only readings that go on from one another confirm anything."""
    bits, intervals = feed(hourly(5000, 0, 90_000_000, 3, 80_000_000, 5100))
    assert bits == [0, SUSPECT, SUSPECT, SUSPECT, SUSPECT, 0]
    assert [row.amount for row in intervals] == [100]


def test_glitch_before_a_replacement_adds_no_huge_amount() -> None:
    """Zero, then another meter's higher register: what lies between the two is unknown, not the second one's count."""
    bits, intervals = feed(hourly(5000, 0, 5_000_001, 5_000_101, 5_000_201, 5_000_301))
    assert bits == [0, SUSPECT, SUSPECT, SUSPECT, SUSPECT, RESET]
    assert [row.amount for row in intervals] == [None, 100, 100, 100]


def test_reset_register_that_races_is_suspect() -> None:
    """A drop is a reset, but what rises faster than the fuse afterwards is not called good."""
    _, intervals = feed(hourly(900_000, 3, 100_003, 200_003, 300_003))
    assert [(row.amount, row.quality) for row in intervals] == [(None, "reset"), *[(100_000, "suspect")] * 3]


def test_small_register_that_falls_to_zero_is_held() -> None:
    """Zero is a multiple of everything, so it never counts as a trembling last digit."""
    assert feed(hourly(1000, 0))[0] == [0, SUSPECT]


def test_trembling_digit_ends_a_glitch() -> None:
    """A reading one digit below the last good one has returned; what drops later is a new question."""
    bits, _ = feed(hourly(5000.1, 0, 5000.0, 0, 0, 0, 0))
    assert bits == [0, SUSPECT, 0, SUSPECT, SUSPECT, SUSPECT, RESET]


def test_v4_trembling_last_digit_is_neither_drop_nor_reset() -> None:
    """A register that a meter computes may show one last digit less; it is waited for, not flagged."""
    bits, intervals = feed(hourly(607_447.1, 607_447.0, 607_447.0, 607_447.0, 607_447.0, 607_447.3))
    assert bits == [0] * 6
    assert [row.amount for row in intervals] == [0.2]


def test_coarse_register_may_step() -> None:
    """A register of whole kWh rises by 1000 Wh at once, even within ten seconds."""
    values = [5_000_000] * 6 + [5_001_000] * 2 + [5_002_000]
    bits, intervals = feed(hourly(*values, step=10_000))
    assert not any(bits)
    assert booked(intervals) == 2000


def test_late_register_may_catch_up() -> None:
    """A value that its meter renews each quarter of an hour rises at once by what flowed since."""
    values = [1_000_001] * 90 + [1_007_003]
    assert not any(feed(hourly(*values, step=10_000))[0])


def test_register_that_stood_still_may_not_make_up_for_days() -> None:
    """However long it stood, no more than an hour's worth is believed at once, and nothing after a reset."""
    assert feed(hourly(*[1_000_001] * 60, 1_100_003, step=600_000))[0][-1] == SUSPECT
    after_reset = hourly(*[1_000_001] * 400, 3, 3, 3, 3, 40_003, step=10_000)
    assert feed(after_reset)[0][-2:] == [RESET, SUSPECT]


def test_round_numbers_are_no_excuse() -> None:
    """Two readings that happen to be whole MWh do not make a register of whole MWh."""
    assert feed(hourly(1_000_000, 2_000_000, step=10_000))[0] == [0, SUSPECT]


def test_new_limits_count_at_once() -> None:
    """A greater fuse in the configuration is believed from the next reading on."""
    checker = Checker()
    feed(hourly(1, 11), checker=checker)
    assert feed([(2 * HOUR, 60_012)], Limits(rating_a=100), checker=checker)[0] == [0]


# --- M2: rollover ----------------------------------------------------------------------------------------------------

MODULI = [10**5, 10**6, 10**7, 10**8, 10**9, 2**16, 2**32]


@settings(max_examples=100, deadline=None)
@given(
    modulus=st.sampled_from(MODULI),
    decimals=st.integers(0, 3),
    start=st.floats(0.85, 0.9999),
    steps=st.lists(st.tuples(st.floats(0, 0.01), st.integers(1, 50)), min_size=5, max_size=60),
)
def test_m2_random_walk_over_each_modulus_is_exact(
    modulus: int, decimals: int, start: float, steps: list[tuple[float, int]]
) -> None:
    """Whatever the modulus, resolution and gaps: each delta is exact, the sum too, and there is no reset."""
    scale = 10**decimals
    limits = Limits(rate={KEY: float(modulus)}, modulus={KEY: modulus})
    checker = Checker()
    ts, count = 0, int(modulus * scale * start)
    checker.judge("m", ts, {KEY: count / scale}, (), limits)
    for share, hours in steps:
        step = int(modulus * scale * share)
        ts += hours * HOUR
        assume((count + step) % (modulus * scale))  # zero has a test of its own
        before, count = count, count + step
        q, intervals = checker.judge("m", ts, {KEY: count % (modulus * scale) / scale}, (), limits)
        assert len(intervals) == 1
        assert Fraction(str(intervals[0].amount)) == Fraction(step, scale)
        assert (q == ROLLOVER) == (count // (modulus * scale) > before // (modulus * scale))


def test_m2_ten_thousand_rollovers_without_one_false_reset() -> None:
    """Each run crosses its modulus once, some behind a gap; no run holds, resets or miscounts."""
    dice = random.Random(7)
    for _ in range(10_000):
        modulus = dice.choice(MODULI)
        limits = Limits(rate={KEY: float(modulus)}, modulus={KEY: modulus})
        count = modulus - dice.randrange(1, modulus // 50)
        counts = [count := count + dice.randrange(modulus // 40) for _ in range(8)]
        times = [hour * HOUR * dice.choice((1, 1, 1, 30)) + hour for hour in range(8)]
        readings = [(sum(times[: at + 1]), count % modulus) for at, count in enumerate(counts)]
        if not all(value for _, value in readings):
            continue  # zero has tests of its own
        bits, intervals = feed(readings, limits)
        assert set(bits) <= {0, ROLLOVER}
        assert booked(intervals) == counts[-1] - counts[0]


def test_v5_rollover_needs_a_known_modulus_and_a_possible_amount() -> None:
    """The same drop is a rollover only where the modulus is configured and the amount fits the limit."""
    drop = hourly(99_999_000, 100)
    assert feed(drop, Limits(rating_a=63, modulus={KEY: 10**8}))[0] == [0, ROLLOVER]
    assert feed(drop, SHARP)[0] == [0, SUSPECT]
    assert feed(hourly(99_999_007, 300_003), Limits(rating_a=63, modulus={KEY: 10**8}))[0] == [0, SUSPECT]
    wide = Limits(rate={KEY: 1e8}, modulus={KEY: 10**8})
    assert feed(hourly(95_000_007, 9_000_003), wide)[0] == [0, ROLLOVER]
    assert feed(hourly(95_000_007, 20_000_003), wide)[0] == [0, SUSPECT]
    assert feed(hourly(85_000_007, 9_000_003), wide)[0] == [0, SUSPECT]


@pytest.mark.parametrize("zeros", range(1, 8))
def test_a_register_that_rolls_over_to_zero_is_waited_for(zeros: int) -> None:
    """What lies behind a zero decides: the end was passed, however long the register stays there."""
    bits, intervals = feed(hourly(99_999_000, *[0] * zeros, 100), Limits(modulus={KEY: 10**8}))
    assert ROLLOVER in bits
    assert RESET not in bits
    assert booked(intervals) == 1100


@pytest.mark.parametrize("zeros", range(1, CONFIRMATIONS + 1))
def test_m1_a_zero_near_the_end_of_a_register_is_no_rollover(zeros: int) -> None:
    """The register goes on where it was, so nothing passed its end."""
    bits, intervals = feed(hourly(99_999_000, *[0] * zeros, 99_999_500), Limits(modulus={KEY: 10**8}))
    assert bits == [0, *[SUSPECT] * zeros, 0]
    assert [row.amount for row in intervals] == [500]


def test_rollover_behind_a_glitch_is_found() -> None:
    """A broken reading at the very end of the register does not hide the rollover."""
    bits, intervals = feed(hourly(99_999_000, 5_000_000, 100), Limits(modulus={KEY: 10**8}))
    assert bits == [0, SUSPECT, ROLLOVER]
    assert [row.amount for row in intervals] == [1100]


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
