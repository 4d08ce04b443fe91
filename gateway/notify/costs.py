"""What an alert costs its reader: the next units' price at the present tier and hour, with sewage and taxes.

1. An event carries no money of its own (but those of rules about bills): which amount of it has a price is `AMOUNTS`.
2. The tier is that of the bill as the hub's rules remember it, up to yesterday. Without a tariff that holds, or without
   such a bill where tiers matter, there is no cost, and units alone are told.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from gateway.alerts.calendar import Calendar
from gateway.alerts.event import AlertEvent
from gateway.alerts.rules.tariff_advice import OFFER, offer_key
from gateway.alerts.settings import MeterSettings
from gateway.tariff.bill import NoCost
from gateway.tariff.margin import all_in, cost_of
from gateway.tariff.model import Plan, Tariff, Words
from gateway.tariff.rates import rate_at
from gateway.tariff.state import BillState, begin, restore

Span = Literal["month", "day", "more", "so far"]
MONTH_HOURS = 720
COMMODITIES = {"energy": "electricity", "water": "water", "gas": "gas", "heat": "heat"}
"""By what a key of a quantity begins with."""
KEEPERS = ("bill_projection", "tier_crossing", "budget")
"""The rules that remember a bill."""

Amounts = Mapping[Span, float | None]


def _flow(event: AlertEvent) -> Amounts:
    """Give what a flow that goes on makes, and what ran so far."""
    a_day = None if event.value is None else event.value * 24
    a_month = None if event.value is None else event.value * MONTH_HOURS
    return {"month": a_month, "day": a_day, **_ran(event)} if event.open else _ran(event)


def _ran(event: AlertEvent) -> Amounts:
    return {"so far": event.evidence.get("lost_l")}


def _rise(event: AlertEvent) -> Amounts:
    rise = event.evidence.get("rise_w")
    return {} if rise is None else {"month": rise * MONTH_HOURS, "day": rise * 24}


AMOUNTS: Mapping[str, Callable[[AlertEvent], Amounts]] = {
    "water_leak": _flow,
    "water_burst": _ran,
    "flow_while_away": lambda event: {"so far": event.value},
    "gas_continuous": lambda event: {**_ran(event), "day": event.value * 24 if event.open and event.value else None},
    "gas_long_use": _ran,
    "high_usage": lambda event: {"more": event.evidence.get("above_wh")},
    "high_water_day": lambda event: {"more": event.evidence.get("above_l")},
    "baseload_increase": _rise,
    "peak_price_use": lambda event: {"more": event.evidence.get("above_wh")},
    "welcome": lambda event: {"so far": event.value if event.quantity else None},
}
"""By rule: how many base units of an event have a price, and what they are; the first is what its messages tell."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What is known of an event's money: its cost, a unit's price in this tier and the next, an offered tariff.

    `besides` holds the costs of other spans, which only the alert's own page shows.
    """

    currency: str
    cost: Decimal | None = None
    span: Span = "more"
    price: Decimal | None = None
    next_price: Decimal | None = None
    unit: str = ""
    offer: Words | None = None
    besides: Mapping[Span, Decimal] = field(default_factory=dict)


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
    costs = costs_in(event, plan, state)
    if not costs:
        return None
    (span, cost), *others = costs.items()
    return Priced(currency, cost, span, besides=dict(others))


def costs_in(event: AlertEvent, plan: Plan, state: BillState | None) -> dict[Span, Decimal]:
    """Give what an event's amounts cost, what its messages tell first; nothing where that one has no price."""
    if event.rule not in AMOUNTS or event.state == "expired":
        return {}
    costs: dict[Span, Decimal] = {}
    for span, amount in AMOUNTS[event.rule](event).items():
        cost = _cost(event, plan, state, amount)
        if cost is not None:
            costs[span] = cost
        elif not costs:
            return {}
    return costs


def _cost(event: AlertEvent, plan: Plan, state: BillState | None, amount: float | None) -> Decimal | None:
    if amount is None or amount <= 0 or (state is None and plan.limits):
        return None
    at = int(event.evidence.get("peak_ms", event.at))
    cost = cost_of(plan, state or begin(plan, at), at, amount)
    return None if isinstance(cost, NoCost) else cost


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
    calendar: Calendar = field(default_factory=Calendar)

    async def of(self, tenant: str, event: AlertEvent) -> Priced | None:
        """Price an event."""
        plan = self.plan(commodity_of(event), self.about(tenant, event.meter).rating_a)
        if plan is None:
            return None
        state = bill_in(plan, await self.remembered(tenant, event.meter))
        return priced(event, plan, state, self.offers)
