"""What each meter's use costs, for the pages: today, the billing period to date, and what it will likely end with.

1. The bill is that of the hub's rules, up to yesterday; the hours of today are added to it as they come.
2. The projection is made once a day, since it hangs on whole days, and in a thread of its own: with many rates it takes
   a third of a second.
3. A meter whose tariff does not hold, or of which no whole day is known yet, shows no money.
4. Alerts on the pages are priced by the bills of the last look.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from gateway.alerts.calendar import HOUR_MS, Calendar
from gateway.alerts.event import AlertEvent
from gateway.alerts.rules.bill_projection import BillProjection
from gateway.alerts.rules.billing import REGISTERS, followed
from gateway.alerts.settings import MeterSettings
from gateway.live import LiveMeter
from gateway.notify.costs import Priced, bill_in, commodity_of, priced
from gateway.tariff.bill import NoCost, bill
from gateway.tariff.margin import cost_of
from gateway.tariff.model import Plan, Tariff
from gateway.tariff.projection import Projection
from gateway.tariff.state import BillState, add, restore
from gateway.today import Day

EVERY = 60.0
"""Seconds between two looks: nobody watches halalas tick."""
MOST = 200
"""Meters whose money is followed: those of a house, or of a small hub."""
RULE = BillProjection.name


class Outlook(NamedTuple):
    """Sums of one meter in `currency`: today, the period so far, and its likely end with a range, where known.

    The period began at `since`, in UTC ms.
    """

    currency: str
    today: Decimal | None
    so_far: Decimal | None
    likely: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    since: int = 0


class HasMeters(Protocol):
    """Knows the meters."""

    def meters(self) -> Sequence[LiveMeter]:
        """List them."""


@dataclass
class Outlooks:
    """Follows the money of one program's meters; `tenant` is that of meters which name none."""

    meters: HasMeters
    day: Callable[[LiveMeter], Day | None]
    remembered: Callable[[str, str], Awaitable[Mapping[str, Any]]]
    plan: Callable[[str, float | None], Plan | None]
    about: Callable[[str, str], MeterSettings]
    calendar: Calendar
    tenant: str = ""
    offers: tuple[Tariff, ...] = ()
    _bills: dict[tuple[str, str], BillState] = field(default_factory=dict)
    _known: dict[tuple[str, str], Outlook] = field(default_factory=dict)
    _projected: dict[tuple[str, str], tuple[BillState, Projection | NoCost]] = field(default_factory=dict)

    def of(self, meter: LiveMeter) -> Outlook | None:
        """Give what is known of a meter's money; never blocks."""
        return self._known.get((meter.tenant or self.tenant, meter.id))

    def price(self, tenant: str, event: AlertEvent) -> Priced | None:
        """Price an alert of a tenant's; never blocks."""
        plan = self.plan(commodity_of(event), self.about(tenant, event.meter).rating_a)
        return None if plan is None else priced(event, plan, self._bills.get((tenant, event.meter)), self.offers)

    async def run(self) -> None:
        """Look now and then; ends only when cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Work out every meter's money anew."""
        known: dict[tuple[str, str], Outlook] = {}
        bills: dict[tuple[str, str], BillState] = {}
        for meter in self.meters.meters()[:MOST]:
            tenant = meter.tenant or self.tenant
            plan = self.plan(meter.commodity, self.about(tenant, meter.id).rating_a)
            if plan is not None:
                remembered = await self.remembered(tenant, meter.id)
                state, rules = bill_in(plan, remembered), remembered.get("rules", {})
                bills |= {(tenant, meter.id): state} if state is not None else {}
                made = await self._outlook(meter, plan, rules[RULE][0]) if RULE in rules else None
                known |= {(tenant, meter.id): made} if made is not None else {}
        self._known, self._bills = known, bills
        self._projected = {meter: made for meter, made in self._projected.items() if meter in known}

    async def _outlook(self, meter: LiveMeter, plan: Plan, state: Sequence[Any]) -> Outlook | None:
        following = followed(state[0])
        yesterday = restore(plan, following.bill)
        if yesterday is None:
            return None
        key = (meter.tenant or self.tenant, meter.id)
        if self._projected.get(key, (None,))[0] != yesterday:
            rule = BillProjection(plan, self.calendar)
            self._projected[key] = yesterday, await asyncio.to_thread(rule.projected, following, yesterday)
        spent, now = spend(plan, yesterday, self.day(meter))
        made, projection = bill(plan, now), self._projected[key][1]
        if isinstance(made, NoCost):
            return None
        so_far = Outlook(plan.tariff.currency, spent, made.total, since=now.start)
        # One of a period that is over says nothing of this one.
        if isinstance(projection, NoCost) or now.start != yesterday.start:
            return so_far
        return so_far._replace(likely=projection.bill.total, low=projection.low, high=projection.high)


def spend(plan: Plan, state: BillState, day: Day | None) -> tuple[Decimal | None, BillState]:
    """Add a day's known hours to a bill; give what they cost, None where none is known or one has no price."""
    use = None if day is None else day.uses.get(REGISTERS[plan.tariff.commodity])
    if day is None or use is None:
        return None, state
    total: Decimal | None = Decimal()
    for start, amount in zip(day.hours, use.hours, strict=True):
        if amount is not None and start >= state.until:
            cost = cost_of(plan, state, start, amount)
            total = None if total is None or isinstance(cost, NoCost) else total + cost
            state, _ = add(plan, state, start, start + HOUR_MS, amount)
    return total, state
