"""Budgets (E4): early if the money goes faster than the time, and when all of it is gone."""

from collections.abc import Sequence
from datetime import date

import pytest

from gateway.alerts.rules.budget import Budget
from tests.support.money import CALENDAR, hours, plan, story, told

JANUARY = "2026-01-01"


def rule(**about: object) -> Budget:
    """Make a budget of 31 SAR, what 10 kWh a day cost in January."""
    return Budget(plan(**about), CALENDAR, 31.0)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([9_900.0] * 31, []),  # slower than the time to the end
        ([20_000.0] * 31, [("01-14", "raised", "info"), ("01-17", "updated", "warning")]),
        ([20_000.0] * 13 + [1_000.0] * 18, [("01-14", "raised", "info")]),
        ([310_000.0], [("01-02", "raised", "warning")]),  # all in one day
        ([10_001.0] * 31, [("01-26", "raised", "info")]),
    ],
)
def test_each_step_is_told_once(days: Sequence[float], expected: list[tuple[str, str, str]]) -> None:
    """At 80 % if ahead of the time, at 100 % in any case; the period's last evening is too late."""
    assert story(told(rule(), hours(JANUARY, days))) == expected


def test_a_new_period_has_a_new_budget() -> None:
    """The alert ends with the period, and comes again in the next."""
    events = told(rule(), hours(JANUARY, [20_000.0] * 59))
    assert [event.state for event in events] == ["raised", "updated", "cleared", "raised", "updated"]
    assert events[2].cleared == events[2].at - 3_600_000


def test_money_is_the_bills_own() -> None:
    """What is told is the bill to the halala: use, fee, VAT."""
    (event, *_) = told(rule(fee="10", vat="15"), hours(JANUARY, [10_000.0] * 31))
    # 12 days at 10 kWh, 0.10 a kWh, and the fee: 22.00, VAT 3.30
    assert (event.value, event.unit, event.evidence["left_s"]) == (25.30, "SAR", 19 * 86_400)


def test_an_expired_tariff_has_no_cost() -> None:
    """Nothing is said of money nobody knows."""
    assert told(rule(until=date(2025, 12, 31)), hours(JANUARY, [20_000.0] * 31)) == []


def test_a_restart_changes_nothing() -> None:
    """All that is remembered is plain data."""
    series = [20_000.0] * 59
    assert told(rule(), hours(JANUARY, series), restarting=True) == told(rule(), hours(JANUARY, series))
