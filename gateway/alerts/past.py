"""The stored past of one meter, heard once more: the events that rules would have raised.

1. Readings come from the series store, some hours at a time, and take the way of every reading: check, then engine; in
   between time passes from one due moment to the next.
2. The store keeps what meters counted and measured, but neither their flags nor their clocks, and nothing of gateways:
   rules that judge nothing else (`UNSTORED`) find nothing in it.
3. What is known of a meter (its fuse, whether somebody is away) is what is known today.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Protocol

from drivers.contract import Number
from gateway.alerts.calendar import Calendar
from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.replay import Silences
from gateway.alerts.settings import MeterSettings
from gateway.check import Checker, Limits
from gateway.config.alerts import AlertsTable
from gateway.message import LOAD_PROFILE, TIME_REPAIRED
from gateway.store.contract import Row
from gateway.tariff.model import Plan

STEP_MS = 6 * 3_600_000
"""So much is taken from the store at a time: of a meter that is read each second that is 21,600 rows."""
UNSTORED = frozenset(
    {"tamper", "meter_clock", "gateway_offline", "gateways_offline", "late_readings", "data_quality", "welcome"}
)
"""Rules that judge only what the store does not keep."""
PARTLY = frozenset({"outage", "battery_low"})
"""Rules that judge such things too."""


class HasPast(Protocol):
    """Gives readings."""

    async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
        """Give one meter's readings with start <= ts < end, by time; raises StoreError."""


@dataclass
class Past:
    """One meter's past, judged by the rules of `alerts`; `readings` counts what was heard."""

    store: HasPast
    tenant: str
    meter: str
    about: MeterSettings
    alerts: AlertsTable
    calendar: Calendar
    plan: Plan | None = None
    readings: int = 0
    first: int = 0

    async def events(self, start: int, end: int) -> AsyncIterator[AlertEvent]:
        """Give every event from `start` to `end` (UTC ms) as it comes; raises StoreError."""
        rules = rules_of(self.alerts, self.calendar, self.about, None, self.plan)
        engine = Engine({self.meter: rules}, self.calendar)
        checker, silences = Checker(), Silences(engine)
        limits = Limits(self.about.rating_a, self.about.limits)
        for begin in range(start, end, STEP_MS):
            for row in await self.store.query(self.tenant, self.meter, begin, min(begin + STEP_MS, end)):
                if row.q & (TIME_REPAIRED | LOAD_PROFILE):  # these were never judged
                    continue
                self.readings += 1
                self.first = self.first or row.ts
                for event in silences.until(row.ts):
                    yield event
                values = {key: _number(value) for key, value in row.v.items()}
                q, intervals = checker.judge(self.meter, row.ts, values, (), limits)
                for event in engine.hear(self.meter, row.ts, row.q | q, values, intervals):
                    yield event
                silences.heard(self.meter)
        for event in silences.until(end):
            yield event


def _number(value: float | str) -> Number:
    if not isinstance(value, str):
        return value
    try:
        return Decimal(value)
    except InvalidOperation:
        return 0
