"""What the days of a digest cost, and the bill their period will likely end with.

1. Days are priced slot by slot, in the tier and at the hour in which they lay: the sheets since the billing period
   began are poured into its bill first. So this is the cost of what was used, and not of what the next unit costs.
2. Nothing is told where the price is not sure: without a tariff that holds, where the slots do not add up to what the
   digest tells, or where tiers matter and less of the period is known than a bill needs.
3. The likely bill is that of the hub's rules, with its range; a new home has none for two weeks.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from gateway.alerts.rules.bill_projection import BillProjection
from gateway.alerts.rules.billing import KNOWN, REGISTERS, followed
from gateway.check.ledger import Ledger
from gateway.check.sheet import Sheet
from gateway.check.slots import days_before
from gateway.notify.costs import COMMODITIES, Costs
from gateway.tariff.bill import NoCost
from gateway.tariff.margin import cost_of
from gateway.tariff.model import Plan
from gateway.tariff.projection import Projection
from gateway.tariff.state import add, begin, restore

DAY_MS = 86_400_000
ADDS_UP = 0.98
"""A slot or two that nobody knows change no sum that is told with "about"."""
RULE = BillProjection.name


@dataclass(frozen=True, slots=True)
class Spent:
    """Sums in `currency`: what the days cost, and the bill of their period with its range; None where not known."""

    currency: str
    cost: Decimal | None = None
    likely: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True)
class Spending:
    """Prices the days of one tenant's digest; whoever `moved` in since (UTC ms) is told no bill of before."""

    costs: Costs
    ledger: Ledger
    tenant: str
    zone: ZoneInfo
    moved: int = 0

    async def of(self, meter: str, key: str, since: int, until: int) -> Spent | None:
        """Price what a meter's register counted from `since` to `until` (UTC ms); raises StoreError."""
        commodity = COMMODITIES.get(key.partition("_")[0], "")
        plan = self.costs.plan(commodity, self.costs.about(self.tenant, meter).rating_a)
        if plan is None or REGISTERS[plan.tariff.commodity] != key:
            return None
        begun = begin(plan, since).start
        days = range(-(-(until - begun) // DAY_MS), 0, -1)
        found = [await self.ledger.newest(self.tenant, meter, days_before(until, self.zone, day)) for day in days]
        sheets = [sheet for sheet in found if sheet is not None]
        cost = await asyncio.to_thread(cost_of_days, plan, sheets, key, since)
        projection = await self._projection(plan, meter, until)
        if projection is None:
            return Spent(plan.tariff.currency, cost)
        return Spent(plan.tariff.currency, cost, projection.bill.total, projection.low, projection.high)

    async def _projection(self, plan: Plan, meter: str, until: int) -> Projection | None:
        rules = (await self.costs.remembered(self.tenant, meter)).get("rules", {})
        following = followed(rules[RULE][0][0]) if RULE in rules else None
        bill = restore(plan, following.bill) if following is not None else None
        if following is None or bill is None or not self.moved <= bill.start < until < bill.end:
            return None
        made = await asyncio.to_thread(BillProjection(plan, self.costs.calendar).projected, following, bill)
        return None if isinstance(made, NoCost) else made


def cost_of_days(plan: Plan, sheets: Sequence[Sheet], key: str, since: int) -> Decimal | None:
    """Price what was used from `since` (UTC ms) on; `sheets` begin with the billing period around that moment."""
    state = begin(plan, since)
    cost, told, priced, covered = Decimal(), 0.0, 0.0, 0
    for sheet in sheets:
        told += (sheet.totals.get(key) or 0.0) if sheet.start >= since else 0.0
        for slot in sheet.tracks[key].slots if key in sheet.tracks else ():
            if slot.amount is None or slot.start < state.start:
                continue
            if slot.start >= since:
                piece = cost_of(plan, state, slot.start, slot.amount)
                if isinstance(piece, NoCost):
                    return None
                cost, priced = cost + piece, priced + slot.amount
            else:
                covered += slot.end - slot.start
            state, _ = add(plan, state, slot.start, slot.end, slot.amount)
    tiers_known = not plan.limits or covered >= KNOWN * (since - begin(plan, since).start)
    return cost if tiers_known and told > 0 and priced >= ADDS_UP * told else None
