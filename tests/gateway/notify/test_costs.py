"""What alerts cost, to the halala: the present tier and hour, with sewage and taxes; or nothing at all."""

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent, State, alert_id
from gateway.alerts.rules.bill_projection import BillProjection
from gateway.alerts.settings import MeterSettings
from gateway.notify.costs import Costs, Priced, bill_in, priced
from gateway.notify.notifier import Notifier, Reader
from gateway.tariff import Plan, load
from gateway.tariff.model import Rate
from gateway.tariff.state import add, begin
from tests.support.money import ALWAYS, CALENDAR, METER, NAME, hours, ms, plan, tariff
from tests.support.telling import NOON, ZONE, Receiver, Telling, virtually

WATER = Plan(load("saudi_water_residential"))
NOW = ms("2026-06-15T12:00")


def event(
    rule: str, value: float, quantity: str = "water_volume_l", state: State = "raised", **evidence: float
) -> AlertEvent:
    """Make an event of a rule."""
    return AlertEvent(
        id=alert_id(rule, METER, 1), seq=1, rule=rule, meter=METER, state=state, severity="warning", raised=NOW, at=NOW,
        cleared=None if state == "raised" else NOW, value=value, unit="l", quantity=quantity, evidence=evidence,
    )  # fmt: skip


def water(used_m3: int) -> Any:
    """Give the bill of a home that used so much water since the first."""
    start = ms("2026-06-01") - 3 * 3_600_000  # midnight in Riyadh
    return add(WATER, begin(WATER, NOW), start, NOW, used_m3 * 1000)[0]


@pytest.mark.parametrize(
    ("used", "cost"),
    [
        # 10.08 m3 a month at 0.10 and half of it again for sewage, VAT 15 %: 10.08 x 0.15 x 1.15
        (0, Decimal("1.7388")),
        # 5 m3 are left at 0.10; the other 5.08 cost 1.00: (0.5 + 5.08) x 1.5 x 1.15
        (10, Decimal("9.62550")),
        # all of it at 1.00
        (16, Decimal("17.3880")),
    ],
)
def test_a_leak_costs_a_month_at_the_tiers_it_reaches(used: int, cost: Decimal) -> None:
    """Fourteen litres an hour, 10.08 m3 in thirty days."""
    found = priced(event("water_leak", 14), WATER, water(used))
    assert found is not None
    assert (found.cost, found.span, found.currency) == (cost, "month", "SAR")


@pytest.mark.parametrize(
    ("rule", "quantity", "state", "value", "evidence", "span", "cost"),
    [
        ("water_leak", "water_volume_l", "cleared", 14, {"lost_l": 1000.0}, "so far", "0.1"),
        ("water_burst", "water_volume_l", "raised", 1500, {"lost_l": 1000.0}, "so far", "0.1"),
        ("flow_while_away", "water_volume_l", "raised", 500, {}, "so far", "0.05"),
        ("gas_continuous", "gas_volume_l", "raised", 20, {"lost_l": 960.0}, "so far", "0.096"),
        ("gas_long_use", "gas_volume_l", "raised", 20, {"lost_l": 500.0}, "so far", "0.05"),
        ("high_usage", "energy_import_wh", "raised", 9000, {"above_wh": 5300.0}, "more", "0.53"),
        ("high_water_day", "water_volume_l", "raised", 900, {"above_l": 400.0}, "more", "0.04"),
        ("baseload_increase", "energy_import_wh", "raised", 500, {"rise_w": 300.0}, "month", "21.6"),
    ],
)
def test_each_usage_alert_has_its_cost(
    rule: str, quantity: str, state: State, value: float, evidence: dict[str, float], span: str, cost: str
) -> None:
    """At ten halalas a unit: of a month, so far, or more than usual."""
    found = priced(event(rule, value, quantity, state, **evidence), plan(), None)
    assert found is not None
    assert (found.span, found.cost) == (span, Decimal(cost))


@pytest.mark.parametrize(
    ("told", "by"),
    [
        (event("overload", 70), plan()),
        (event("meter_offline", 900), plan()),
        (event("water_leak", 14, state="expired"), plan()),
        (event("water_burst", 14), plan()),  # nobody knows yet how much it was
        (event("water_leak", 14), plan(until=date(2026, 6, 14))),
        (event("water_leak", 14), WATER),  # nobody knows which tier
    ],
)
def test_what_has_no_sure_price_has_no_cost(told: AlertEvent, by: Plan) -> None:
    """A wrong number is worse than none."""
    assert priced(told, by, None) is None


def test_dear_hours_are_priced_as_such() -> None:
    """By the moment in the peak, whenever it is told."""
    evening = Rate(NAME, (Decimal("0.40"),), hours=((68, 80),))
    told = event("peak_price_use", 3000, "energy_import_wh", above_wh=2000.0, peak_ms=ms("2026-06-14T17:00"))
    found = priced(told, plan(rates=(evening, ALWAYS)), None)
    assert found == Priced("SAR", Decimal("0.80"), "more")


