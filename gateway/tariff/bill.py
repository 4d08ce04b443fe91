"""A bill to date: every line with its arithmetic, or the reason why there is none.

1. Use, one line a rate and tier; sewage; fees; then taxes, each on the sum of the three.
2. Rounding is the tariff's own: each line, so that the lines add up, or the total alone.
3. A wrong number is worse than none: outside of the tariff's dates, or without the main fuse's rating where a fee hangs
   on it, there is no bill but a `NoCost`.
"""

from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

from gateway.tariff.model import BASE_PER_UNIT, Fee, Plan, Rounding, Words
from gateway.tariff.periods import local_date, validity_of
from gateway.tariff.state import BillState

Kind = Literal["use", "sewage", "fee", "tax"]
Reason = Literal["expired", "not_yet_valid", "breaker_unknown", "too_early", "learning"]

HINTS: dict[Reason, str] = {
    "expired": "the tariff is out of date: load the one that holds now",
    "not_yet_valid": "the tariff does not hold from the beginning of this billing period",
    "breaker_unknown": "a fee hangs on the main fuse: say its rating in ampere",
    "too_early": "a projection needs five days of the billing period",
    "learning": "a projection needs two weeks of use",
}


class NoCost(NamedTuple):
    """There is no cost to be named, and why."""

    reason: Reason

    @property
    def hint(self) -> str:
        """What to do, in a sentence for the operator."""
        return HINTS[self.reason]


class Line(NamedTuple):
    """One line: `quantity` times `price` is `amount`; `tier` counts from 1, and is 0 where there are none.

    A share or a tax has a percentage as its price, unit "%", of the amount in `quantity`.
    """

    kind: Kind
    name: Words
    tier: int
    quantity: Decimal
    unit: str
    price: Decimal
    amount: Decimal


class Bill(NamedTuple):
    """What a period cost so far, from `start` up to `until` (UTC ms); `covered` is the share of that time known."""

    start: int
    end: int
    until: int
    lines: tuple[Line, ...]
    total: Decimal
    quantity: Decimal
    covered: float


def bill(plan: Plan, state: BillState) -> Bill | NoCost:
    """Price what a state holds; the quantity is in the tariff's unit."""
    if (reason := unpriced(plan, state.start, state.until)) is not None:
        return reason
    fees = fees_of(plan)
    if isinstance(fees, NoCost):
        return fees
    rounding = plan.tariff.rounding
    lines = [*_use(plan, state)]
    lines += _sewage(plan, lines, state.total)
    lines += _fees(plan, fees, state)
    taxed = _sum(lines)
    lines += [
        _line(rounding, "tax", tax.name, 0, taxed, "%", tax.percent, tax.percent / 100) for tax in plan.tariff.taxes
    ]
    total = rounded(_sum(lines), rounding.to)
    passed = state.until - state.start
    covered = state.covered / passed if passed else 1.0
    return Bill(state.start, state.end, state.until, tuple(lines), total, state.total / BASE_PER_UNIT, covered)


def unpriced(plan: Plan, start: int, end: int) -> NoCost | None:
    """Say why what is used from `start` to `end` has no price, if it has none."""
    begins, ends = validity_of(plan)
    if start < begins:
        return NoCost("not_yet_valid")
    return NoCost("expired") if end > ends else None


def rounded(amount: Decimal, to: Decimal) -> Decimal:
    """Round half up to a multiple."""
    return (amount / to).quantize(Decimal(1), ROUND_HALF_UP) * to


def fees_of(plan: Plan) -> tuple[Fee, ...] | NoCost:
    """Give the fees this customer pays."""
    breaker = plan.breaker_a
    if breaker is None:
        return NoCost("breaker_unknown") if any(fee.by_breaker for fee in plan.tariff.fees) else plan.tariff.fees
    return tuple(fee for fee in plan.tariff.fees if fee.fits(breaker))


def _use(plan: Plan, state: BillState) -> Iterator[Line]:
    tariff, tiers = plan.tariff, len(plan.limits) + 1
    for number, rate in enumerate(tariff.rates):
        for tier, price in enumerate(rate.prices):
            if used := state.used[number * tiers + tier]:
                at = tier + 1 if plan.limits else 0
                yield _line(
                    tariff.rounding, "use", rate.name, at, used / BASE_PER_UNIT, tariff.unit, price, price
                )  # fmt: skip


def _sewage(plan: Plan, lines: list[Line], used: Decimal) -> Iterator[Line]:
    sewage, rounding = plan.tariff.sewage, plan.tariff.rounding
    if sewage is None or not used:
        return
    if sewage.price is None:
        yield _line(rounding, "sewage", sewage.name, 0, _sum(lines), "%", sewage.share * 100, sewage.share)
    else:
        quantity = used * sewage.share / BASE_PER_UNIT
        yield _line(rounding, "sewage", sewage.name, 0, quantity, plan.tariff.unit, sewage.price, sewage.price)


def _fees(plan: Plan, fees: Iterable[Fee], state: BillState) -> Iterator[Line]:
    for fee in fees:
        count = Decimal(_days(plan, state)) if fee.per == "day" else Decimal(1)
        yield _line(plan.tariff.rounding, "fee", fee.name, 0, count, fee.per, fee.amount, fee.amount)


def _days(plan: Plan, state: BillState) -> int:
    """Count the local days begun, the first one included."""
    newest = max(state.until - 1, state.start)
    return (local_date(newest, plan.zone) - local_date(state.start, plan.zone)).days + 1


def _line(
    rounding: Rounding,
    kind: Kind,
    name: Words,
    tier: int,
    quantity: Decimal,
    unit: str,
    price: Decimal,
    factor: Decimal,
) -> Line:
    amount = quantity * factor
    return Line(
        kind, name, tier, quantity, unit, price, rounded(amount, rounding.to) if rounding.at == "line" else amount
    )


def _sum(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount for line in lines), Decimal())
