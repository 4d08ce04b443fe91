"""Where a billing period will end: what is spent, and the usual hours that are left, at the level of the last week.

1. The hours left are as usual in their slots, times the square root of how the last seven days compare with theirs: a
   hot week goes on in part. The square root was measured on real homes, as was the error (`./run bench bill`).
2. `P90_ERROR` is the error of the period's whole use that one projection in ten exceeds, by how far the period is.
   What is spent is certain, so all of it lies in what is left; the band is priced too, for tiers bend it.
3. The same walk says when a tier ends, and between which moments that may be.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from decimal import Decimal
from math import sqrt
from typing import NamedTuple

from gateway.tariff.bill import Bill, NoCost, bill, unpriced
from gateway.tariff.model import BASE_PER_UNIT, Plan
from gateway.tariff.state import BillState, add

HOUR_MS = 3_600_000
MONTH = 31
"""Days: the longest month; of other periods the days below are the same share."""
P90_ERROR = ((5, 0.27), (10, 0.23), (15, 0.23), (20, 0.13))
"""From which day on, and how far off: the worst that two sets of homes in California, France and Britain showed."""
DAYS = 7

UsualAt = Callable[[int], float | None]
"""Gives what is usual in the hour that begins at a UTC ms, base units, or None where that is not learnt yet."""


class Week(NamedTuple):
    """What the last seven days held and what was usual in them: (day, used, usual) each, base units."""

    days: tuple[tuple[int, float, float], ...] = ()

    @property
    def level(self) -> float:
        """How the week compares with what is usual; 1 where nothing is known."""
        usual = sum(day[2] for day in self.days)
        return sum(day[1] for day in self.days) / usual if usual > 0 else 1.0


def lived(week: Week, day: int, used: float, usual: float) -> Week:
    """Take an hour of a local day (its ordinal): what was used, and what was usual before it was learnt."""
    days = [row for row in week.days if row[0] > day - DAYS]
    if days and days[-1][0] == day:
        _, before, expected = days.pop()
        used, usual = used + before, usual + expected
    return Week((*days, (day, used, usual))[-DAYS:])


class Crossing(NamedTuple):
    """The end of a tier at `limit` units is expected at `at`; not before `early`, by `late` if at all (UTC ms)."""

    tier: int
    limit: Decimal
    at: int
    early: int
    late: int | None


class Projection(NamedTuple):
    """The bill a period will likely end with; in nine of ten cases its total lies from `low` to `high`."""

    bill: Bill
    low: Decimal
    high: Decimal
    error: float
    crossings: tuple[Crossing, ...]


def project(plan: Plan, state: BillState, usual: UsualAt, level: float = 1.0) -> Projection | NoCost:
    """Project a period from its state; a `NoCost` before its fifth day, and where the tariff ends within it."""
    error = error_at(state)
    if error is None:
        return NoCost("too_early")
    if (reason := unpriced(plan, state.start, state.end)) is not None:
        return reason
    hours = _hours_left(state, usual, sqrt(max(level, 0.0)))
    if hours is None:
        return NoCost("learning")
    left = sum(amount for _, _, amount in hours)
    # All of the error lies in what is left; it cannot be less than nothing.
    share = error * (float(state.total) + left) / left if left else 0.0
    bills = [bill(plan, _ended(plan, state, hours, factor)) for factor in (1.0, max(1 - share, 0.0), 1 + share)]
    for made in bills:
        if isinstance(made, NoCost):
            return made
    likely, low, high = (made for made in bills if isinstance(made, Bill))
    return Projection(likely, low.total, high.total, error, _crossings(plan, state, hours, share))


def error_at(state: BillState) -> float | None:
    """Give how far off a projection may be by now, between the measured days in proportion; None before the first."""
    day = (state.until - state.start) / (state.end - state.start) * MONTH
    at = bisect_right(P90_ERROR, (day, 1.0))
    if at == 0:
        return None
    (a, high), (b, low) = P90_ERROR[at - 1], P90_ERROR[min(at, len(P90_ERROR) - 1)]
    return high + (low - high) * (day - a) / (b - a) if b > a else high


Hours = Sequence[tuple[int, int, float]]


def _hours_left(state: BillState, usual: UsualAt, factor: float) -> Hours | None:
    hours, start = [], state.until
    while start < state.end:
        end = min(start - start % HOUR_MS + HOUR_MS, state.end)
        mean = usual(start - start % HOUR_MS)
        if mean is None:
            return None
        hours.append((start, end, max(mean, 0.0) * factor * (end - start) / HOUR_MS))
        start = end
    return hours


def _ended(plan: Plan, state: BillState, hours: Hours, factor: float) -> BillState:
    for start, end, amount in hours:
        state, _ = add(plan, state, start, end, amount * factor)
    return state


def _crossings(plan: Plan, state: BillState, hours: Hours, share: float) -> tuple[Crossing, ...]:
    found = []
    for tier, limit in enumerate(plan.limits, 1):
        left = float(limit - state.total)
        at = _reached(hours, left, 1.0)
        if left > 0 and at is not None:
            early = _reached(hours, left, 1 + share) or at
            found.append(Crossing(tier, limit / BASE_PER_UNIT, at, early, _reached(hours, left, max(1 - share, 0.0))))
    return tuple(found)


def _reached(hours: Hours, amount: float, factor: float) -> int | None:
    for _, end, use in hours:
        amount -= use * factor
        if amount <= 0:
            return end
    return None
