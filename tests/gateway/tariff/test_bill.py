"""Bills to the cent, each worked by hand in its comment."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.tariff import Bill, NoCost, add, begin, bill
from gateway.tariff.model import Fee, Rounding, Sewage, Tax, Words

NAME = Words("x", "س")


def priced(made: Bill | NoCost) -> Bill:
    """Take a bill that is one."""
    assert isinstance(made, Bill), made
    return made


def amounts(made: Bill, kind: str) -> list[str]:
    """List the amounts of one kind of line."""
    return [str(line.amount) for line in made.lines if line.kind == kind]


@pytest.mark.parametrize(
    ("units", "subtotal", "vat", "total"),
    [
        # 15 x 0.10 + 15 x 1 + 15 x 3 + 15 x 4 + 30 x 6 = 301.50, sewage 150.75, meter 5: the utility's own 457.25
        (1, "457.25", "68.59", "525.84"),
        # 30 x 0.10 + 30 x 1 + 30 x 3 = 123.00, sewage 61.50, meter 5: the utility's own 189.50; VAT 28.425 up
        (2, "189.50", "28.43", "217.93"),
        # 45 x 0.10 + 45 x 1 = 49.50, sewage 24.75, meter 5: the utility's own 79.25; VAT 11.8875 up
        (3, "79.25", "11.89", "91.14"),
    ],
)
def test_the_water_bills_the_utility_worked_out_itself(
    plan: Any, used: Any, units: int, subtotal: str, vat: str, total: str
) -> None:
    """90 m3 behind one meter for one, two and three dwelling units cost what the utility published, and VAT."""
    made = priced(bill(own := plan("saudi_water_residential", units), used(own, 90, "2026-02-01", "2026-03-01")))
    assert sum(line.amount for line in made.lines if line.kind != "tax") == Decimal(subtotal)
    assert amounts(made, "tax") == [vat]
    assert made.total == Decimal(total)
    assert made.quantity == 90


def test_water_below_its_first_limit(plan: Any, used: Any) -> None:
    """14.3 m3 stay in the cheapest tier: 1.43, sewage 0.715 up to 0.72, meter 5, VAT 1.0725 down, 8.22 in all."""
    made = priced(bill(own := plan("saudi_water_residential"), used(own, "14.3", "2026-02-01", "2026-02-20")))
    assert [str(line.amount) for line in made.lines] == ["1.43", "0.72", "5.00", "1.07"]
    assert made.total == Decimal("8.22")


@pytest.mark.parametrize(
    ("units", "breaker", "kwh", "lines", "total"),
    [
        # 6000 x 0.18 + 1000 x 0.30 + 10 = 1390; VAT 208.50
        (1, 63, 7000, ["1080.00", "300.00", "10.00", "208.50"], "1598.50"),
        # two dwelling units: 12,000 kWh are cheap, so 7000 x 0.18 + 10 = 1270; VAT 190.50
        (2, 63, 7000, ["1260.00", "10.00", "190.50"], "1460.50"),
        # 100 x 0.18 + 15 = 33; VAT 4.95
        (1, 100, 100, ["18.00", "15.00", "4.95"], "37.95"),
        # 6000 x 0.18 + 30 = 1110; VAT 166.50: the limit itself still is the first tier
        (1, 630, 6000, ["1080.00", "30.00", "166.50"], "1276.50"),
        # nothing used: the fee alone, 10; VAT 1.50
        (1, 20, 0, ["10.00", "1.50"], "11.50"),
    ],
)
def test_saudi_electricity(
    plan: Any, used: Any, units: int, breaker: int, kwh: int, lines: list[str], total: str
) -> None:
    """Tier, dwelling units, main fuse and VAT, each line and the total."""
    own = plan("saudi_electricity_residential", units, breaker)
    made = priced(bill(own, used(own, kwh, "2026-02-01", "2026-03-01")))
    assert [str(line.amount) for line in made.lines] == lines
    assert made.total == Decimal(total)


def test_one_price_with_a_daily_charge(plan: Any, used: Any) -> None:
    """250 x 0.2875 + 30 x 0.35 = 82.375; VAT 15.65125; rounded once, 98.02625 is 98.03."""
    own = plan("flat_electricity")
    # 27 periods of 30 days after 2024-01-01 is 2026-03-21; the clocks change within.
    made = priced(bill(own, used(own, 250, "2026-03-21", "2026-04-20")))
    assert made.total == Decimal("98.03")
    assert amounts(made, "fee") == ["10.50"]
    assert made.until == made.end


def test_a_daily_charge_counts_the_days_begun(plan: Any, used: Any) -> None:
    """Two days and a minute are three days: 3 x 0.35 = 1.05; VAT 0.1995; 1.2495 is 1.25."""
    own = plan("flat_electricity")
    assert priced(bill(own, used(own, 0, "2026-03-21", "2026-03-23T00:01"))).total == Decimal("1.25")


@pytest.mark.parametrize(
    ("since", "until", "kwh", "lines", "total"),
    [
        # spring, a Sunday of 23 hours: night 5 + 2, day 16: 1.33 + 4.64 + 7.50 = 13.47; VAT 2.5593
        ("2026-03-29", "2026-03-30", 23, ["1.33", "4.64", "7.50", "2.56"], "16.03"),
        # autumn, a Sunday of 25 hours: night 7 + 2, day 16: 1.71 + 4.64 + 7.50 = 13.85; VAT 2.6315
        ("2026-10-25", "2026-10-26", 25, ["1.71", "4.64", "7.50", "2.63"], "16.48"),
        # a Monday in winter: evening 3, night 8, day 13: 1.26 + 1.52 + 3.77 + 7.50 = 14.05; VAT 2.6695
        ("2026-01-05", "2026-01-06", 24, ["1.26", "1.52", "3.77", "7.50", "2.67"], "16.72"),
        # New Year, a Thursday but a holiday: night 8, day 16: 1.52 + 4.64 + 7.50 = 13.66; VAT 2.5954
        ("2026-01-01", "2026-01-02", 24, ["1.52", "4.64", "7.50", "2.60"], "16.26"),
        # a leap February of 21 working days: evening 63, night 232, day 401: 26.46 + 44.08 + 116.29 + 7.50 = 194.33;
        # VAT 36.9227
        ("2024-02-01", "2024-03-01", 696, ["26.46", "44.08", "116.29", "7.50", "36.92"], "231.25"),
    ],
)
def test_prices_by_the_hour(
    plan: Any, used: Any, since: str, until: str, kwh: int, lines: list[str], total: str
) -> None:
    """A kilowatt-hour an hour over days of 23, 24 and 25 hours, a holiday, and a leap February."""
    own = plan("time_of_use_electricity")
    made = priced(bill(own, used(own, kwh, since, until)))
    assert [str(line.amount) for line in made.lines] == lines
    assert made.total == Decimal(total)


def test_an_expired_tariff_has_no_price(plan: Any, used: Any) -> None:
    """Up to the last moment of its last day there is a bill, and a minute later none, never a wrong one."""
    own = plan("saudi_electricity_residential")
    assert priced(bill(own, used(own, 100, "2027-02-01", "2027-02-04"))).total == Decimal("32.20")
    assert bill(own, used(own, 100, "2027-02-01", "2027-02-04T00:01")) == NoCost("expired")


def test_a_period_that_began_before_the_tariff_has_no_price(plan: Any, used: Any) -> None:
    """Of a bill under two tariffs this one knows the half only."""
    own = plan("saudi_electricity_residential")
    assert bill(own, used(own, 100, "2020-06-01", "2020-06-02")) == NoCost("not_yet_valid")


def test_a_fee_by_main_fuse_needs_the_main_fuse(plan: Any, used: Any) -> None:
    """Without its rating there is no bill but a reason that says what to do."""
    own = plan("saudi_electricity_residential", breaker=None)
    made = bill(own, used(own, 100, "2026-02-01", "2026-02-02"))
    assert isinstance(made, NoCost)
    assert made.reason == "breaker_unknown"
    assert "ampere" in made.hint


def test_sewage_by_volume_and_two_taxes(plan: Any, used: Any) -> None:
    """10 m3 x 0.10 = 1; 90 % of it at 2.10 = 18.90; 5 % and 2 % of 19.90 each: 0.995 up and 0.398 up, 21.30."""
    base = plan("saudi_water_residential")
    sewage, taxes = Sewage(NAME, Decimal("0.9"), Decimal("2.10")), (Tax(NAME, Decimal(5)), Tax(NAME, Decimal(2)))
    own = replace(base, tariff=replace(base.tariff, sewage=sewage, taxes=taxes, fees=()))
    made = priced(bill(own, used(own, 10, "2026-02-01", "2026-03-01")))
    assert [str(line.amount) for line in made.lines] == ["1.00", "18.90", "1.00", "0.40"]
    assert made.total == Decimal("21.30")


def test_rounding_to_five_cents_of_the_total(plan: Any, used: Any) -> None:
    """14.3 m3 cost 1.43, 0.715 and 5, with VAT 8.21675, which is 8.20 in steps of 0.05."""
    base = plan("saudi_water_residential")
    own = replace(base, tariff=replace(base.tariff, rounding=Rounding(Decimal("0.05"), "total")))
    assert priced(bill(own, used(own, "14.3", "2026-02-01", "2026-03-01"))).total == Decimal("8.20")


def test_a_fee_for_all_and_one_by_fuse(plan: Any, used: Any) -> None:
    """Of fees by main fuse just one is due, beside the one for all: 10 + 7 = 17; VAT 2.55."""
    base = plan("saudi_electricity_residential")
    own = replace(base, tariff=replace(base.tariff, fees=(*base.tariff.fees, Fee(NAME, Decimal(7)))))
    assert priced(bill(own, used(own, 0, "2026-02-01", "2026-03-01"))).total == Decimal("19.55")


def test_what_is_not_known_is_said(plan: Any, at: Any) -> None:
    """A day known, a day unknown: half of the time so far is covered, and nothing is made up for the rest."""
    own = plan("saudi_water_residential")
    days = [at(f"2026-02-0{day}", "Asia/Riyadh") for day in (1, 2, 3)]
    state, _ = add(own, begin(own, days[0]), days[0], days[1], 1000)
    state, _ = add(own, state, days[1], days[2], None)
    made = priced(bill(own, state))
    assert made.covered == 0.5
    assert made.quantity == 1
    assert made.until == days[2]
