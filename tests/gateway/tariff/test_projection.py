"""Projections: the usual hours that are left, the last week, the band, and where tiers end."""

from decimal import Decimal
from typing import Any

import pytest

from gateway.tariff import NoCost
from gateway.tariff.projection import HOUR_MS, P90_ERROR, Projection, Week, error_at, lived, project

DAY_MS = 24 * HOUR_MS


def made(said: Projection | NoCost) -> Projection:
    """Take a projection that is one."""
    assert isinstance(said, Projection), said
    return said


def test_usual_hours_to_the_end(plan: Any, used: Any) -> None:
    """240 kWh in ten days and 480 usual ones: 720 x 0.18 + 10 = 139.60; VAT 20.94; 160.54."""
    own = plan("saudi_electricity_residential")
    said = made(project(own, used(own, 240, "2026-04-01", "2026-04-11"), lambda _: 1000.0))
    assert said.bill.total == Decimal("160.54")
    assert said.bill.quantity == 720
    assert said.crossings == ()


def test_the_last_week_goes_on_in_part(plan: Any, used: Any) -> None:
    """A week of four times the usual doubles what is left: 240 + 960 = 1200 x 0.18 + 10 = 226; VAT 33.90."""
    own = plan("saudi_electricity_residential")
    state = used(own, 240, "2026-04-01", "2026-04-11")
    assert made(project(own, state, lambda _: 1000.0, 4.0)).bill.total == Decimal("259.90")


def test_the_band_is_priced_by_tiers(plan: Any, used: Any) -> None:
    """On day 10 of 31 the whole is 23 % off at most: with 93 m3, from 71.61 to 114.39, dear ones above 60."""
    own = plan("saudi_water_residential")
    state = used(own, 30, "2026-01-01", "2026-01-11")
    said = made(project(own, state, lambda _: 125.0))  # 21 days x 24 h x 125 l = 63 m3
    assert said.error == pytest.approx(0.23)
    # (1.50 + 15 + 45 + 60 + 11.61 x 6) x 1.5 + 5, and VAT on it
    assert float(said.low) == pytest.approx(((121.5 + 11.61 * 6) * 1.5 + 5) * 1.15, abs=0.03)
    assert float(said.high) == pytest.approx(((121.5 + 54.39 * 6) * 1.5 + 5) * 1.15, abs=0.03)


def test_where_tiers_end(plan: Any, used: Any) -> None:
    """15 m3 is behind; 30, 45 and 60 come after 120, 240 and 360 hours more, sooner or later by the band."""
    own = plan("saudi_water_residential")
    state = used(own, 15, "2026-01-01", "2026-01-11")
    said = made(project(own, state, lambda _: 125.0))
    assert [(int(row.limit), (row.at - state.until) // HOUR_MS) for row in said.crossings] == [
        (30, 120),
        (45, 240),
        (60, 360),
    ]
    # 23 % of 78 m3 all lie in the 63 to come: 28.5 %
    assert (said.crossings[0].early - state.until) // HOUR_MS == 94  # 120 / 1.285
    late = said.crossings[0].late
    assert late is not None
    assert (late - state.until) // HOUR_MS == 168  # 120 / 0.715
    assert said.crossings[2].late == state.end  # 360 / 0.715 is 503.5 of 504
    assert [row.tier for row in said.crossings] == [2, 3, 4]


def test_a_tier_that_may_last(plan: Any, used: Any) -> None:
    """With 100 l/h the limit of 60 is reached, but 30 % less would not reach it: no latest moment."""
    own = plan("saudi_water_residential")
    said = made(project(own, used(own, 15, "2026-01-01", "2026-01-11"), lambda _: 100.0))
    assert said.crossings[2].limit == 60
    assert said.crossings[2].late is None


@pytest.mark.parametrize(
    ("day", "error"),
    [(4.9, None), (5, 0.27), (7.5, 0.25), (10, 0.23), (15, 0.23), (17.5, 0.18), (20, 0.13), (30, 0.13)],
)
def test_the_error_shrinks_with_the_days(plan: Any, used: Any, day: float, error: float | None) -> None:
    """Between measured days it changes in proportion, and after the last it stays."""
    own = plan("saudi_water_residential")
    state = used(own, 1, "2026-01-01", "2026-01-02")
    found = error_at(state._replace(until=state.start + round(day * DAY_MS)))
    assert found == (None if error is None else pytest.approx(error))
    assert [error for _, error in P90_ERROR] == sorted((error for _, error in P90_ERROR), reverse=True)


def test_no_projection_without_grounds(plan: Any, used: Any) -> None:
    """Too early, not learnt, or a tariff that ends before the period does: a reason each."""
    own = plan("saudi_water_residential")
    early = used(own, 1, "2026-01-01", "2026-01-05")
    assert project(own, early, lambda _: 1.0) == NoCost("too_early")
    assert project(own, used(own, 1, "2026-01-01", "2026-01-11"), lambda _: None) == NoCost("learning")
    assert project(own, used(own, 1, "2027-02-01", "2027-02-03"), lambda _: 1.0) == NoCost("too_early")
    fuse = plan("saudi_electricity_residential", breaker=None)
    assert project(fuse, used(fuse, 1, "2026-01-01", "2026-01-11"), lambda _: 1.0) == NoCost("breaker_unknown")


def test_a_tariff_that_ends_within_the_period(plan: Any, at: Any) -> None:
    """What comes after its last day has no known price, so the end has none."""
    from dataclasses import replace
    from datetime import date

    from gateway.tariff import add, begin

    base = plan("saudi_water_residential")
    own = replace(base, tariff=replace(base.tariff, valid_until=date(2026, 1, 20)))
    start = at("2026-01-01", "Asia/Riyadh")
    state, _ = add(own, begin(own, start), start, start + 10 * DAY_MS, 1000)
    assert project(own, state, lambda _: 1.0) == NoCost("expired")


def test_a_whole_period_is_its_own_projection(plan: Any, used: Any) -> None:
    """At the end nothing is left, and nothing is unsure."""
    own = plan("saudi_water_residential")
    said = made(project(own, used(own, 90, "2026-02-01", "2026-03-01"), lambda _: 125.0))
    assert said.low == said.bill.total == said.high == Decimal("525.84")


def test_a_period_that_ends_within_an_hour_is_filled_to_its_end(plan: Any, used: Any) -> None:
    """Half hours at both ends count half."""
    own = plan("saudi_water_residential")
    said = made(project(own, used(own, 0, "2026-02-01", "2026-02-28T22:30"), lambda _: 1000.0))
    assert said.bill.quantity == Decimal("1.5")


def test_the_week_remembers_seven_days() -> None:
    """The eighth day is forgotten, hours of one day come together, days without hours leave the others."""
    week = Week()
    assert week.level == 1.0
    week = lived(week, 100, 1000.0, 1.0)
    for day in range(101, 108):
        for _ in range(24):
            week = lived(week, day, 2.0, 1.0)
    assert len(week.days) == 7
    assert week.level == 2.0
    assert lived(week, 113, 9.0, 1.0).days == ((107, 48.0, 24.0), (113, 9.0, 1.0))
    assert lived(week, 300, 3.0, 0.0).level == 1.0