def test_a_leak_has_its_costs_of_a_day_and_so_far_besides() -> None:
    """For the alert's own page; once it is over only what it came to is left."""
    open_ = priced(event("water_leak", 14, lost_l=500.0), WATER, water(0))
    assert open_ is not None
    assert open_.span == "month"
    # 0.336 m3 a day and 0.5 m3 so far, at 0.10 x 1.5 x 1.15 each
    assert open_.besides == {"day": Decimal("0.05796"), "so far": Decimal("0.08625")}
    over = priced(event("water_leak", 14, state="cleared", lost_l=500.0), WATER, water(0))
    assert over is not None
    assert (over.span, over.cost, over.besides) == ("so far", Decimal("0.08625"), {})


def test_a_tier_names_both_prices() -> None:
    """With sewage and VAT, as the bill has them: 0.10 and 1.00, half of it again, 15 %."""
    found = priced(event("tier_crossing", 14_300, tier=1.0), WATER, None)
    assert found is not None
    assert (found.price, found.next_price, found.unit, found.cost) == (Decimal("0.1725"), Decimal("1.725"), "m3", None)
    assert priced(event("tier_crossing", 14_300, tier=9.0), WATER, None) is None
    assert priced(event("tier_crossing", 14_300, tier=-9.0), WATER, None) is None


def test_an_advised_tariff_is_named_by_its_title() -> None:
    """Evidence holds a key made of its name."""
    offers = (tariff("other"), tariff("night-saver"))
    found = priced(event("tariff_advice", 81, offer_night_saver=2.0), plan(), None, offers)
    assert found is not None
    assert found.offer == offers[1].title
    assert priced(event("tariff_advice", 81, offer_gone=1.0), plan(), None, offers) is None


async def test_the_bill_is_what_the_hubs_rules_remember() -> None:
    """Half a month at 30 kWh a day reaches the second tier, which then prices what comes."""
    tiered = plan(rates=(Rate(NAME, (Decimal("0.1"), Decimal("0.3"))),), tiers=(300,))
    engine = Engine({METER: [BillProjection(tiered, CALENDAR)]}, CALENDAR)
    for interval in hours("2026-06-01", [30_000.0] * 14):
        engine.hear(METER, interval.end, 0, {}, [interval])
    snapshot = orjson.loads(orjson.dumps(engine.snapshot(METER)))

    async def remembered(tenant: str, meter: str) -> Any:
        return snapshot if (tenant, meter) == ("home", METER) else {}

    costs = Costs(remembered, lambda commodity, _: tiered if commodity == "electricity" else None, about)
    told = event("high_usage", 9000, "energy_import_wh", above_wh=5000.0)
    assert await costs.of("home", told) == Priced("SAR", Decimal("1.5"), "more")
    assert await costs.of("other", told) is None
    assert await costs.of("home", event("water_leak", 14)) is None


def about(_tenant: str, _meter: str) -> MeterSettings:
    """Know nothing."""
    return MeterSettings()


@pytest.mark.parametrize(
    "remembered", [{}, {"rules": {}}, {"rules": {"bill_projection": [[[[1, 2], [], [], 0, 0]], []]}}]
)
def test_what_is_no_bill_is_none(remembered: dict[str, Any]) -> None:
    """Of another version, or never written."""
    assert bill_in(plan(), remembered) is None


class PricedTelling(Telling):
    """A telling whose alerts are priced at ten halalas a unit."""

    def notifier(self) -> Notifier:
        """Make a notifier, as after a restart."""

        async def remembered(_tenant: str, _meter: str) -> Any:
            return {}

        readers = [Reader("home", self.contact(name), channel, "en", ZONE) for name, channel in self.channels.items()]
        costs = Costs(remembered, lambda commodity, _: plan() if commodity == "water" else None, about)
        return Notifier(
            self.outbox, readers, b"k" * 32, page="https://nabd.example/", now=self.now, look_every=3600.0, costs=costs
        )


@pytest.mark.parametrize(
    ("rule", "quantity", "says"),
    [("water_leak", "water_volume_l", "that is about SAR 1.01 a month"), ("overload", "current_l1_a", "")],
)
def test_the_notifier_tells_the_cost(tmp_path: Path, rule: str, quantity: str, says: str) -> None:
    """Fourteen litres an hour through the whole outbox; the event itself carries no money."""
    hub = PricedTelling(tmp_path / "hub.sqlite", {"phone": Receiver()})

    async def story() -> None:
        await hub.open()
        leak = replace(event(rule, 14, quantity), unit="l/h", raised=NOON, at=NOON, severity="critical")

        async def work() -> None:
            await hub.arrive(leak)
            await asyncio.sleep(60)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    (message,) = hub.channels["phone"].got
    plain = message.words.text.replace("\u2068", "").replace("\u2069", "")
    assert says in plain
    assert ("SAR" in plain) is bool(says)
    assert "SAR" not in str(message.event)
