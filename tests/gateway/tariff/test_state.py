"""Running states: nothing lost between periods, rates and tiers, and the same after a restart."""

import json
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.tariff import BillState, Plan, add, begin, load
from gateway.tariff.state import GRAIN, LARGEST, dump, restore

START = 1_774_699_200_000
"""A Saturday in March 2026, a day before the clocks change in Berlin."""
MINUTE = 60_000

PLANS = [Plan(load("time_of_use_electricity")), Plan(load("saudi_water_residential"), 2)]
steps = st.lists(
    st.tuples(st.integers(0, 90), st.integers(1, 3 * 1440), st.none() | st.floats(0, 50_000)), min_size=1, max_size=30
)


def intervals(given_steps: list[tuple[int, int, float | None]]) -> list[tuple[int, int, float | None]]:
    """Turn (pause, length, amount) in minutes into intervals."""
    found, moment = [], START
    for pause, length, amount in given_steps:
        moment += pause * MINUTE
        found.append((moment, moment + length * MINUTE, amount))
        moment = found[-1][1]
    return found


def run(plan: Plan, rows: list[tuple[int, int, float | None]]) -> list[BillState]:
    """Give all periods, the open one last."""
    state, periods = begin(plan, rows[0][0]), list[BillState]()
    for row in rows:
        state, closed = add(plan, state, *row)
        periods += closed
    return [*periods, state]


@given(st.sampled_from(PLANS), steps)
@settings(max_examples=60, deadline=None)
def test_the_parts_add_up_to_the_whole(plan: Plan, given_steps: list[Any]) -> None:
    """All periods, rates and tiers together hold exactly what the intervals held, and as much time."""
    rows = intervals(given_steps)
    periods = run(plan, rows)
    known = [(start, end, amount) for start, end, amount in rows if amount is not None]
    assert sum((period.total for period in periods), Decimal()) == sum(
        (Decimal(amount).quantize(GRAIN) for _, _, amount in known), Decimal()
    )
    assert sum(period.covered for period in periods) == sum(end - start for start, end, _ in known)
    assert all(a.end == b.start for a, b in pairwise(periods))
    assert all(period.until == period.end for period in periods[:-1])


@given(st.sampled_from(PLANS), steps, st.integers(0, 29))
@settings(max_examples=60, deadline=None)
def test_a_restart_changes_nothing(plan: Plan, given_steps: list[Any], stop: int) -> None:
    """A state written down as JSON and taken up again ends like one that ran through."""
    rows = intervals(given_steps)
    state = begin(plan, rows[0][0])
    for number, row in enumerate(rows):
        if number == stop:
            taken_up = restore(plan, json.loads(json.dumps(dump(plan, state))))
            assert taken_up is not None
            state = taken_up
        state, _ = add(plan, state, *row)
    assert state == run(plan, rows)[-1]


@given(st.sampled_from(PLANS), steps)
@settings(max_examples=40, deadline=None)
def test_a_delivery_that_comes_twice_counts_once(plan: Plan, given_steps: list[Any]) -> None:
    """Repeated intervals leave every period as it was, and are counted."""
    rows = intervals(given_steps)
    once, twice = run(plan, rows), run(plan, [row for row in rows for _ in range(2)])
    assert [period._replace(left_out=0) for period in twice] == once
    assert any(period.left_out for period in twice)


@given(st.integers(0, 6 * 96), st.integers(1, 3 * 1440), st.integers(1, 100_000))
@settings(max_examples=40, deadline=None)
def test_rates_agree_with_a_walk_minute_by_minute(quarter: int, length: int, amount: int) -> None:
    """What lies in each rate is what a plain look at every minute's wall clock says, over the change of clocks too."""
    plan = PLANS[0]
    start = START + quarter * 15 * MINUTE + 7 * MINUTE
    state = run(plan, [(start, start + length * MINUTE, amount)])
    minutes = [0, 0, 0]
    for moment in range(start, start + length * MINUTE, MINUTE):
        local = datetime.fromtimestamp(moment / 1000, plan.zone)
        minutes[1 if local.hour >= 22 or local.hour < 6 else 2] += 1  # no winter evening in March and April
    counted = [sum(float(period.used[rate]) for period in state) for rate in range(3)]
    assert counted == pytest.approx([amount * n / length for n in minutes], abs=0.01)


