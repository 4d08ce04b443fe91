"""Use at the dearest time (E5): more than on most days, enough to be worth shifting, and seldom told."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.alerts.rules.peak import PeakPriceUse
from gateway.check import Interval
from gateway.tariff.model import Plan, Rate
from tests.support.money import ALWAYS, DAY_MS, METER, NAME, ms, plan, story, told

JANUARY = "2026-01-01"
EVENING = Rate(NAME, (Decimal("0.40"),), hours=((17 * 4, 20 * 4),))


def by_the_hour(rate: Rate = EVENING) -> Plan:
    """Make a plan that is dearest from 17:00 to 20:00."""
    return plan(rates=(rate, ALWAYS))


def evenings(wh: Iterable[float]) -> Iterator[Interval]:
    """Use 2 kWh spread over the day, and so much between 17:00 and 20:00."""
    for n, amount in enumerate(wh):
        for quarter in range(96):
            start = ms(JANUARY) + n * DAY_MS + quarter * 900_000
            used = amount / 12 if 68 <= quarter < 80 else 2000 / 84
            yield Interval(METER, "energy_import_wh", start, start + 900_000, used, "good")


LEARNT = [1_000.0, 1_200.0] * 7


@pytest.mark.parametrize(
    ("more", "days"),
    [
        ([3_000.0, 1_000.0], ["01-15"]),
        ([1_500.0], []),  # more than on most days, but not by half a kWh
        ([3_000.0] * 7, ["01-15", "01-16", "01-17"]),  # three in seven days
        ([3_000.0] * 3 + [1_000.0] * 4 + [9_000.0], ["01-15", "01-16", "01-17", "01-22"]),
    ],
)
def test_dear_days_are_told_few_times(more: list[float], days: list[str]) -> None:
    """Each when it ends."""
    events = told(PeakPriceUse(by_the_hour()), evenings([*LEARNT, *more]))
    raised = [event for event in events if event.state == "raised"]
    assert [f"01-{event.evidence['peak_ms'] // DAY_MS - ms('2025-12-31') // DAY_MS:02.0f}" for event in raised] == days
    assert all(event.severity == "info" for event in raised)


def test_the_event_says_how_much_more_and_when() -> None:
    """Held against the middle day; the moment lies in the peak."""
    (event,) = told(PeakPriceUse(by_the_hour()), evenings([*LEARNT, 3_000.0]))
    assert (event.value, event.baseline, event.unit, event.evidence["above_wh"]) == (3_000, 1_100, "Wh", 1_900.0)
    assert event.evidence["peak_ms"] == ms("2026-01-15T17:00")


def test_the_next_day_ends_it() -> None:
    """It was yesterday."""
    events = told(PeakPriceUse(by_the_hour()), evenings([*LEARNT, 3_000.0, 1_000.0]))
    assert [day for day, *_ in story(events)] == ["01-16", "01-16"]
    assert [event.state for event in events] == ["raised", "cleared"]


@pytest.mark.parametrize(
    "rate",
    [
        replace(EVENING, hours=((0, 40),)),  # ten hours: no peak one can dodge
        replace(EVENING, prices=ALWAYS.prices),
        replace(EVENING, months=(7,)),
    ],
)
def test_without_a_peak_nothing_is_told(rate: Rate) -> None:
    """A rate that holds for long, costs no more, or holds in another season."""
    assert told(PeakPriceUse(by_the_hour(rate)), evenings([*LEARNT, 9_000.0])) == []


def test_two_weeks_are_learnt_first() -> None:
    """One day short of them nothing is told."""
    assert told(PeakPriceUse(by_the_hour()), evenings([*LEARNT[1:], 9_000.0])) == []


def test_a_restart_changes_nothing() -> None:
    """All that is remembered is plain data."""
    series = [*LEARNT, *[3_000.0, 1_000.0] * 4]
    rule = PeakPriceUse(by_the_hour())
    assert told(rule, evenings(series), restarting=True) == told(rule, evenings(series))
