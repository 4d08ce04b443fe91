"""What customers said and wish, in the hub database: answers to alerts, calls they wait for, whether they are away.

An answer is written in the transaction that acknowledges its alert (`Outbox.act`); giving it again changes nothing.
What follows from it for the rules is worked out by `retune.py` each time it is asked for, so nothing has to be undone.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.notify import absence
from gateway.notify import answers_sql as sql
from gateway.notify.links import REPLIES, Link
from gateway.notify.retune import Answered, Tuning, tuning
from gateway.store.contract import TryAgain
from gateway.store.database import Database

CALLS_SHOWN = 200
"""Open calls that are listed at once: more than a day's work of one person."""


@dataclass(frozen=True, slots=True)
class CallBack:
    """Somebody asked to be called about an alert, at `at` (UTC ms), by a channel's message."""

    tenant: str
    alert: str
    meter: str
    rule: str
    channel: str
    at: int


def note(connection: sqlite3.Connection, link: Link, now: int) -> None:
    """Write an answer down, inside the caller's transaction; `acknowledge` and `mute` are none."""
    if link.action in REPLIES:
        connection.execute(sql.ADD, (link.action, link.channel, now, link.tenant, link.alert))


def reset(connection: sqlite3.Connection, tenant: str, meter: str, rule: str, now: int) -> None:
    """Let a rule at a meter forget what was answered so far, inside the caller's transaction."""
    connection.execute(sql.RESET, (tenant, f"reset.{rule}.{meter}.{now}", rule, meter, "page", now, now))


def tuning_of(connection: sqlite3.Connection, tenant: str, meter: str, zone: ZoneInfo, now: int) -> Tuning:
    """Work out what a meter's rules are to know; `zone` tells in which hour of the week an alert began."""
    rows = connection.execute(sql.OF_METER, (tenant, meter))
    return tuning([Answered(rule, answer, at, _hour(raised, zone)) for rule, answer, at, raised in rows], now)


class Answers:
    """The answers of every customer of a hub."""

    def __init__(self, database: Database) -> None:
        """`database` is the hub's, opened by its owner."""
        self._database = database

    async def of_alert(self, tenant: str, alert: str) -> list[str]:
        """Give what was answered to an alert, first to last."""
        return await self._database.read(lambda c: [said for (said,) in c.execute(sql.OF_ALERT, (tenant, alert))])

    async def calls(self, limit: int = CALLS_SHOWN) -> list[CallBack]:
        """List who waits to be called, the longest waiting first."""
        return await self._database.read(lambda c: [CallBack(*row) for row in c.execute(sql.CALLS, (limit,))])

    async def called(self, tenant: str, alert: str, now: int) -> bool | TryAgain:
        """Note that somebody called; False when nobody waited for it."""
        return await self._database.write(lambda c: c.execute(sql.CALLED, (now, tenant, alert)).rowcount > 0)

    async def set_away(self, tenant: str, now: int, *, away: bool, until: int | None = None) -> TryAgain | None:
        """Say that nobody is at home at a tenant's meters, if named until a moment, or that somebody is again."""

        def work(connection: sqlite3.Connection) -> None:
            if away:
                absence.set_away(connection, tenant, now, until)
            else:
                absence.set_back(connection, tenant)

        return await self._database.write(work)

    async def away_until(self, tenant: str) -> int | None:
        """Give until when (UTC ms) a tenant is away; None where that is open, or somebody is at home."""
        return await self._database.read(lambda c: absence.until_of(c, tenant))

    async def away(self, tenant: str) -> bool:
        """Tell whether a tenant is away."""
        return await self._database.read(lambda c: c.execute(sql.AWAY, (tenant,)).fetchone() is not None)


def _hour(moment: int, zone: ZoneInfo) -> int:
    """Number a moment's hour within the local week; 0 is Monday's first."""
    local = datetime.fromtimestamp(moment / 1000, zone)
    return local.weekday() * 24 + local.hour
