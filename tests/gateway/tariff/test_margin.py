"""What the next unit costs, with sewage and taxes."""

from decimal import Decimal
from typing import Any

import pytest

from gateway.tariff import NoCost
from gateway.tariff.margin import Margin, cost_of, margin


@pytest.mark.parametrize(
    ("units", "price", "tier", "limit", "after"),
    [
        # 0.10 x 1.5 x 1.15, and beyond 15 m3 ten times that
        ("14.3", "0.1725", 1, 15, "1.725"),
        # at the limit itself the next litre is the dearer one
        ("15", "1.725", 2, 30, "5.175"),
        ("40", "5.175", 3, 45, "6.9"),
        # 6 x 1.5 x 1.15, and nothing beyond
        ("61", "10.35", 5, None, None),
    ],
)
def test_the_next_cubic_metre(
    plan: Any, used: Any, units: str, price: str, tier: int, limit: int | None, after: str | None
) -> None:
    """Price, tier, how far it is to the next one, and what that one costs."""
    own = plan("saudi_water_residential")
    state = used(own, units, "2026-02-01", "2026-02-10")
    said = margin(own, state, state.until)
    assert isinstance(said, Margin)
    assert (said.price, said.tier, said.used) == (Decimal(price), tier, Decimal(units))
    assert said.limit == limit
    assert said.next_price == (None if after is None else Decimal(after))


@pytest.mark.parametrize(
    ("clock", "price"), [("17:00", "0.4998"), ("19:59", "0.4998"), ("20:00", "0.3451"), ("22:00", "0.2261")]
)
def test_the_next_kilowatt_hour_by_the_clock(plan: Any, used: Any, at: Any, clock: str, price: str) -> None:
    """A winter Monday's hours, each price with 19 % VAT."""
    own = plan("time_of_use_electricity")
    said = margin(own, used(own, 1, "2026-01-05", "2026-01-05T01:00"), at(f"2026-01-05T{clock}", "Europe/Berlin"))
    assert isinstance(said, Margin)
    assert said.price == Decimal(price)
    assert said.limit is None


def test_what_a_leak_would_cost(plan: Any, used: Any) -> None:
    """10 m3 after 40: 5 x 3 + 5 x 4 = 35, with sewage 52.50, with VAT 60.375."""
    own = plan("saudi_water_residential")
    state = used(own, 40, "2026-02-01", "2026-02-10")
    assert cost_of(own, state, state.until, 10_000) == Decimal("60.375")


def test_a_new_period_begins_in_the_first_tier(plan: Any, used: Any, at: Any) -> None:
    """A moment after the state's period is priced as one with nothing used."""
    own = plan("saudi_water_residential")
    said = margin(own, used(own, 90, "2026-02-01", "2026-03-01"), at("2026-03-01", "Asia/Riyadh"))
    assert isinstance(said, Margin)
    assert (said.tier, int(said.used)) == (1, 0)


def test_an_expired_tariff_names_no_price(plan: Any, used: Any, at: Any) -> None:
    """From the midnight after its last day on, there is a reason and no number."""
    own = plan("saudi_water_residential")
    state = used(own, 1, "2027-02-01", "2027-02-02")
    last = at("2027-02-04", "Asia/Riyadh")
    assert isinstance(margin(own, state, last - 1), Margin)
    assert margin(own, state, last) == cost_of(own, state, last, 1) == NoCost("expired")
