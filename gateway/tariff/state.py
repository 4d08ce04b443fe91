"""A billing period as it fills: how much was used in each tier of each rate.

1. `begin` opens the period around a moment, `add` takes intervals in the order of time, O(1) a quarter-hour.
2. An interval over a boundary (of a period, a rate, a day) is shared out in proportion to time, on a grid of 0.0001
   base units, so that the parts always add up to the whole. Tiers are filled in the order of time.
3. What lies before the newest moment is left out, so a delivery that comes twice counts once; `left_out` counts it, and
   whoever has late data begins anew from the store. Time without an amount is unknown, not zero: `covered` tells.
4. A state is numbers only. `dump` and `restore` keep it over a restart; the same intervals give the same state.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.tariff.model import Plan
from gateway.tariff.periods import period_of
from gateway.tariff.rates import pieces

GRAIN = Decimal("0.0001")
"""Base units: as fine as registers are kept."""
LARGEST = 10**12
"""Base units in one interval: a TWh, which no home uses; with 4 decimals and any price it fits 28 digits exactly."""


class BillState(NamedTuple):
    """A period from `start` to `end`, filled up to `until` (UTC ms), of which `covered` ms are known.

    `used` holds base units, tier by tier within rate by rate.
    """

    start: int
    end: int
    until: int
    covered: int
    left_out: int
    used: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        """Base units used so far."""
        return sum(self.used, Decimal())


def begin(plan: Plan, at: int) -> BillState:
    """Open the billing period around `at` (UTC ms), nothing used yet."""
    start, end = period_of(plan, at)
    return BillState(start, end, start, 0, 0, (Decimal(),) * (len(plan.tariff.rates) * (len(plan.limits) + 1)))


def add(
    plan: Plan, state: BillState, start: int, end: int, amount: float | Decimal | None
) -> tuple[BillState, tuple[BillState, ...]]:
    """Take what was used from `start` to `end` (UTC ms), in base units; give the state, and the periods it closed.

    An amount of None, or one no meter can count, is unknown.
    """
    if start < state.until:
        state = state._replace(left_out=state.left_out + 1)
    if end <= start:
        return state, ()
    known = amount is not None and 0 <= amount <= LARGEST
    whole = Decimal(amount).quantize(GRAIN) if known and amount is not None else None

    def upto(moment: int) -> Decimal:
        if moment in (start, end) or not whole:
            return whole if moment == end and whole else Decimal()
        return (whole * (moment - start) / (end - start)).quantize(GRAIN)

    closed: list[BillState] = []
    while True:
        a, b = max(start, state.until), min(end, state.end)
        if a < b and known:
            state = _fill(plan, state, a, b, upto)
        elif b > state.until:
            state = state._replace(until=b)
        if end <= state.end:
            return state, tuple(closed)
        closed.append(state)
        state = begin(plan, state.end)


def at_time(plan: Plan, state: BillState, at: int) -> BillState:
    """Give the state as it is at a moment: the same while its period lasts, a new one after."""
    return state if state.start <= at < state.end else begin(plan, at)


def pour(plan: Plan, total: Decimal, amount: Decimal) -> list[Decimal]:
    """Share base units out over the tiers, `total` being in them already."""
    poured = []
    for limit in plan.limits:
        taken = min(amount, max(limit - total, Decimal()))
        poured.append(taken)
        total, amount = total + taken, amount - taken
    return [*poured, amount]


def _fill(plan: Plan, state: BillState, start: int, end: int, upto: Callable[[int], Decimal]) -> BillState:
    used, total = list(state.used), state.total
    for piece in pieces(plan, start, end):
        amount = upto(piece.end) - upto(piece.start)
        first = piece.rate * (len(plan.limits) + 1)
        for tier, taken in enumerate(pour(plan, total, amount), first):
            used[tier] += taken
        total += amount
    covered = state.covered + end - start
    return BillState(state.start, state.end, end, covered, state.left_out, tuple(used))


def dump(plan: Plan, state: BillState) -> list[Any]:
    """Give a state as JSON can hold it, with the shape of the plan it belongs to."""
    return [plan.shape, *state[:-1], [str(amount) for amount in state.used]]


def restore(plan: Plan, dumped: Sequence[Any]) -> BillState | None:
    """Take up a state again; None when it is none, or one of another plan: begin anew from the store."""
    try:
        shape, start, end, until, covered, left_out, used = dumped
        state = BillState(start, end, until, covered, left_out, tuple(Decimal(amount) for amount in used))
    except (TypeError, ValueError, ArithmeticError):
        return None
    whole = all(type(number) is int for number in state[:-1])
    sized = len(state.used) == len(begin(plan, 0).used)
    return state if shape == plan.shape and whole and sized else None
