"""A register is exactly the sum of the uses, whatever is drawn and however often it is read."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulator.course import Draw
from simulator.year.series import MINUTE, PER_UNIT, TENTHS, Series, minutes_of, net, read

START = 1_767_214_800
MINUTES = 240
DRAWS = st.lists(
    st.builds(
        lambda start, length, tenths: Draw(START + start, START + start + length, tenths / TENTHS),
        st.integers(-600, MINUTES * MINUTE),
        st.integers(1, 9_000),
        st.integers(1, 90_000),
    ),
    max_size=8,
)


def series(draws: list[Draw]) -> Series:
    """Make what four hours of a meter see."""
    return Series("h0001-water", "water_volume_l", START, minutes_of(draws, START, MINUTES))


def drawn(draws: list[Draw], until: int) -> int:
    """Sum up by hand what draws take from the start up to a moment, in parts of a unit."""
    seconds = ((max(min(int(d.end), until) - max(int(d.start), START), 0), round(d.rate * TENTHS)) for d in draws)
    return sum(length * rate for length, rate in seconds)


@given(DRAWS, st.sampled_from([60, 300, 900, 3600]), st.integers(0, 10**9))
def test_a_register_is_the_sum_of_the_uses(draws: list[Draw], step: int, first: int) -> None:
    """At each reading it shows its first value and every whole unit used since, not one more or less."""
    register = read(series(draws), step, first)
    assert register.times == list(range(START, START + MINUTES * MINUTE + 1, step))
    assert register.values == [first + drawn(draws, moment) // PER_UNIT for moment in register.times]


@given(DRAWS, DRAWS)
def test_what_is_added_later_is_as_if_it_had_always_been_there(draws: list[Draw], more: list[Draw]) -> None:
    """Adding draws to a series gives the series of all draws."""
    assert series(draws).plus(more).minutes == series([*draws, *more]).minutes


@given(DRAWS, DRAWS)
def test_panels_neither_make_nor_lose_energy(use: list[Draw], sun: list[Draw]) -> None:
    """What is taken less what is given is what is used less what shone, and never both in one minute."""
    used, shone = series(use).minutes, series(sun).minutes
    taken, given = net(used, shone)
    assert [a - b for a, b in zip(taken, given, strict=True)] == [a - b for a, b in zip(used, shone, strict=True)]
    assert all(min(pair) == 0 for pair in zip(taken, given, strict=True))


@given(DRAWS)
def test_registers_never_fall(draws: list[Draw]) -> None:
    """A healthy register only rises."""
    assert all(before <= after for before, after in pairwise(read(series(draws), 60, 0).values))


@given(DRAWS, st.integers(0, MINUTES), st.integers(0, MINUTES))
def test_a_bypass_lets_a_part_pass_and_only_while_it_is_there(draws: list[Draw], one: int, other: int) -> None:
    """Half of each minute within, all of it elsewhere."""
    first, last = sorted((one, other))
    whole = series(draws)
    half = whole.scaled(START + first * MINUTE, START + last * MINUTE, 1, 2).minutes
    expected = [minute // 2 if first <= n < last else minute for n, minute in enumerate(whole.minutes)]
    assert list(half) == expected
