"""Advice on other tariffs (X10): the same months with each offer, to the halala."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from gateway.alerts.hours import Hour
from gateway.alerts.rules.tariff_advice import TariffAdvice, alike
from gateway.tariff.model import Rate
from tests.support.money import CALENDAR, NAME, hours, plan, story, tariff, told

JANUARY = "2026-01-01"
QUARTER = [10_000.0] * (31 + 28 + 31)
CHEAP = tariff("cheap", rates=(Rate(NAME, (Decimal("0.09"),)),))
ONE_HOUR = [10_000.0]


def test_an_offer_that_saves_in_each_of_three_months_is_advised() -> None:
    """With both bills of every month: 0.10 a kWh now, 0.09 with the offer."""
    (event,) = told(TariffAdvice(plan(), (CHEAP,)), hours(JANUARY, [*QUARTER, *ONE_HOUR]))
    assert story([event]) == [("04-01", "raised", "info")]
    assert event.evidence == {
        "now_1_money": 31.0, "now_2_money": 28.0, "now_3_money": 31.0,
        "then_1_money": 27.9, "then_2_money": 25.2, "then_3_money": 27.9,
        "saving_money": 9.0, "offer_cheap": 1.0,
    }  # fmt: skip
    assert (event.value, event.baseline, event.unit) == (81.0, 90.0, "SAR")


def test_a_saving_that_one_month_eats_up_is_no_advice() -> None:
    """A fee of 1.50 leaves 1.30 saved in February, less than 5 % of its 28.00."""
    offer = tariff("fee", rates=CHEAP.rates, fee="1.50")
    assert told(TariffAdvice(plan(), (offer,)), hours(JANUARY, [*QUARTER, *ONE_HOUR])) == []


def test_the_best_offer_is_advised() -> None:
    """Of two that save, the one that saves more."""
    cheaper = tariff("cheaper-yet", rates=(Rate(NAME, (Decimal("0.08"),)),))
    (event,) = told(TariffAdvice(plan(), (CHEAP, cheaper)), hours(JANUARY, [*QUARTER, *ONE_HOUR]))
    assert event.evidence["offer_cheaper_yet"] == 2
    assert event.evidence["saving_money"] == 18.0


def test_an_unknown_week_makes_no_month() -> None:
    """Three whole months after it are needed."""
    days = [-1.0] * 7 + [10_000.0] * 24 + QUARTER[: 28 + 31]
    assert told(TariffAdvice(plan(), (CHEAP,)), hours(JANUARY, [*days, *ONE_HOUR])) == []


def test_an_offer_that_is_gone_is_not_advised() -> None:
    """It held until the middle of March."""
    gone = replace(CHEAP, valid_until=date(2026, 3, 15))
    assert told(TariffAdvice(plan(), (gone,)), hours(JANUARY, [*QUARTER, *ONE_HOUR])) == []


def test_it_is_told_once_and_over_when_it_saves_no_more() -> None:
    """Each further month says the same; once nothing is used, the fee of the offer is all there is."""
    offer = tariff("fee", rates=CHEAP.rates, fee="0.50")
    days = [*QUARTER, *[10_000.0] * 61, *[1_000.0] * 31]
    events = told(TariffAdvice(plan(), (offer,)), hours(JANUARY, days))
    assert story(events) == [("04-01", "raised", "info"), ("07-01", "cleared", "info")]


def test_only_what_can_be_compared_is_offered() -> None:
    """Another commodity, currency or zone, and the present tariff itself, are none."""
    mine = tariff("mine")
    others = [
        mine, CHEAP, replace(CHEAP, currency="EUR"), replace(CHEAP, zone="Asia/Riyadh"), replace(CHEAP, commodity="gas")
    ]  # fmt: skip
    assert alike(mine, others) == (CHEAP,)


def test_other_offers_begin_anew() -> None:
    """What was remembered of one offer says nothing of another."""
    rule = TariffAdvice(plan(), (CHEAP,))
    state = rule.start
    for interval in hours(JANUARY, QUARTER[:40]):
        hour = Hour(interval.key, interval.start, interval.amount or 0, CALENDAR.place(interval.start))
        state, _ = rule.hour(state, hour)
    assert len(state.months) == 1
    other = TariffAdvice(plan(), (tariff("other", rates=CHEAP.rates),))
    assert other.hour(state, hour._replace(start=hour.end))[0].months == ()


def test_a_restart_changes_nothing() -> None:
    """All that is remembered is plain data."""
    rule, series = TariffAdvice(plan(), (CHEAP,)), [*QUARTER, *QUARTER[:40]]
    assert told(rule, hours(JANUARY, series), restarting=True) == told(rule, hours(JANUARY, series))
