"""What the next unit costs: at the present tier and time, with sewage and taxes; fees are due anyway."""

from decimal import Decimal
from typing import NamedTuple

from gateway.tariff.bill import NoCost, unpriced
from gateway.tariff.model import BASE_PER_UNIT, Plan, Words
from gateway.tariff.rates import rate_at
from gateway.tariff.state import GRAIN, BillState, at_time, pour


class Margin(NamedTuple):
    """The next unit's price now, unrounded, all in; `tier` counts from 1.

    `used` and `limit` (None in the last tier) are units of the period; `next_price` is that beyond the limit, all in.
    """

    rate: Words
    price: Decimal
    tier: int
    used: Decimal
    limit: Decimal | None
    next_price: Decimal | None


def margin(plan: Plan, state: BillState, at: int) -> Margin | NoCost:
    """Price the next unit at a moment (UTC ms)."""
    if (reason := unpriced(plan, at, at + 1)) is not None:
        return reason
    used = at_time(plan, state, at).total
    rate = plan.tariff.rates[rate_at(plan, at)]
    tier = sum(used >= limit for limit in plan.limits)
    last = tier == len(plan.limits)
    return Margin(
        rate.name,
        all_in(plan, rate.prices[tier]),
        tier + 1,
        used / BASE_PER_UNIT,
        None if last else plan.limits[tier] / BASE_PER_UNIT,
        None if last else all_in(plan, rate.prices[tier + 1]),
    )


def cost_of(plan: Plan, state: BillState, at: int, amount: float | Decimal) -> Decimal | NoCost:
    """Price so many base units more at a moment, over the tiers they reach; unrounded, all in."""
    if (reason := unpriced(plan, at, at + 1)) is not None:
        return reason
    prices = plan.tariff.rates[rate_at(plan, at)].prices
    poured = pour(plan, at_time(plan, state, at).total, Decimal(amount).quantize(GRAIN))
    return (
        sum((part * all_in(plan, price) for part, price in zip(poured, prices, strict=True)), Decimal()) / BASE_PER_UNIT
    )


def all_in(plan: Plan, price: Decimal) -> Decimal:
    """Add to a unit's price its sewage, and the taxes on both, as on the bill."""
    sewage = plan.tariff.sewage
    if sewage is not None:
        price += sewage.share * (price if sewage.price is None else sewage.price)
    return price + price * sum((tax.percent for tax in plan.tariff.taxes), Decimal()) / 100
