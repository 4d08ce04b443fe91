"""Tiers (E3): near the end if it will be reached, and when the next one begins."""

from dataclasses import replace
from decimal import Decimal

from gateway.alerts.rules.tier import TierCrossing
from gateway.tariff.model import Plan, Rate
from tests.support.money import CALENDAR, NAME, hours, ms, plan, story, told

JANUARY = "2026-01-01"


def tiered(dwelling_units: int = 1) -> Plan:
    """Make a plan whose tiers end at 310 and 620 kWh, and 10 kWh a day reach the first one's end in January."""
    prices = Rate(NAME, (Decimal("0.1"), Decimal("0.2"), Decimal("0.4")))
    return replace(plan(rates=(prices,), tiers=(310, 620)), dwelling_units=dwelling_units)


def rule(dwelling_units: int = 1) -> TierCrossing:
    """Make the rule."""
    return TierCrossing(tiered(dwelling_units), CALENDAR)


def test_each_step_of_each_tier_is_told_once() -> None:
    """At 80, 95 and 100 %, of both tiers, at 25 kWh a day."""
    events = told(rule(), hours(JANUARY, [25_000.0] * 31))
    assert [(day, severity) for day, _, severity in story(events)] == [
        ("01-11", "info"), ("01-13", "warning"), ("01-14", "warning"), ("01-21", "warning"), ("01-25", "warning"),
        ("01-26", "warning"),
    ]  # fmt: skip
    assert [event.baseline for event in events] == [310_000.0] * 3 + [620_000.0] * 3
    assert [event.evidence["tier"] for event in events] == [1, 1, 1, 2, 2, 2]
    assert (events[0].value, events[0].unit) == (250_000, "Wh")


def test_the_end_of_a_tier_is_expected_within_a_range() -> None:
    """By then, not before, and by when at the latest."""
    events = told(rule(), hours("2025-12-01", [10_000.0] * 31 + [12_000.0] * 31))
    evidence = events[0].evidence
    assert evidence["early_ms"] <= evidence["expected_ms"]
    assert abs(evidence["expected_ms"] - ms("2026-01-26T20:00")) < 2 * 86_400_000


def test_a_tier_that_will_not_end_is_no_news() -> None:
    """At 9.5 kWh a day 95 % are reached on the last day, and the end never."""
    assert told(rule(), hours("2025-12-01", [9_500.0] * 31 * 3)) == []


def test_tiers_grow_with_dwelling_units() -> None:
    """Two dwellings share 620 kWh of the first tier."""
    assert told(rule(dwelling_units=2), hours(JANUARY, [15_000.0] * 31)) == []


def test_a_new_period_begins_with_the_first_tier() -> None:
    """The alert ends with the period."""
    events = told(rule(), hours(JANUARY, [15_000.0] * 33))
    assert story(events)[-1] == ("02-01", "cleared", "warning")


def test_a_restart_changes_nothing() -> None:
    """All that is remembered is plain data."""
    series = [*[10_000.0] * 20, *[25_000.0] * 40]
    assert told(rule(), hours(JANUARY, series), restarting=True) == told(rule(), hours(JANUARY, series))
