"""Registers to requests: everything covered, nothing torn, limits kept, and no plan takes less time on the wire."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.plan import Limits, Span, Wire, cover

SLOW = Wire(10 / 9600)
WIRES = st.sampled_from([SLOW, Wire(11 / 2400), Wire(10 / 115_200), Wire(10 / 9600, 0.0), Wire(10 / 9600, 0.2)])


def spans(most: int, size: int) -> st.SearchStrategy[list[Span]]:
    """Make up to `size` rows of meters' widths below register `most`."""
    one = st.tuples(st.integers(0, most), st.sampled_from([1, 2, 2, 4, 7])).map(lambda p: Span(p[0], p[0] + p[1]))
    return st.lists(one, min_size=1, max_size=size)


RULES = st.builds(
    Limits,
    st.integers(4, 60),
    st.lists(st.tuples(st.integers(0, 150), st.integers(1, 4)).map(lambda p: Span(p[0], p[0] + p[1])), max_size=3),
    st.frozensets(st.integers(0, 150), max_size=3),
)


def groupings(rows: Sequence[Span]) -> Iterator[list[list[Span]]]:
    """Give every way to share rows out to requests."""
    if not rows:
        yield []
        return
    first, rest = rows[0], rows[1:]
    for shared in groupings(rest):
        yield [[first], *shared]
        for n, group in enumerate(shared):
            yield [*shared[:n], [first, *group], *shared[n + 1 :]]


def least_time(rows: Sequence[Span], limits: Limits, wire: Wire) -> float:
    """Find the least time by trying everything."""
    best = float("inf")
    for groups in groupings(rows):
        time = 0.0
        for group in groups:
            whole = Span(min(row.start for row in group), max(row.end for row in group))
            if whole not in group and not limits.allow(whole):
                break
            time += wire.time_of(len(whole))
        else:
            best = min(best, time)
    return best


@settings(max_examples=400, deadline=None)
@given(rows=spans(120, 7), limits=RULES, wire=WIRES)
def test_no_plan_is_faster(rows: list[Span], limits: Limits, wire: Wire) -> None:
    """Of all ways to share up to seven rows out to requests, none takes less time than the plan."""
    time = sum(wire.time_of(len(span)) for span in cover(rows, limits, wire))
    assert time == pytest.approx(least_time(sorted(set(rows)), limits, wire))


@given(rows=spans(400, 40), limits=RULES, wire=WIRES)
def test_plan_covers_all_rows(rows: list[Span], limits: Limits, wire: Wire) -> None:
    """Each row lies whole in a request, and a request that reads more than one row keeps all limits."""
    plan = cover(rows, limits, wire)
    assert plan == sorted(plan)
    assert all(any(span.start <= row.start and row.end <= span.end for span in plan) for row in rows)
    assert all(span in rows or limits.allow(span) for span in plan)


def test_holes_are_read_along_while_that_is_cheaper() -> None:
    """Two characters a register against a request of its own: 20 ms of thinking are 19 characters at 9600 baud."""
    hole = int((SLOW.gap + SLOW.turnaround) / SLOW.character + 13) // 2
    limits = Limits(125)
    assert cover([Span(0, 2), Span(2 + hole, 4 + hole)], limits, SLOW) == [Span(0, 4 + hole)]
    assert len(cover([Span(0, 2), Span(3 + hole, 4 + hole)], limits, SLOW)) == 2


def test_a_fast_line_reads_longer_holes() -> None:
    """Where characters cost little, the thinking decides, up to the longest request."""
    rows = [Span(0, 2), Span(100, 102)]
    assert len(cover(rows, Limits(125), SLOW)) == 2
    assert cover(rows, Limits(125), Wire(10 / 115_200)) == [Span(0, 102)]


@pytest.mark.parametrize("width", [1, 2, 4])
def test_twenty_values_side_by_side_need_one_request(width: int) -> None:
    """Rows without holes are one request, in any order, overlaps too."""
    rows = [Span(width * n, width * n + width) for n in range(20)]
    assert cover(rows[::-1] + rows[:3], Limits(125), SLOW) == [Span(0, 20 * width)]


def test_limit_of_the_meter() -> None:
    """A request never grows beyond what the meter takes, and no row is torn."""
    assert cover([Span(0, 4), Span(4, 8), Span(8, 12)], Limits(10), SLOW) in (
        [Span(0, 8), Span(8, 12)],
        [Span(0, 4), Span(4, 12)],
    )


def test_forbidden_registers_are_left_out() -> None:
    """A single forbidden register between two rows makes two requests; as a row of its own it is read alone."""
    limits = Limits(125, [Span(11, 12)])
    assert cover([Span(0, 6), Span(12, 18)], limits, SLOW) == [Span(0, 6), Span(12, 18)]
    assert cover([Span(9, 11), Span(11, 12), Span(12, 13)], limits, SLOW) == [Span(9, 11), Span(11, 12), Span(12, 13)]


def test_time_of_a_request() -> None:
    """8 characters out, 5 and two a register back, 3.5 of silence, and the thinking: 48.8 ms for one register."""
    assert SLOW.time_of(1) == pytest.approx(18.5 * 10 / 9600 + 0.02)
    assert Wire(10 / 115_200).gap == 0.00175
    assert Wire(11 / 19_200).gap == pytest.approx(3.5 * 11 / 19_200)
