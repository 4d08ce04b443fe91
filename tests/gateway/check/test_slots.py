"""Slots of a day: as many as the zone has quarters, sums that stay, estimates that are graded and add up."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.check import Interval
from gateway.check.slots import QUARTER_MS, Slots, days_before, edges_of
from gateway.check.words import Quality

UTC = ZoneInfo("UTC")
DAY = 1_767_225_600_000  # 2026-01-01
HOUR = 3_600_000
EDGES = edges_of(DAY, UTC)


def interval(start: int, end: int, amount: float | None, quality: Quality = "good") -> Interval:
    """Make an interval of minutes after midnight."""
    return Interval("m", "energy_import_wh", DAY + start * 60_000, DAY + end * 60_000, amount, quality)


def filled(*intervals: Interval) -> Slots:
    """Gather intervals; what is longer than a quarter of an hour is an outage."""
    slots = Slots(EDGES, QUARTER_MS)
    for one in intervals:
        slots.add(one)
    return slots


@pytest.mark.parametrize(
    ("moment", "zone", "count"),
    [
        (1_774_742_400_000, "Europe/Berlin", 92),  # 2026-03-29
        (1_792_886_400_000, "Europe/Berlin", 100),  # 2026-10-25
        (1_791_115_200_000, "Australia/Lord_Howe", 94),  # 2026-10-04, half an hour
        (DAY, "UTC", 96),
    ],
)
def test_v1_a_day_has_the_quarters_of_its_zone(moment: int, zone: str, count: int) -> None:
    """Clock changes make days of 92, 94 or 100 quarters, each a quarter of an hour long."""
    edges = edges_of(moment, ZoneInfo(zone))
    assert len(edges) == count + 1
    assert {b - a for a, b in pairwise(edges)} == {QUARTER_MS}


def test_a_slow_meter_has_slots_of_its_own_length() -> None:
    """A meter that speaks once an hour has 24 of them."""
    assert len(edges_of(DAY, UTC, HOUR)) == 25


def test_days_before_keep_midnight() -> None:
    """A week before a Monday after the clock change is a midnight too."""
    berlin = ZoneInfo("Europe/Berlin")
    monday = edges_of(1_774_915_200_000, berlin)[0]
    assert days_before(monday, berlin, 7) == edges_of(monday - 7 * 86_400_000 + 2 * HOUR, berlin)[0]


def test_short_intervals_are_shared_out() -> None:
    """An interval over the edge of two slots gives each its part; what is not covered stays unknown."""
    slots = filled(interval(0, 10, 100), interval(10, 20, 60), interval(20, 30, 70)).slots()
    assert [slot.amount for slot in slots[:3]] == [130, 100, None]
    assert [slot.grade for slot in slots[:3]] == ["actual", "actual", "unknown"]


def test_an_outage_has_a_sum_but_no_course() -> None:
    """Its slots are unknown until they are estimated, the day's sum is not."""
    slots = filled(interval(0, 60, 100), *(interval(n, n + 15, 1) for n in range(60, 1440, 15)))
    assert slots.total == 192
    assert [slot.amount for slot in slots.slots()[:5]] == [None] * 4 + [1]


def test_e1_an_hour_is_shared_out_evenly() -> None:
    """Whatever other days were like."""
    slots = filled(interval(0, 60, 100))
    slots.estimate(float)
    assert [(slot.amount, slot.grade) for slot in slots.slots()[:5]] == [(25, "estimated")] * 4 + [(None, "unknown")]


def test_e1_longer_outages_follow_other_weeks() -> None:
    """In the shape of the same hours, and with the sum that the register tells."""
    slots = filled(interval(0, 120, 80))
    slots.estimate(lambda start: 3.0 if start < DAY + HOUR else 1.0)
    assert [slot.amount for slot in slots.slots()[:8]] == [15] * 4 + [5] * 4


def test_e1_without_other_weeks_two_hours_at_most() -> None:
    """Two hours are shared out evenly; what is longer stays unknown."""
    for minutes, amount in ((120, 10.0), (121, None)):
        slots = filled(interval(0, minutes, minutes / 1.5))
        slots.estimate(lambda _: None)
        assert slots.slots()[0].amount == amount


def test_e1_an_outage_over_midnight_gives_this_day_its_part() -> None:
    """Three hours from ten at night on: the day before gets its own two."""
    slots = filled(interval(-120, 60, 120))
    slots.estimate(lambda _: 1.0)
    assert sum(slot.amount or 0 for slot in slots.slots()) == 40
    assert slots.total is None


def test_unknown_and_doubtful_amounts_are_no_use() -> None:
    """A reset and a suspect rise leave their slots unknown, and the day's sum."""
    slots = filled(interval(0, 15, None, "reset"), interval(15, 30, 5000, "suspect"))
    assert slots.total is None
    assert [slot.amount for slot in slots.slots()[:2]] == [None, None]


def test_a_rollover_is_a_corrected_slot() -> None:
    """Its amount was worked out, so it ranks below what was simply read."""
    assert filled(interval(0, 15, 7, "rollover")).slots()[0].grade == "corrected"


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 500)), min_size=1, max_size=40))
def test_whatever_the_gaps_slots_and_estimates_add_up(steps: list[tuple[int, int]]) -> None:
    """Intervals side by side from midnight on: the slots' sum is theirs, however long each was."""
    at, whole, slots = 0, 0, Slots(EDGES, QUARTER_MS)
    for minutes, amount in steps:
        if at + minutes > 1440:
            break
        slots.add(interval(at, at + minutes, amount))
        at, whole = at + minutes, whole + amount
    if at < 1440:
        slots.add(interval(at, 1440, 0))
    slots.estimate(lambda _: 2.0)
    day = slots.slots()
    assert slots.total == whole
    assert sum(slot.amount or 0 for slot in day) == pytest.approx(whole, abs=0.1)
    assert all(slot.amount is not None for slot in day)
