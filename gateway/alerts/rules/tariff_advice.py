"""Advice on another tariff (X10): what the same months would have cost with each tariff on offer.

1. Each hour goes into the bill of the present tariff and of each offer, over the very same periods, each with its own
   prices, hours, fees and taxes; an offer need not have held then, but must hold at a period's end.
2. An offer is advised once it would have saved `share` in each of the last three periods, all nearly known. A saving
   of one season, or one that a different month eats up, is no advice.
3. The event holds both bills of each month. It is told once and is over when the offer no longer saves.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar, NamedTuple
from zlib import crc32

from gateway.alerts.hours import Hour
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.alerts.rules.billing import REGISTERS, plain
from gateway.tariff.advice import KNOWN, LONG_AGO, MONTHS
from gateway.tariff.bill import NoCost, bill
from gateway.tariff.model import Plan, Tariff
from gateway.tariff.state import BillState, add, begin, dump, restore

UNKNOWN = -1.0
OFFER = "offer_"
MOST = 4
"""Offers compared at once: what is remembered of a meter grows with them."""


class State(NamedTuple):
    """What is remembered: bills as their dumps, ours first; of the last periods what each came to (-1: unknown).

    `offers` is a number that changes with the tariffs compared; `advised` is the offer told, from 1.
    """

    offers: int = 0
    bills: tuple[Any, ...] = ()
    months: tuple[Any, ...] = ()
    advised: int = 0


@dataclass(frozen=True)
class TariffAdvice:
    """Judges whether an offered tariff would have been cheaper; `share` is of each present bill."""

    name: ClassVar[str] = "tariff_advice"
    start: ClassVar[State] = State()
    plan: Plan
    offers: tuple[Tariff, ...]
    share: float = 0.05
    cooldown: float = 7_776_000.0

    @property
    def hour_keys(self) -> tuple[str, ...]:
        """The register that is billed."""
        return (REGISTERS[self.plan.tariff.commodity],)

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """The present plan and one of each offer, over the same periods, as if all had held for long."""
        billing = self.plan.tariff.billing
        tariffs = (self.plan.tariff, *self.offers)
        return tuple(
            replace(self.plan, tariff=replace(tariff, billing=billing, valid_from=LONG_AGO)) for tariff in tariffs
        )

    @cached_property
    def _named(self) -> int:
        return crc32(repr(self.plans).encode())

    def hour(self, state: State, hour: Hour) -> tuple[State, Finding]:
        """Take what one hour held."""
        if state.offers != self._named:
            state = State(self._named, ((),) * len(self.plans), advised=state.advised)
        restored = [restore(plan, row) for plan, row in zip(self.plans, state.bills, strict=True)]
        bills = [made or begin(plan, hour.start) for plan, made in zip(self.plans, restored, strict=True)]
        if restored[0] is not None and hour.start < restored[0].until:
            return state, None
        steps = [
            add(plan, made, hour.start, hour.end, hour.amount) for plan, made in zip(self.plans, bills, strict=True)
        ]
        dumps = tuple(plain(dump(plan, step[0])) for plan, step in zip(self.plans, steps, strict=True))
        state = state._replace(bills=dumps)
        months = tuple(self._month(periods) for periods in zip(*(step[1] for step in steps), strict=True))
        if not months:
            return state, None
        return self._judge(state._replace(months=(*state.months, *months)[-MONTHS:]), steps[0][1][-1].end)

    def _month(self, periods: tuple[BillState, ...]) -> tuple[float, ...]:
        """Give what one period came to with each tariff."""
        if periods[0].covered < KNOWN * (periods[0].end - periods[0].start):
            return (UNKNOWN,) * len(periods)
        made = [bill(plan, period) for plan, period in zip(self.plans, periods, strict=True)]
        return tuple(UNKNOWN if isinstance(one, NoCost) else float(one.total) for one in made)

    def _judge(self, state: State, at: int) -> tuple[State, Finding]:
        saving = {n: saved for n in range(1, len(self.plans)) if (saved := self._saves(state.months, n)) is not None}
        if not saving:
            return state._replace(advised=0), Clear(at, {}) if state.advised else None
        best = max(saving, key=lambda n: saving[n])
        rows = [(month[0], month[best]) for month in state.months]
        evidence = {f"now_{n}_money": now for n, (now, _) in enumerate(rows, 1)}
        evidence |= {f"then_{n}_money": then for n, (_, then) in enumerate(rows, 1)}
        evidence |= {"saving_money": round(saving[best], 2), offer_key(self.plans[best].tariff): float(best)}
        now, then = (round(sum(column), 2) for column in zip(*rows, strict=True))
        alarm = Alarm("info", at, then, now, self.plan.tariff.currency, self.hour_keys[0], 1.0, evidence)
        return state._replace(advised=best), alarm

    def _saves(self, months: tuple[Any, ...], n: int) -> float | None:
        """Give what an offer would have saved in all months, if it would in each."""
        if len(months) < MONTHS or UNKNOWN in chain.from_iterable((month[0], month[n]) for month in months):
            return None
        if any(month[0] - month[n] < self.share * month[0] or month[0] <= 0 for month in months):
            return None
        return float(sum(month[0] - month[n] for month in months))


def offer_key(tariff: Tariff) -> str:
    """Name the key of the evidence that says which tariff is advised; keys have no hyphens."""
    return OFFER + re.sub("[^a-z0-9_]", "_", tariff.name)[:50]


def alike(mine: Tariff, offers: Iterable[Tariff]) -> tuple[Tariff, ...]:
    """Give the offers that can be compared with a tariff: another one of its commodity, currency and zone."""
    sort = (mine.commodity, mine.currency, mine.zone)
    fit = [offer for offer in offers if (offer.commodity, offer.currency, offer.zone) == sort]
    return tuple(offer for offer in fit if offer.name != mine.name)[:MOST]
