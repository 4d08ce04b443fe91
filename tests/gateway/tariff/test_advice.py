"""Advice on tariffs: the same months under both, to the cent, and no advice without grounds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gateway.tariff import Plan, begin, load
from gateway.tariff.advice import Interval, advise

HOUR_MS = 3_600_000
FLAT, BY_HOUR = load("flat_electricity"), load("time_of_use_electricity")


def hours(since: int, until: int, amount: Callable[[int], float]) -> list[Interval]:
    """Make every hour between two moments; `amount` is asked by the hour of UTC."""
    return [(t, t + HOUR_MS, amount(t // HOUR_MS % 24)) for t in range(since, until, HOUR_MS)]


@pytest.fixture
def three(at: Any) -> tuple[int, int]:
    """Give three billing periods of 30 days of the flat tariff in a row, before and after the clocks change."""
    start = begin(Plan(FLAT), at("2026-02-20", "Europe/Berlin")).start
    periods = [begin(Plan(FLAT), start + days * 24 * HOUR_MS + 12 * HOUR_MS) for days in (0, 30, 60)]
    return start, periods[-1].end


def test_a_night_owl_is_told_what_it_saves(three: tuple[int, int]) -> None:
    """90 kWh a period, all at night.

    Flat: 90 x 0.2875 + 30 x 0.35 = 36.375, VAT 6.91125, 43.29. By the hour: 90 x 0.19 = 17.10, meter 7.50, VAT 4.674
    up to 4.67, 29.27. It saves 14.02, 32 %, in each of the three.
    """
    advice = advise(Plan(FLAT), [BY_HOUR], hours(*three, lambda hour: 3000.0 if hour == 0 else 0.0))
    assert advice.best is not None
    assert [(str(m.current.total), str(m.offered.total), str(m.saving)) for m in advice.best.months] == [
        ("43.29", "29.27", "14.02")
    ] * 3
    assert advice.best.saving == Decimal("42.06")
    assert [str(line.amount) for line in advice.best.months[0].offered.lines] == ["17.10", "7.50", "4.67"]
    assert all(0.32 < month.share < 0.33 for month in advice.best.months)


def test_a_month_that_saves_too_little_spoils_it(three: tuple[int, int]) -> None:
    """Two months at night and one by day: more is saved in all, and still it is no advice.

    300 kWh by day are 96.75 flat, with VAT 115.13, and 94.50 by the hour, with VAT 112.46: 2.67, which is 2 %.
    """
    start, end = three
    third = start + 60 * 24 * HOUR_MS
    rows = hours(start, third, lambda hour: 3000.0 if hour == 0 else 0.0)
    rows += hours(third, end, lambda hour: 10_000.0 if hour == 10 else 0.0)
    (offer,) = advise(Plan(FLAT), [BY_HOUR], rows).offers
    assert offer.saving > 0
    assert offer.verdict == "saves_too_little"
    assert offer.months[2].share < Decimal("0.05") < offer.months[1].share
    assert str(offer.saving) == "30.71"


def test_two_months_are_not_enough(three: tuple[int, int]) -> None:
    """A month that is not known is none: a gap of two days in the third leaves two."""
    start, end = three
    rows = hours(start, end - 48 * HOUR_MS, lambda hour: 3000.0 if hour == 0 else 0.0)
    advice = advise(Plan(FLAT), [BY_HOUR], rows)
    assert [offer.verdict for offer in advice.offers] == ["too_few_months"]
    assert advice.best is None
    assert advise(Plan(FLAT), [BY_HOUR], []).best is None


def test_a_hole_within_a_month_leaves_it_out(three: tuple[int, int]) -> None:
    """The same gap in the first month counts too."""
    start, end = three
    rows = hours(start, end, lambda hour: 3000.0 if hour == 0 else 0.0)
    (offer,) = advise(Plan(FLAT), [BY_HOUR], [*rows[:100], *rows[148:]]).offers
    assert offer.verdict == "too_few_months"


def test_what_cannot_be_compared_is_not(three: tuple[int, int]) -> None:
    """Another commodity, currency or zone, and a tariff that ended before the last month did."""
    rows = hours(*three, lambda hour: 3000.0 if hour == 0 else 0.0)
    gone = replace(BY_HOUR, name="gone", valid_until=date(2026, 3, 1))
    dollars = replace(BY_HOUR, name="dollars", currency="USD")
    water = load("saudi_water_residential")
    said = {offer.tariff.name: offer.verdict for offer in advise(Plan(FLAT), [gone, dollars, water], rows).offers}
    assert said == {"gone": "expired", "dollars": "not_comparable", "saudi_water_residential": "not_comparable"}


def test_a_tariff_of_today_is_tried_on_the_past(three: tuple[int, int]) -> None:
    """An offer need not have held in the months it is compared over."""
    new = replace(BY_HOUR, valid_from=date(2026, 5, 1))
    rows = hours(*three, lambda hour: 3000.0 if hour == 0 else 0.0)
    assert advise(Plan(FLAT), [new], rows).best is not None


def test_an_expired_present_tariff_compares_with_nothing(three: tuple[int, int]) -> None:
    """What is paid now must be known."""
    rows = hours(*three, lambda _: 100.0)
    old = replace(FLAT, valid_until=date(2026, 3, 1))
    assert [offer.verdict for offer in advise(Plan(old), [BY_HOUR], rows).offers] == ["expired"]


def test_the_best_offer_comes_first(three: tuple[int, int]) -> None:
    """Of two that save, the one that saves more."""
    cheaper = replace(BY_HOUR, name="cheaper", fees=())
    rows = hours(*three, lambda hour: 3000.0 if hour == 0 else 0.0)
    advice = advise(Plan(FLAT), [BY_HOUR, cheaper], rows)
    assert [offer.tariff.name for offer in advice.offers] == ["cheaper", "time_of_use_electricity"]
    assert advice.best is advice.offers[0]
