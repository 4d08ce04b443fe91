"""High bills, told ahead (E2): by what is usual or by the customer's own limit, once a level and period."""

import csv
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.alerts.calendar import HOUR_MS
from gateway.alerts.hours import Hour
from gateway.alerts.rule import Finding
from gateway.alerts.rules.bill_projection import BillProjection, State
from gateway.check import Interval
from gateway.tariff.model import Plan
from tests.support.money import CALENDAR, METER, hours, ms, plan, story, told

JANUARY = "2026-01-01"
USUAL = [10_000.0] * (31 + 28)
"""Two months at 10 kWh a day, 31 and 28 SAR."""


def rule(limit: float | None = None) -> BillProjection:
    """Make the rule on the plan of ten halalas a kWh."""
    return BillProjection(plan(), CALENDAR, limit)


def test_a_month_as_usual_is_no_news() -> None:
    """The same use every day."""
    assert told(rule(), hours(JANUARY, [10_000.0] * 100)) == []


def test_without_a_whole_bill_nothing_is_usual() -> None:
    """Who began in the middle of a month knows no bill yet, whatever comes next."""
    assert told(rule(), hours("2026-01-20", [10_000.0] * 12 + [30_000.0] * 20)) == []


def test_a_high_bill_is_likely_then_sure_then_over() -> None:
    """Half as much again from 1 March: two days in a row above the margin, then all of the band above the limit."""
    events = told(rule(), hours(JANUARY, [*USUAL, *[16_000.0] * 31, 10_000.0]))
    assert [event.state for event in events] == ["raised", "updated", "cleared"]
    first = events[0]
    assert (first.unit, first.baseline, first.evidence["usual_money"]) == ("SAR", 29.5, 29.5)
    assert first.value is not None
    assert first.evidence["low_money"] < first.value < first.evidence["high_money"]


def test_the_customers_own_limit_needs_no_history() -> None:
    """A limit of 25 SAR is passed by a month at 10 kWh a day, once the days are learnt."""
    events = told(rule(25.0), hours(JANUARY, [10_000.0] * 31))
    assert (events[0].state, events[0].baseline, events[0].value) == ("raised", 25.0, 31.0)
    assert story(events)[0][0] == "01-17"


@pytest.mark.parametrize("limit", [31.0, 40.0])
def test_a_bill_within_the_limit_is_no_news(limit: float) -> None:
    """What the customer wanted to spend may be spent."""
    assert told(rule(limit), hours(JANUARY, [10_000.0] * 40)) == []


@pytest.mark.parametrize(("july", "told_of"), [(31.0, True), (-1.0, True), (120.0, False)])
def test_the_same_month_a_year_ago_makes_a_summer_usual(july: float, told_of: bool) -> None:
    """A July of 124 SAR is news, unless the last one was like it; one that is unknown was not."""
    dear, findings = rule(), list[Finding]()
    state = State(before=(july, *[31.0] * 11))
    for interval in hours("2026-07-01", [40_000.0] * 31):
        place = CALENDAR.place(interval.start)
        state, finding = dear.hour(state, Hour(interval.key, interval.start, interval.amount or 0, place))
        findings.append(finding)
    assert any(findings) is told_of


def test_days_without_readings_are_no_cheap_days() -> None:
    """A month of which a week is unknown is no bill to compare with."""
    gaps = [10_000.0] * 31 + [-1.0] * 7 + [10_000.0] * 21
    events = told(rule(), hours(JANUARY, [*gaps, *[30_000.0] * 20]))
    assert events[0].baseline == 31.0


def test_an_expired_tariff_projects_nothing() -> None:
    """A wrong number is worse than none."""
    old = BillProjection(plan(until=date(2026, 3, 15)), CALENDAR)
    assert told(old, hours(JANUARY, [*USUAL, *[30_000.0] * 31])) == []


def test_a_restart_changes_nothing() -> None:
    """All that is remembered is plain data of less than two kilobytes."""
    series = [*USUAL, *[30_000.0] * 31, *[10_000.0] * 5]
    assert told(rule(), hours(JANUARY, series), restarting=True) == told(rule(), hours(JANUARY, series))


def test_hours_that_come_again_count_once() -> None:
    """A day delivered twice leads to the same events."""
    series = list(hours(JANUARY, [*USUAL, *[30_000.0] * 31]))
    twice = [row for n in range(0, len(series), 24) for row in series[n : n + 24] * 2]
    assert told(rule(), twice) == told(rule(), series)


@pytest.mark.slow
def test_a_real_home_is_told_of_few_bills() -> None:
    """Two years of one in France: at most two high bills a year, none of them in the months of learning."""
    path = Path(os.environ.get("NABD_SERIES", Path(__file__).parents[5] / "shared/series"))
    path /= "elec_fr_home_hourly_2007-2008.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there: set NABD_SERIES to the folder of series of homes")
    with path.open(newline="") as file:
        rows = [(ms(row["ts"].removesuffix("Z")), float(row["kwh"])) for row in csv.DictReader(file) if row["kwh"]]
    long_held = Plan(replace(plan().tariff, valid_from=date(2000, 1, 1)))
    intervals = (Interval(METER, "energy_import_wh", at, at + HOUR_MS, 1000 * kwh, "good") for at, kwh in rows)
    events = told(BillProjection(long_held, CALENDAR), intervals)
    raised = [event.raised for event in events if event.state == "raised"]
    assert 1 <= len(raised) <= 4
    assert min(raised) > rows[0][0] + 40 * 24 * HOUR_MS
