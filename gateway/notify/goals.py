"""Goals of customers: what a meter shall use at the most in a week, and how long a home has been without a leak.

1. A goal belongs to a meter, in the base unit of the register it is billed by. It came true in a week that was measured
   whole, in which somebody was at home, and in which no alert said that little was counted.
2. Days without a leak are counted back from the digest over days that were measured whole. A multiple of thirty is told
   in the week in which it is reached, and so once.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.alerts.event import AlertEvent
from gateway.check.slots import days_before
from gateway.notify import pages_sql as sql
from gateway.notify.digest import NO_ACHIEVEMENT, Met, Use

MOST = 1e9
"""Base units in a week: a GWh or a million m³, more than any one customer uses."""
STREAK, WEEK = 30, 7
YEAR = 366


class Goal(NamedTuple):
    """A goal as it was set, in base units a week."""

    meter: str
    amount: float


def set_goal(connection: sqlite3.Connection, tenant: str, goal: Goal, now: int) -> None:
    """Set a meter's goal, or take it away with an amount of 0, inside the caller's transaction."""
    if goal.amount:
        connection.execute(sql.SET_GOAL, (tenant, goal.meter, goal.amount, now))
    else:
        connection.execute(sql.UNSET_GOAL, (tenant, goal.meter))


def goals_of(connection: sqlite3.Connection, tenant: str) -> list[Goal]:
    """List a customer's goals."""
    return [Goal(*row) for row in connection.execute(sql.GOALS, (tenant,))]


def leaks_of(connection: sqlite3.Connection, tenant: str) -> list[bytes]:
    """Give a customer's newest leaks, as they were sent."""
    return [body for (body,) in connection.execute(sql.LEAKS, (tenant,))]


def met_by(
    uses: Sequence[Use], goals: Mapping[str, float], alerts: Iterable[AlertEvent], *, away: bool
) -> tuple[Met, ...]:
    """Choose the goals that came true in a week; `goals` by the meter's name."""
    if away or any(event.rule in NO_ACHIEVEMENT for event in alerts):
        return ()
    return tuple(
        Met(use.name, use.key, use.amount, goals[use.name])
        for use in uses
        if use.whole and 0 < use.amount <= goals.get(use.name, 0.0)
    )


def streak_of(days: Mapping[int, bool], leaks: Iterable[AlertEvent], until: int, zone: ZoneInfo) -> int:
    """Give the days without a leak that are worth telling at `until` (UTC ms), 0 for none.

    `days` says which days, by their beginning, were measured whole.
    """
    ends = [event.cleared or event.at for event in leaks if not event.open or until < event.raised]
    if any(event.open and event.raised < until for event in leaks):
        return 0
    after = max(ends, default=0)
    count = 0
    while count < YEAR and days.get(start := days_before(until, zone, count + 1)) and start >= after:
        count += 1
    return count // STREAK * STREAK if count // STREAK > max(count - WEEK, 0) // STREAK else 0
