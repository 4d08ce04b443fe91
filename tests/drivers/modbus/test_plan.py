"""Registers to requests: everything covered once, nothing torn, forbidden holes left alone."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.plan import BRIDGE, Span, merge

ROWS = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from([1, 2, 4])).map(lambda p: Span(p[0], p[0] + p[1])), min_size=1
)
FORBIDDEN = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 9)).map(lambda p: Span(p[0], p[0] + p[1])))


@given(rows=ROWS, limit=st.integers(4, 125), forbidden=FORBIDDEN)
def test_plan_covers_all_rows(rows: list[Span], limit: int, forbidden: list[Span]) -> None:
    """Each row lies whole in a request no longer than the limit, and only rows touch forbidden registers."""
    spans = merge(rows, limit, forbidden)
    assert all(any(span.start <= row.start and row.end <= span.end for span in spans) for row in rows)
    assert all(span.end - span.start <= limit for span in spans)
    wanted = {at for row in rows for at in range(row.start, row.end)}
    read = {at for span in spans for at in range(span.start, span.end)}
    banned = {at for span in forbidden for at in range(span.start, span.end)}
    assert not (read - wanted) & banned


def test_small_holes_are_read_along() -> None:
    """A hole as dear as a request is bridged, a larger one is not."""
    assert merge([Span(0, 2), Span(2 + BRIDGE, 4 + BRIDGE)], 125) == [Span(0, 4 + BRIDGE)]
    assert merge([Span(0, 2), Span(3 + BRIDGE, 4 + BRIDGE)], 125) == [Span(0, 2), Span(3 + BRIDGE, 4 + BRIDGE)]


def test_rows_side_by_side_need_one_request() -> None:
    """Rows without holes are merged in any order, overlaps too."""
    assert merge([Span(4, 6), Span(0, 4), Span(2, 4)], 125) == [Span(0, 6)]


def test_limit_of_the_meter() -> None:
    """A request never grows beyond what the meter takes, and no row is torn."""
    assert merge([Span(0, 4), Span(4, 8), Span(8, 12)], 10) == [Span(0, 8), Span(8, 12)]


def test_forbidden_hole_ends_a_request() -> None:
    """A single forbidden register between two rows makes two requests."""
    assert merge([Span(0, 6), Span(12, 18)], 125, [Span(11, 12)]) == [Span(0, 6), Span(12, 18)]
