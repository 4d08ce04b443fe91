"""What each meter counted today, hour by hour, in the customer's own time zone.

1. The day's hours are made from the zone, so a day of 23 or 25 hours has as many.
2. A meter's readings go through a check of their own (gateway/check): dips, resets and swaps count for nothing, and
   only what a register truly rose by is use.
3. When a meter becomes known, the store gives one reading near the beginning of each hour; from then on the newest
   live reading is taken every few seconds. Registers are running totals, so nothing between two readings is missed.
4. An interval of up to an hour is shared out over the hours it touches. A longer one is a gap: its use belongs to the
   day, but to no hour, and an hour without readings is unknown, never zero.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from drivers.contract import Number
from drivers.quantities import BY_KEY
from gateway.check import Checker, Interval, Limits
from gateway.live import LiveMeter
from gateway.message import SUSPECT
from gateway.store.contract import Row, StoreError

EVERY = 5.0
"""Seconds between two looks at the newest readings."""
HOUR_MS = 3_600_000
LONGEST_PLACED = HOUR_MS + 5 * 60_000
"""A meter that tells its register once an hour does so a little late at times."""
NEAR_MS = 60_000
"""How far after an hour's beginning its first reading is looked for before the whole hour is searched."""
REMEMBERED = 200
"""Meters whose past hours are asked of the store; a hub of more shows their day from now on."""
BEYOND_ANY_METER = 10**15

LIMITS = Limits()

_Key = tuple[str, str]
"""A tenant and the id of a meter: only together do they name one."""


class HasMeters(Protocol):
    """Knows the newest reading of every meter."""

    def meters(self) -> Sequence[LiveMeter]:
        """List the meters."""


class HasPast(Protocol):
    """Gives the readings of one meter with start <= ts < end, by time."""

    async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
        """Read the store; raises StoreError."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one register counted today, in its base unit; `hours` holds None where that is not known."""

    total: float
    hours: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """A meter's day: `hours` are the UTC ms at which each hour begins, `since` when our knowledge of it does."""

    hours: tuple[int, ...]
    since: int
    uses: Mapping[str, Use]
    zone: ZoneInfo


def hours_of(now: int, zone: ZoneInfo) -> tuple[int, ...]:
    """Give the UTC ms at which the hours of the day around `now` begin, and last the one at which the day ends."""
    local = datetime.fromtimestamp(now / 1000, zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    begin, end = (_ms(day) for day in (midnight, midnight + timedelta(days=1)))
    return (*range(begin, end, HOUR_MS), end)


def _ms(local: datetime) -> int:
    return round(local.astimezone(UTC).timestamp() * 1000)


@dataclass(slots=True)
class _Sum:
    total: float = 0.0
    hours: dict[int, float] = field(default_factory=dict)

    def add(self, interval: Interval, edges: Sequence[int]) -> None:
        """Share an interval out over the hours of the day; the part before midnight is yesterday's."""
        length = interval.end - interval.start
        if interval.amount is None or interval.quality == "suspect" or length <= 0 or interval.end <= edges[0]:
            return
        begins_today = interval.start >= edges[0]
        if length > LONGEST_PLACED:
            self.total += interval.amount if begins_today else 0.0
            return
        for hour, (begin, end) in enumerate(pairwise(edges)):
            part = min(interval.end, end) - max(interval.start, begin)
            if part > 0:
                amount = interval.amount * part / length
                self.hours[hour] = self.hours.get(hour, 0.0) + amount
                self.total += amount


class Today:
    """Follows the meters of one program through the day."""

    def __init__(
        self, meters: HasMeters, past: HasPast | None, zone: str, now: Callable[[], int], tenant: str = ""
    ) -> None:
        """`now` gives UTC ms; `tenant` is that of meters which name none; without `past` the day begins now."""
        self.error = ""
        self._meters, self._past, self._zone, self._now, self._tenant = meters, past, ZoneInfo(zone), now, tenant
        self._edges = hours_of(now(), self._zone)
        self._checker = Checker()
        self._since: dict[_Key, int] = {}
        self._last: dict[_Key, int] = {}
        self._sums: dict[_Key, dict[str, _Sum]] = {}

    def day(self, meter: LiveMeter) -> Day | None:
        """Give a meter's day so far; None while nothing of it is known."""
        since = self._since.get(self._key(meter))
        sums = self._sums.get(self._key(meter))
        if since is None or sums is None or self._now() >= self._edges[-1]:
            return None
        hours = range(len(self._edges) - 1)
        uses = {
            key: Use(round(kept.total, 3), tuple(_rounded(kept.hours.get(hour)) for hour in hours))
            for key, kept in sums.items()
        }
        return Day(self._edges[:-1], max(since, self._edges[0]), uses, self._zone)

    async def run(self) -> None:
        """Look at the meters every few seconds; ends only when cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Take the newest reading of every meter, and the past hours of one that is new."""
        now = self._now()
        if not self._edges[0] <= now < self._edges[-1]:
            self._edges = hours_of(now, self._zone)
            self._sums = {meter: {key: _Sum() for key in sums} for meter, sums in self._sums.items()}
        for meter in self._meters.meters():
            if not meter.ts or meter.ts > now + HOUR_MS:
                continue
            key = self._key(meter)
            if key not in self._last:
                self._last[key] = 0
                if self._past is not None and len(self._last) <= REMEMBERED:
                    await self._remember(self._past, meter)
            if meter.ts != self._last[key]:  # earlier ones too: the clock may have been set back
                self._take(key, meter.ts, meter.q, meter.values)

    def _key(self, meter: LiveMeter) -> _Key:
        return meter.tenant or self._tenant, meter.id

    async def _remember(self, past: HasPast, meter: LiveMeter) -> None:
        key = self._key(meter)
        for begin in self._edges[:-1]:
            if begin >= meter.ts:
                return
            for end in (begin + NEAR_MS, begin + HOUR_MS):
                try:
                    rows = await past.query(*key, begin, min(end, meter.ts))
                except StoreError as error:
                    self.error = str(error)
                    return
                for row in rows:
                    self._take(key, row.ts, row.q, row.v)
                if rows:
                    break

    def _take(self, meter: _Key, ts: int, q: int, values: Mapping[str, Number | str]) -> None:
        self._last[meter] = ts
        registers = {key: number for key, value in values.items() if (number := _register(key, value)) is not None}
        if q & SUSPECT or not registers:
            return
        self._since.setdefault(meter, ts)
        sums = self._sums.setdefault(meter, {})
        for key in registers:
            sums.setdefault(key, _Sum())
        _, intervals = self._checker.judge("/".join(meter), ts, registers, (), LIMITS)
        for interval in intervals:
            sums[interval.key].add(interval, self._edges)


def _register(key: str, value: Number | str) -> Number | None:
    """Read a counter's value, which in a live document of a stranger may be anything."""
    quantity = BY_KEY.get(key)
    if quantity is None or quantity.kind != "counter":
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number) < BEYOND_ANY_METER else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
