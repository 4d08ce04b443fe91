"""The counter is the integral of the rate, at any moment and in any order of asking."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulator.course import DAY, EPOCH, HOUR, Course, Draw, is_weekend

START = EPOCH * DAY
DRAWS = st.lists(
    st.builds(
        lambda start, length, rate: Draw(START + start, min(START + start + length, START + DAY), rate),
        st.integers(0, DAY - 2),
        st.integers(1, 4 * HOUR),
        st.sampled_from([-2_000.0, -0.5, 60.0, 2_000.0]),
    ),
    max_size=6,
)


def course(draws: list[Draw], extras: list[Draw] | None = None) -> Course:
    """Make a course that has draws on its first day only."""
    return Course(lambda day: draws if day == EPOCH else [], steady=10.0, extras=extras or [])


@given(DRAWS, st.integers(0, DAY - 1), st.integers(1, 900))
def test_totals_are_the_sum_of_the_rate_second_by_second(draws: list[Draw], start: int, length: int) -> None:
    """Between two moments as much went through as the rates of the seconds between them add up to."""
    at = course(draws)
    rates = [at.rate(START + start + second) for second in range(length)]
    before, after = at.totals(START + start), at.totals(START + start + length)
    assert abs(after.taken - before.taken - sum(rate for rate in rates if rate > 0) / HOUR) < 1e-6
    assert abs(after.given - before.given + sum(rate for rate in rates if rate < 0) / HOUR) < 1e-6


@given(DRAWS, st.lists(st.floats(START - DAY, START + 3 * DAY), min_size=2, max_size=20))
def test_counters_never_go_back(draws: list[Draw], times: list[float]) -> None:
    """Whatever was asked before, a later moment never shows less."""
    at = course(draws, extras=[Draw(START + DAY - 100, START + 2 * DAY + 100, -60.0)])
    asked = {time: at.totals(time) for time in times}
    ordered = [asked[time] for time in sorted(asked)]
    for earlier, later in pairwise(ordered):
        assert all(then >= now for now, then in zip(earlier, later, strict=True))


@given(DRAWS, st.floats(START, START + 3 * DAY))
def test_a_fresh_course_agrees_with_one_that_was_asked_before(draws: list[Draw], time: float) -> None:
    """A restart of the simulator changes no register."""
    used = course(draws)
    used.totals(START + 5 * DAY)
    assert used.totals(time) == course(draws).totals(time)


def test_the_low_tariff_counts_nights_and_weekends() -> None:
    """On a working day the low tariff has eight hours of a steady draw, on a Saturday all of them."""
    at = Course(lambda _day: [], steady=10.0)
    for day in range(EPOCH, EPOCH + 7):
        before, after = at.totals(day * DAY), at.totals((day + 1) * DAY)
        hours = 24 if is_weekend(day) else 8
        assert abs(after.taken_low - before.taken_low - 10.0 * hours) < 1e-6
    assert [is_weekend(EPOCH + day) for day in range(7)] == [False, False, True, True, False, False, False]


def test_a_closed_tap_reads_zero() -> None:
    """Draws that overlapped leave no crumbs of a float behind when all have ended."""
    draws = [Draw(START + n, START + 100 - n, 0.1 * n) for n in range(1, 40)]
    at = Course(lambda day: draws if day == EPOCH else [])
    assert at.rate(START + 50) > 0
    assert at.rate(START + 100) == 0.0


def test_nothing_flows_before_the_epoch() -> None:
    """A clock that is years behind gets the first registers, not an error."""
    assert course([]).rate(0.0) == 0.0
    assert course([]).totals(0.0) == (0.0, 0.0, 0.0, 0.0)
