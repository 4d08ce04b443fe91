"""Judges every meter's days at the hub: each once it is over, and again while readings may still come late.

1. A look an hour. A day is judged an hour after it ended, in its own zone; the first one is the day before the hub
   first looked.
2. A day whose slots were not all measured is judged again at each new day for a week: that long a journal keeps what it
   could not send. What then is known better is a new version; readings are never touched.
3. The store is asked for an hour at a time, so that neither memory nor the loop feels a day of readings a second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

import orjson

from gateway.check.day import DayCheck, Facts, Said
from gateway.check.identity import Identity, identity_of
from gateway.check.ledger import Ledger
from gateway.check.limits import Limits
from gateway.check.looking import keep_looking
from gateway.check.sheet import Sheet
from gateway.check.slots import days_before, edges_of
from gateway.hubdb import EnrolledMeter
from gateway.store.contract import Row, TryAgain

EVERY = 3600.0
HOUR_MS = 3_600_000
AGAIN_DAYS = 7
WEEKS = (7, 14, 21)
POLLS_AFTER = 5
LIMITS = Limits()


class HasMeters(Protocol):
    """Knows which meters a tenant has."""

    async def meters(self, tenant: str) -> list[EnrolledMeter]:
        """Give the meters of a tenant."""


class HasPast(Protocol):
    """Gives readings."""

    async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
        """Give one meter's readings with start <= ts < end, by time; raises StoreError."""


@dataclass
class Days:
    """Follows the meters of some tenants; `error` is what a store complains of.

    `limits` may know a meter's fuse; `judged_day` hears each day that was judged, in any of its versions, before it is
    kept: a day that could not be heard is judged again, and so are those after it, which are heard in their order.
    """

    hub: HasMeters
    past: HasPast
    ledger: Ledger
    tenants: Callable[[], Iterable[str]]
    zone: ZoneInfo
    now: Callable[[], int]
    limits: Callable[[str, str], Limits] = lambda _tenant, _meter: LIMITS
    judged_day: Callable[[str, EnrolledMeter, Sheet], Awaitable[TryAgain | None]] | None = None
    error: str = ""
    judged: int = 0

    async def run(self) -> None:
        """Look now and then; ends only when cancelled."""
        await keep_looking(self, self.ledger, EVERY)

    async def look(self) -> None:
        """Judge every day that is over and was not judged, and at a new day those that may be known better."""
        yesterday = days_before(edges_of(self.now() - HOUR_MS, self.zone)[0], self.zone, 1)
        for tenant in self.tenants():
            for meter in await self.hub.meters(tenant):
                await self._meter(tenant, meter, yesterday)

    async def _meter(self, tenant: str, meter: EnrolledMeter, yesterday: int) -> None:
        week = [days_before(yesterday, self.zone, n) for n in range(AGAIN_DAYS - 1, -1, -1)]
        known = await self.ledger.days(tenant, meter.meter, week[0])
        if yesterday in known:
            return
        first = min(known, default=yesterday)
        for day in week:
            if day < first or known.get(day, False):
                continue
            kept = await self._judge(tenant, meter, day)
            if isinstance(kept, TryAgain):
                self.error = kept.why
                return

    async def _judge(self, tenant: str, meter: EnrolledMeter, day: int) -> Sheet | TryAgain:
        every = round(meter.info.every * 1000)
        edges = edges_of(day, self.zone, every)
        before = await self.ledger.newest(tenant, meter.meter, days_before(day, self.zone, 1))
        weeks = [await self.ledger.newest(tenant, meter.meter, days_before(day, self.zone, n)) for n in WEEKS]
        begin = edges[0] if before is not None else edges[0] - HOUR_MS
        end = edges[-1] + max(HOUR_MS, POLLS_AFTER * every)
        now = identity_of(meter.info)
        check = DayCheck(Facts(meter.meter, every, self.limits(tenant, meter.meter), now=now), edges, before)
        for start in range(begin, end, HOUR_MS):
            rows = await self.past.query(tenant, meter.meter, start, min(start + HOUR_MS, end))
            await asyncio.to_thread(check.take, [Said(row.ts, row.v) for row in rows])
        was = await self._commissioned(tenant, meter.meter, day, now, check.keys)
        sheet = check.sheet([week for week in weeks if week is not None], was)
        self.judged += 1
        if self.judged_day is not None and (later := await self.judged_day(tenant, meter, sheet)) is not None:
            return later
        return await self.ledger.keep(tenant, sheet)

    async def _commissioned(
        self, tenant: str, meter: str, day: int, now: Identity, seen: Iterable[tuple[str, ...]]
    ) -> Identity | None:
        """Give who the meter was; at its first day with readings that is what it said, as far as it was announced."""
        body = await self.ledger.commissioned(tenant, meter)
        if body is not None:
            row = orjson.loads(body)
            return Identity(row["model"], row["units"], row["serial"])
        keys = {key for row in seen for key in row}
        if keys:
            units = {key: now.units.get(key, "") for key in sorted(keys)}
            made = orjson.dumps({"model": now.model, "units": units, "serial": now.serial})
            await self.ledger.commission(tenant, meter, day, made)
        return None
