"""Advice on other tariffs: what the same months would have cost with each of them, and whether changing is worth it.

1. The intervals are replayed through the present tariff; its whole billing periods, nearly all known, are the months.
2. Each offer is priced over the very same months with its own prices, hours, fees and taxes. It need not have held
   then, but must hold at the end of the last one: nobody is sent to a tariff that is gone.
3. An offer is recommended only if it saves at least 5 % in each month, and there are three: a saving of one season, or
   one that a different month eats up, is no advice. The months carry both bills, so all arithmetic can be shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from gateway.tariff.bill import Bill, NoCost, Reason, bill
from gateway.tariff.model import Plan, Tariff
from gateway.tariff.state import BillState, add, begin

MONTHS = 3
LEAST_SHARE = Decimal("0.05")
KNOWN = 0.98
"""The share of a month that must be known to compare its bills: half a day weighs less than the 5 % sought."""
LONG_AGO = date(1970, 1, 1)

Interval = tuple[int, int, float | Decimal | None]
"""From, to (UTC ms), base units or None."""

Verdict = Literal["saves", "saves_too_little", "not_comparable", "too_few_months"] | Reason


class Month(NamedTuple):
    """One billing period under both tariffs; `share` is the saving's part of the present bill."""

    current: Bill
    offered: Bill
    saving: Decimal
    share: Decimal


class Offer(NamedTuple):
    """One tariff beside the present one; `verdict` says why it is recommended, or is not."""

    tariff: Tariff
    verdict: Verdict
    months: tuple[Month, ...] = ()

    @property
    def saving(self) -> Decimal:
        """What it would have saved in all months together, less than nothing where it costs more."""
        return sum((month.saving for month in self.months), Decimal())


class Advice(NamedTuple):
    """All offers, the one that saves most first; `best` is the one to recommend, if there is one."""

    current: Tariff
    offers: tuple[Offer, ...]

    @property
    def best(self) -> Offer | None:
        """The recommended offer that saves most."""
        return next((offer for offer in self.offers if offer.verdict == "saves"), None)


def advise(plan: Plan, offers: Iterable[Tariff], intervals: Sequence[Interval]) -> Advice:
    """Compare the present plan with other tariffs over the months in the intervals, which come in the order of time."""
    mine = _long_held(plan, plan.tariff)
    present = _bills(mine, intervals)
    judged = [_judge(plan, present, tariff, intervals) for tariff in offers]
    judged.sort(key=lambda offer: (-offer.saving, offer.tariff.name))
    return Advice(plan.tariff, tuple(judged))


def _judge(plan: Plan, present: list[Bill] | NoCost, tariff: Tariff, intervals: Sequence[Interval]) -> Offer:
    mine = plan.tariff
    if (tariff.commodity, tariff.currency, tariff.zone) != (mine.commodity, mine.currency, mine.zone):
        return Offer(tariff, "not_comparable")
    if isinstance(present, NoCost):
        return Offer(tariff, present.reason)
    if len(present) < MONTHS:
        return Offer(tariff, "too_few_months")
    offered = _bills(_long_held(plan, replace(tariff, billing=mine.billing)), intervals)
    if isinstance(offered, NoCost):
        return Offer(tariff, offered.reason)
    months = tuple(_month(now, then) for now, then in zip(present, offered, strict=True))
    saves = all(month.share >= LEAST_SHARE for month in months)
    return Offer(tariff, "saves" if saves else "saves_too_little", months)


def _month(now: Bill, then: Bill) -> Month:
    saving = now.total - then.total
    return Month(now, then, saving, saving / now.total if now.total else Decimal())


def _bills(plan: Plan, intervals: Sequence[Interval]) -> list[Bill] | NoCost:
    """Price the whole periods that are known; a NoCost where one of them has no price."""
    bills = []
    for period in _replay(plan, intervals):
        made = bill(plan, period)
        if isinstance(made, NoCost):
            return made
        bills.append(made)
    return bills


def _long_held(plan: Plan, tariff: Tariff) -> Plan:
    return replace(plan, tariff=replace(tariff, valid_from=LONG_AGO))


def _replay(plan: Plan, intervals: Sequence[Interval]) -> list[BillState]:
    """Give the whole periods that are known."""
    if not intervals:
        return []
    state, periods = begin(plan, intervals[0][0]), list[BillState]()
    for start, end, amount in intervals:
        state, closed = add(plan, state, start, end, amount)
        periods += closed
    if state.until == state.end:
        periods.append(state)
    return [period for period in periods if period.covered >= KNOWN * (period.end - period.start)]
