"""Which rate holds when: quarters, days, months, holidays, and the hours that come twice or not at all."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.tariff import Plan
from gateway.tariff.rates import pieces, rate_at


@pytest.fixture
def quarters(plan: Any) -> Plan:
    """Give a plan whose first rate holds from 01:45 to 02:30 only."""
    base: Plan = plan("time_of_use_electricity")
    early, *others = base.tariff.rates
    early = replace(early, months=(), days=(), hours=((7, 10),))
    return replace(base, tariff=replace(base.tariff, rates=(early, *others)))


@pytest.mark.parametrize(
    ("day", "minutes"),
    [
        ("2026-06-10", [45]),  # any day
        ("2026-03-29", [15]),  # two o'clock is skipped
        ("2026-10-25", [45, 30]),  # it comes twice: 01:45 to 02:30, and 02:00 to 02:30 again
    ],
)
def test_a_window_on_quarters(quarters: Plan, at: Any, day: str, minutes: list[int]) -> None:
    """The wall clock decides, quarter by quarter."""
    start, end = (at(f"{day}T{clock}", "Europe/Berlin") for clock in ("00:00", "12:00"))
    found = [(piece.end - piece.start) // 60_000 for piece in pieces(quarters, start, end) if piece.rate == 0]
    assert found == minutes


def test_pieces_meet(quarters: Plan, at: Any) -> None:
    """They begin and end where the time does, and leave nothing out."""
    start, end = at("2026-06-10T01:50", "Europe/Berlin"), at("2026-06-10T06:01", "Europe/Berlin")
    found = pieces(quarters, start, end)
    assert [piece.rate for piece in found] == [0, 1, 2]
    assert [piece.start for piece in found] == [start, *(piece.end for piece in found[:-1])]
    assert found[-1].end == end


@pytest.mark.parametrize(
    ("moment", "rate"),
    [
        ("2026-02-27T17:00", 0),  # Friday
        ("2026-02-28T17:00", 2),  # Saturday
        ("2026-03-02T17:00", 2),  # a Monday, but March
        ("2026-12-25T17:00", 2),  # a Friday, but a holiday
        ("2026-02-27T16:59", 2),
        ("2026-02-27T20:00", 2),
        ("2026-02-27T22:00", 1),
        ("2026-02-28T05:59", 1),
        ("2026-02-28T06:00", 2),
    ],
)
def test_days_months_and_holidays(plan: Any, at: Any, moment: str, rate: int) -> None:
    """Each condition at its edge."""
    assert rate_at(plan("time_of_use_electricity"), at(moment, "Europe/Berlin")) == rate


def test_a_holiday_can_have_a_rate_of_its_own(plan: Any, at: Any) -> None:
    """The word "holiday" stands among the days of a rate."""
    base = plan("time_of_use_electricity")
    feast, *others = base.tariff.rates
    rates = (replace(feast, months=(), days=("holiday",), hours=()), *others)
    own = replace(base, tariff=replace(base.tariff, rates=rates))
    assert rate_at(own, at("2026-12-25T23:00", "Europe/Berlin")) == 0
    assert rate_at(own, at("2026-12-24T23:00", "Europe/Berlin")) == 1
