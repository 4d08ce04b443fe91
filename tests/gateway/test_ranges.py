"""Ranges of sequence numbers, judged by sets."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.ranges import Range, gaps, merge, runs, size

small = st.integers(0, 60)
ranges = st.lists(st.tuples(small, small))


def numbers(of: list[Range]) -> set[int]:
    """Spell ranges out."""
    return {number for first, last in of for number in range(first, last + 1)}


@given(ranges)
def test_merge_keeps_every_number_and_leaves_gaps(given_ranges: list[Range]) -> None:
    """The result is ascending, apart, and the same set."""
    merged = merge(given_ranges)
    assert numbers(merged) == numbers(given_ranges)
    assert all(b[0] > a[1] + 1 for a, b in pairwise(merged))
    assert size(merged) == len(numbers(merged))


@given(st.lists(small))
def test_runs_hold_exactly_these_numbers(some: list[int]) -> None:
    """Order and repetition do not matter."""
    assert numbers(runs(some)) == set(some)


@given(ranges, small, small)
def test_gaps_are_what_is_left(given_ranges: list[Range], first: int, last: int) -> None:
    """What is asked for, less what is there."""
    assert numbers(gaps(given_ranges, first, last)) == set(range(first, last + 1)) - numbers(given_ranges)
