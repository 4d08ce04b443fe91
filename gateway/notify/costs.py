"""What an alert costs its reader: the next units' price at the present tier and hour, with sewage and taxes.

1. An event carries no money of its own (but those of rules about bills): which amount of it has a price is `AMOUNTS`.
2. The tier is that of the bill as the hub's rules remember it, up to yesterday. Without a tariff that holds, or without
   such a bill where tiers matter, there is no cost, and units alone are told.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from gateway.alerts.event import AlertEvent
from gateway.alerts.rules.tariff_advice import OFFER, offer_key
from gateway.alerts.settings import MeterSettings
from gateway.tariff.bill import NoCost
from gateway.tariff.margin import all_in, cost_of
from gateway.tariff.model import Plan, Tariff, Words
from gateway.tariff.rates import rate_at
from gateway.tariff.state import BillState, begin, restore

Span = Literal["month", "more", "so far"]
MONTH_HOURS = 720
COMMODITIES = {"energy": "electricity", "water": "water", "gas": "gas", "heat": "heat"}
"""By what a key of a quantity begins with."""
KEEPERS = ("bill_projection", "tier_crossing", "budget")
"""The rules that remember a bill."""

Amount = tuple[Span, float | None]


def _month(event: AlertEvent) -> Amount:
    return "month", None if event.value is None else event.value * MONTH_HOURS


def _evidence(span: Span, key: str, times: float = 1.0) -> Callable[[AlertEvent], Amount]:
    def amount(event: AlertEvent) -> Amount:
        found = event.evidence.get(key)
        return span, None if found is None else found * times

    return amount


AMOUNTS: Mapping[str, Callable[[AlertEvent], Amount]] = {
    "water_leak": lambda event: _month(event) if event.open else _evidence("so far", "lost_l")(event),
    "water_burst": _evidence("so far", "lost_l"),
    "flow_while_away": lambda event: ("so far", event.value),
    "gas_continuous": _evidence("so far", "lost_l"),
    "gas_long_use": _evidence("so far", "lost_l"),
    "high_usage": _evidence("more", "above_wh"),
    "high_water_day": _evidence("more", "above_l"),
    "baseload_increase": _evidence("month", "rise_w", MONTH_HOURS),
    "peak_price_use": _evidence("more", "above_wh"),
    "welcome": lambda event: ("so far", event.value if event.quantity else None),
}
"""By rule: how many base units of an event have a price, and what they are: of a month, more than usual, or so far."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What is known of an event's money: its cost, a unit's price in this tier and the next, an offered tariff."""

    currency: str
    cost: Decimal | None = None
    span: Span = "more"
    price: Decimal | None = None
    next_price: Decimal | None = None
    unit: str = ""
    offer: Words | None = None


def priced(event: AlertEvent, plan: Plan, state: BillState | None, offers: tuple[Tariff, ...] = ()) -> Priced | None:
    """Price an event by a plan and the bill so far; None where there is nothing to say of money."""
    currency, unit = plan.tariff.currency, plan.tariff.unit
    if event.rule == "tier_crossing" and (tier := int(event.evidence.get("tier", 0))):
        prices = plan.tariff.rates[rate_at(plan, event.at)].prices
        if not 0 < tier < len(prices):
            return None
        return Priced(currency, price=all_in(plan, prices[tier - 1]), next_price=all_in(plan, prices[tier]), unit=unit)
    if event.rule == "tariff_advice":
        told = {key for key in event.evidence if key.startswith(OFFER)}
        return next((Priced(currency, offer=one.title) for one in offers if offer_key(one) in told), None)
    span, cost = cost_in(event, plan, state)
    return None if cost is None else Priced(currency, cost, span)


def cost_in(event: AlertEvent, plan: Plan, state: BillState | None) -> tuple[Span, Decimal | None]:
    """Give what an event's amount costs; None where it has no price."""
    if event.rule not in AMOUNTS or event.state == "expired":
        return "more", None
    span, amount = AMOUNTS[event.rule](event)
    if amount is None or amount <= 0 or (state is None and plan.limits):
        return span, None
    at = int(event.evidence.get("peak_ms", event.at))
    cost = cost_of(plan, state or begin(plan, at), at, amount)
    return span, None if isinstance(cost, NoCost) else cost


def bill_in(plan: Plan, remembered: Mapping[str, Any]) -> BillState | None:
    """Find the bill in what the hub's rules remember of a meter."""
    for name in KEEPERS:
        if (row := remembered.get("rules", {}).get(name)) and (state := restore(plan, row[0][0][0])):
            return state
    return None


def commodity_of(event: AlertEvent) -> str:
    """Say what an event's quantity is, in the words of tariffs; "" for what has no price."""
    return COMMODITIES.get(event.quantity.split("_")[0], "")


@dataclass(frozen=True)
class Costs:
    """Prices events of one hub: `remembered` gives what its rules know of a tenant's meter."""

    remembered: Callable[[str, str], Awaitable[Mapping[str, Any]]]
    plan: Callable[[str, float | None], Plan | None]
    about: Callable[[str, str], MeterSettings]
    offers: tuple[Tariff, ...] = ()

    async def of(self, tenant: str, event: AlertEvent) -> Priced | None:
        """Price an event."""
        plan = self.plan(commodity_of(event), self.about(tenant, event.meter).rating_a)
        if plan is None:
            return None
        state = bill_in(plan, await self.remembered(tenant, event.meter))
        return priced(event, plan, state, self.offers)
