"""Billing periods: local midnights, short months, clocks that skip midnight."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.tariff import begin
from gateway.tariff.model import EveryDays, Monthly
from gateway.tariff.periods import local_date, midnight


@pytest.mark.parametrize(
    ("billing", "day", "first", "after"),
    [
        (Monthly(1), "2024-02-29", "2024-02-01", "2024-03-01"),
        (Monthly(30), "2024-02-15", "2024-01-30", "2024-02-29"),
        (Monthly(30), "2024-02-29", "2024-02-29", "2024-03-30"),
        (Monthly(30), "2025-03-01", "2025-02-28", "2025-03-30"),
        (Monthly(31), "2025-12-31", "2025-12-31", "2026-01-31"),
        (Monthly(28), "2026-01-05", "2025-12-28", "2026-01-28"),
        (EveryDays(30, date(2024, 1, 1)), "2024-01-30", "2024-01-01", "2024-01-31"),
        (EveryDays(30, date(2024, 1, 1)), "2024-01-31", "2024-01-31", "2024-03-01"),
        (EveryDays(7, date(2024, 1, 1)), "2023-12-31", "2023-12-25", "2024-01-01"),
    ],
)
def test_a_day_lies_in_its_period(plan: Any, at: Any, billing: Any, day: str, first: str, after: str) -> None:
    """Leap Februaries, months too short for the day, turns of the year, and days before the first one."""
    base = plan("time_of_use_electricity")
    own = replace(base, tariff=replace(base.tariff, billing=billing))
    for hour in ("T00:00", "T23:59"):
        state = begin(own, at(day + hour, "Europe/Berlin"))
        assert (state.start, state.end) == (at(first, "Europe/Berlin"), at(after, "Europe/Berlin"))


def test_a_midnight_that_clocks_skip(plan: Any) -> None:
    """In Beirut the night of 29 March 2026 has no midnight: the day begins when the clocks jump to one."""
    base = plan("time_of_use_electricity")
    zone = replace(base, tariff=replace(base.tariff, zone="Asia/Beirut")).zone
    begins = midnight(date(2026, 3, 29), zone)
    assert local_date(begins, zone) == date(2026, 3, 29)
    assert local_date(begins - 1, zone) == date(2026, 3, 28)