def test_an_interval_over_the_end_of_a_period_is_shared_out(plan: Any, at: Any) -> None:
    """Six hours around a month's end: two before and four after, a third and two thirds of the litres."""
    own = plan("saudi_water_residential")
    start, end = at("2026-01-31T22:00", "Asia/Riyadh"), at("2026-02-01T04:00", "Asia/Riyadh")
    state, (closed,) = add(own, begin(own, start), start, end, 100)
    assert closed.total == Decimal("33.3333")
    assert state.total == Decimal("66.6667")
    assert closed.end == state.start == at("2026-02-01", "Asia/Riyadh")


def test_a_long_interval_fills_every_period_it_covers(plan: Any, at: Any) -> None:
    """A year in one interval is twelve bills."""
    own = plan("saudi_water_residential")
    start, end = at("2025-01-01", "Asia/Riyadh"), at("2026-01-01", "Asia/Riyadh")
    state, closed = add(own, begin(own, start), start, end, 365_000)
    assert [period.total for period in (*closed, state)][:3] == [31_000, 28_000, 31_000]
    assert len(closed) == 11


def test_an_interval_partly_known_adds_its_other_part(plan: Any) -> None:
    """What overlaps the newest moment adds only what lies after it, in proportion."""
    own = plan("saudi_water_residential")
    state, _ = add(own, begin(own, START), START, START + 60 * MINUTE, 60)
    state, _ = add(own, state, START + 30 * MINUTE, START + 90 * MINUTE, 60)
    assert state.total == 90
    assert state.covered == 90 * MINUTE
    assert state.left_out == 1


@pytest.mark.parametrize("amount", [-1, float("nan"), float("inf"), LARGEST * 2, None])
def test_what_no_meter_counts_is_unknown(plan: Any, amount: float | None) -> None:
    """It adds no litre and covers no time, but time goes on."""
    own = plan("saudi_water_residential")
    state, _ = add(own, begin(own, START), START, START + MINUTE, amount)
    assert (int(state.total), state.covered, state.until) == (0, 0, START + MINUTE)


def test_tiers_are_filled_in_the_order_of_time(plan: Any) -> None:
    """Two dwelling units: the first 30 m3 in the first tier, the rest in the second."""
    own = plan("saudi_water_residential", 2)
    state = begin(own, START)
    for n in range(4):
        state, _ = add(own, state, START + n * MINUTE, START + (n + 1) * MINUTE, 10_000)
    assert list(map(int, state.used)) == [30_000, 10_000, 0, 0, 0]


@pytest.mark.parametrize(
    "dumped", [[], [1], ["x"] * 7, [0, 0, 0, 0, 0, 0, ["0"]], [0, 0, 0, 0, 0, 0, ["pear"]], [0, 0, 0, 0, 0, 0, None]]
)
def test_what_is_no_state_is_not_taken_up(dumped: list[Any]) -> None:
    """Damage and other versions mean beginning anew."""
    assert restore(PLANS[1], dumped) is None


def test_a_state_belongs_to_its_plan() -> None:
    """With another number of dwelling units, or as many cells of another tariff, tiers lie elsewhere."""
    one, two = Plan(load("saudi_water_residential")), PLANS[1]
    assert restore(one, dump(two, begin(two, START))) is None
    assert restore(two, [two.shape, *dump(two, begin(two, START))[1:]]) == begin(two, START)
    assert restore(two, [*dump(two, begin(two, START))[:-1], ["0"]]) is None
