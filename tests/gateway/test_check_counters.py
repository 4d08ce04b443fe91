"""What a register may do: glitches that are held (M1, V6 to V9), rollovers (M2, V4, V5), resets, replacements (M3)."""

import random
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.check import CONFIRMATIONS, Checker, Interval, Limits
from gateway.message import RESET, ROLLOVER, SUSPECT
from tests.support.registers import HOUR, KEY, SHARP, booked, feed, hourly

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
