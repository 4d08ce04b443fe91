"""Plants that make too little (E9b): poor days in a row, whole days or hours, and clouds that pass."""

from collections.abc import Iterable, Iterator

import pytest

from gateway.alerts.rules.pv import PvFault
from gateway.check import Interval
from tests.support.money import CALENDAR, DAY_MS, METER, hours, ms, story, told

JANUARY = "2026-01-01"
KEY = "energy_export_wh"
SUNNY = [10_000.0] * 20


def days(wh: Iterable[float]) -> Iterator[Interval]:
    """Export so many Wh each whole day."""
    for n, amount in enumerate(wh):
        start = ms(JANUARY) + n * DAY_MS
        yield Interval(METER, KEY, start, start + DAY_MS, None if amount < 0 else amount, "good")


@pytest.mark.parametrize(
    ("wh", "expected"),
    [
        ([*SUNNY, 0.0, 0.0, 0.0, 0.0], [("01-24", "raised", "warning")]),
        ([*SUNNY, 2_900.0, 0.0, 2_900.0], [("01-24", "raised", "warning")]),
        ([*SUNNY, 0.0, 0.0, 3_000.0, 0.0, 0.0], []),  # clouds pass
        ([*SUNNY, 0.0, -1.0, 0.0, 0.0], [("01-25", "raised", "warning")]),  # unknown is neither
        ([*SUNNY[:13], 0.0, 0.0, 0.0], []),  # not learnt
        ([900.0] * 20 + [0.0] * 5, []),  # a home that needs nearly all of it
    ],
)
def test_poor_days_in_a_row(wh: list[float], expected: list[tuple[str, str, str]]) -> None:
    """Three of them, below 30 % of the usual day."""
    assert story(told(PvFault(CALENDAR, days=3), days(wh))) == expected


def test_a_day_as_usual_ends_it() -> None:
    """Repaired after ten days; `since` was the first poor one."""
    raised, cleared = told(PvFault(CALENDAR, days=3), days([*SUNNY, *[0.0] * 10, 9_000.0]))
    assert (raised.evidence["since_ms"], raised.value, raised.baseline) == (ms("2026-01-21"), 0, 10_000)
    assert (cleared.state, cleared.cleared) == ("cleared", ms("2026-01-31"))


def test_days_that_grow_short_are_no_fault() -> None:
    """A winter comes slowly, and the median with it."""
    assert told(PvFault(CALENDAR, days=3), days(10_000.0 * 0.98**n for n in range(180))) == []


def test_hours_make_days() -> None:
    """Where the export comes by the hour it is the same."""
    series = [*SUNNY, 0.0, 0.0, 0.0]
    assert story(told(PvFault(CALENDAR, days=3), hours(JANUARY, series, KEY))) == story(
        told(PvFault(CALENDAR, days=3), days(series))
    )


def test_a_restart_changes_nothing() -> None:
    """All that is remembered is plain data."""
    series = [*SUNNY, 0.0, 0.0, 0.0, 0.0, 9_000.0]
    assert told(PvFault(CALENDAR, days=3), days(series), restarting=True) == told(
        PvFault(CALENDAR, days=3), days(series)
    )


def test_a_week_of_clouds_is_no_fault_unless_told_so() -> None:
    """By default five poor days are weather, and six are not."""
    assert told(PvFault(CALENDAR), days([*SUNNY, *[0.0] * 5, 9_000.0])) == []
    assert story(told(PvFault(CALENDAR), days([*SUNNY, *[0.0] * 6]))) == [("01-27", "raised", "warning")]
