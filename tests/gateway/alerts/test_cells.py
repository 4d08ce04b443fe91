"""Intervals become cells and hours: nothing is lost or made up, gaps stay gaps, and order is the meter's own."""

from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.alerts.calendar import Calendar
from gateway.alerts.cells import EMPTY, Cell, fill
from gateway.alerts.hours import Hour, hours_of
from gateway.check import Interval

WIDTH, LONGEST = 3_600_000, 5_400_000
MINUTE = 60_000
START = 1_795_219_200_000 // WIDTH * WIDTH
MOST = 4000.0


def series(parts: Iterable[tuple[int, float | None]], start: int = START) -> list[Interval]:
    """Make intervals of (milliseconds, amount), one after the other."""
    made = []
    for length, amount in parts:
        made.append(Interval("m", "water_volume_l", start, start + length, amount, "good"))
        start += length
    return made


def cells(intervals: Iterable[Interval]) -> list[Cell]:
    """Fill cells of an hour."""
    state, full = EMPTY, list[Cell]()
    for interval in intervals:
        state, more = fill(state, interval, WIDTH, LONGEST)
        full += more
    return full


@given(
    st.lists(st.tuples(st.integers(1000, LONGEST), st.floats(0, MOST)), min_size=1, max_size=60),
    st.integers(0, 59).map(lambda minute: minute * MINUTE),
)
def test_whatever_is_counted_stands_in_some_cell(parts: list[tuple[int, float]], offset: int) -> None:
    """Every full hour is told once, in order, and together they hold what their time held."""
    intervals = series(parts, START + offset)
    full = cells(intervals)
    starts = [cell.start for cell in full]
    begin, end = intervals[0].start, intervals[-1].end
    first = -(-begin // WIDTH) * WIDTH
    assert starts == list(range(first, max(first, end // WIDTH * WIDTH), WIDTH))
    for cell in full:
        held = sum(_share(interval, cell.start) for interval in intervals)
        assert cell.amount == pytest.approx(held, abs=1e-6)


def _share(interval: Interval, start: int) -> float:
    common = min(interval.end, start + WIDTH) - max(interval.start, start)
    return max(0, common) * (interval.amount or 0.0) / (interval.end - interval.start)


@given(
    st.lists(
        st.tuples(st.integers(60_000, 4 * WIDTH), st.one_of(st.none(), st.floats(0, MOST))), min_size=1, max_size=40
    )
)
@example([(WIDTH + 1, None), (WIDTH - 1, 0.0)])
def test_no_cell_holds_what_nobody_knows(parts: list[tuple[int, float | None]]) -> None:
    """A replaced register, and a sum over hours: the cells they touch are left out."""
    intervals = series(parts)
    unknown = [part for part in intervals if part.amount is None or part.end - part.start > LONGEST]
    for cell in cells(intervals):
        assert not any(part.start < cell.start + WIDTH and part.end > cell.start for part in unknown)


def test_a_suspect_amount_makes_its_hours_unknown() -> None:
    """As a gap does."""
    intervals = series([(15 * MINUTE, 1.0)] * 12)
    intervals[5] = intervals[5]._replace(quality="suspect")
    assert [cell.start for cell in cells(intervals)] == [START, START + 2 * WIDTH]


def test_clocks_may_be_trimmed_by_a_little() -> None:
    """Three seconds that lack are no gap, ten are."""
    for lacking, told in ((3_000, 2), (10_000, 1)):
        parts = series([(15 * MINUTE, 1.0)] * 3) + series([(15 * MINUTE - lacking, 1.0)], START + 45 * MINUTE + lacking)
        assert len(cells([*parts, *series([(WIDTH, 4.0)], START + WIDTH)])) == told


def test_the_clock_set_back_begins_anew() -> None:
    """A month back, and every full hour counts from there on."""
    ahead = series([(WIDTH, 1.0)] * 3, START + 720 * WIDTH)
    again = series([(30 * MINUTE, 1.0)] * 5, START + 30 * MINUTE)
    assert [cell.start - START for cell in cells([*ahead, *again])] == [
        *(n * WIDTH for n in (720, 721, 722)), WIDTH, 2 * WIDTH,
    ]  # fmt: skip


def test_hours_know_their_place() -> None:
    """Local, and to their end."""
    calendar = Calendar("Asia/Riyadh")
    _, (hour,) = hours_of(EMPTY, series([(WIDTH, 7.0)])[0], calendar)
    assert hour == Hour("water_volume_l", START, 7.0, calendar.place(START))
    assert hour.end == START + WIDTH
