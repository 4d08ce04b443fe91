"""Which rate holds when.

1. Windows begin and end on quarters of an hour of the wall clock, and every zone's offset is a multiple of a quarter,
   so one rate holds throughout a quarter of an hour of UTC: looking at its beginning is enough.
2. This makes days of 23 and 25 hours right without a rule of their own: an hour that comes twice counts twice.
3. The first rate that fits holds; the file's last one fits always.
"""

from datetime import datetime
from typing import NamedTuple

from gateway.tariff.model import DAYS, Plan, Rate

QUARTER_MS = 900_000


class Piece(NamedTuple):
    """One rate from `start` to `end`, UTC ms."""

    rate: int
    start: int
    end: int


def pieces(plan: Plan, start: int, end: int) -> list[Piece]:
    """Cut a time where the rate changes."""
    if len(plan.tariff.rates) == 1:
        return [Piece(0, start, end)]
    found: list[Piece] = []
    while start < end:
        rate, after = rate_at(plan, start), min(end, start - start % QUARTER_MS + QUARTER_MS)
        if found and found[-1].rate == rate:
            found[-1] = found[-1]._replace(end=after)
        else:
            found.append(Piece(rate, start, after))
        start = after
    return found


def rate_at(plan: Plan, at: int) -> int:
    """Number the rate that holds at a moment, UTC ms."""
    rates = plan.tariff.rates
    if len(rates) == 1:
        return 0
    local = datetime.fromtimestamp(at / 1000, plan.zone)
    day = "holiday" if local.date() in plan.tariff.holidays else DAYS[local.weekday()]
    quarter = local.hour * 4 + local.minute // 15
    return next(number for number, rate in enumerate(rates) if _fits(rate, local.month, day, quarter))


def _fits(rate: Rate, month: int, day: str, quarter: int) -> bool:
    return (
        (not rate.months or month in rate.months)
        and (not rate.days or day in rate.days)
        and (not rate.hours or any(begin <= quarter < end for begin, end in rate.hours))
    )
