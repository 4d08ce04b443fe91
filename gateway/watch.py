"""Rules at the hub: each meter's day, once it is judged, is heard by the rules that look at days and bills.

1. `Days` gives each new sheet here, in the order of its meter's days. A sheet's slots are intervals again, and go
   to the same pure rules as at the edge; a later version of a day that was heard is left out, so nothing is told twice.
2. What the rules remember of a meter, how far it was heard, and the events that came of it are written in one
   transaction. Whoever is killed before it hears the day again, whoever is killed after it does not.
3. A day on which the meter's gateway was away says nothing of the quality of its readings: they are still to come.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, cast

import orjson

from gateway.alerts.calendar import Calendar
from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.rules.data_quality import quality_of
from gateway.alerts.settings import MeterSettings
from gateway.check import Interval
from gateway.check.sheet import Sheet
from gateway.check.slots import RANK
from gateway.config.alerts import AlertsTable
from gateway.hubdb import EnrolledMeter
from gateway.notify.costs import Costs
from gateway.outlook import HasMeters, Outlooks
from gateway.remembered import Told, write_event
from gateway.store.contract import TryAgain
from gateway.store.database import Database
from gateway.tariff.model import Plan
from gateway.today import Day

_TABLE = """CREATE TABLE IF NOT EXISTS watched (
    tenant TEXT NOT NULL, meter TEXT NOT NULL, until INTEGER NOT NULL, state BLOB NOT NULL,
    PRIMARY KEY (tenant, meter)) WITHOUT ROWID"""
_GET = "SELECT until, state FROM watched WHERE tenant = ? AND meter = ?"
_SET = (
    "INSERT INTO watched VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until, state = excluded.state"
)

About = Callable[[str, str], MeterSettings]
PlanOf = Callable[[str, float | None], Plan | None]


def nothing(_tenant: str, _meter: str) -> MeterSettings:
    """Know nothing of any meter."""
    return MeterSettings()


@dataclass
class Watch:
    """Hears the days of all meters; `listeners` are told of each event once it is in the database.

    `about` says what is known of a tenant's meter, `plan` what a commodity costs behind a main fuse, `absent` whether a
    tenant's gateway was away in some time (UTC ms).
    """

    database: Database
    alerts: AlertsTable
    calendar: Calendar
    about: About = nothing
    plan: PlanOf = lambda _commodity, _rating_a: None
    listeners: list[Callable[[str, AlertEvent], None]] = field(default_factory=list)
    absent: Callable[[str, str, int, int], bool] = lambda *_: False
    _open: bool = False

    async def open(self) -> TryAgain | None:
        """Make the table where it is missing."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_TABLE)

        return await self.database.write(work)

    def costs(self) -> Costs:
        """Price events by what the rules remember."""
        return Costs(self.remembered, self.plan, self.about, self.alerts.tariff_advice.offers)

    def outlooks(self, meters: HasMeters, day: Callable[[str], Day | None], tenant: str = "") -> Outlooks:
        """Follow what meters cost, by what the rules remember and what today holds."""
        return Outlooks(meters, day, self.remembered, self.plan, self.about, self.calendar, tenant)

    async def remembered(self, tenant: str, meter: str) -> Mapping[str, Any]:
        """Give what the rules remember of a meter, as the engine snapshots it; nothing where nothing is known yet."""

        def work(connection: sqlite3.Connection) -> Mapping[str, Any]:
            row = connection.execute(_GET, (tenant, meter)).fetchone()
            return {} if row is None else cast("Mapping[str, Any]", orjson.loads(row[1]))

        try:
            return await self.database.read(work)
        except sqlite3.Error:  # no day was heard yet, or the disk refuses: who asks can do without
            return {}

    async def hear(self, tenant: str, meter: EnrolledMeter, sheet: Sheet) -> TryAgain | None:
        """Take a day that was judged; one that was heard before is left out."""
        if not self._open:
            made = await self.open()
            if made is not None:
                return made
            self._open = True
        about = self.about(tenant, meter.meter)
        plan = self.plan(meter.info.commodity, about.rating_a)
        rules = rules_of(self.alerts, self.calendar, about, "hub", plan)
        quality = {} if self.absent(tenant, meter.gw, sheet.start, sheet.end) else quality_of(sheet)

        def work(connection: sqlite3.Connection) -> list[AlertEvent]:
            row = connection.execute(_GET, (tenant, meter.meter)).fetchone()
            if row is not None and sheet.start < row[0]:
                return []
            engine = Engine({meter.meter: rules}, self.calendar)
            events = engine.restore(meter.meter, orjson.loads(row[1])) if row is not None else []
            events += _day(engine, sheet, quality)
            for event in events:
                write_event(connection, Told(tenant, meter.gw, event))
            state = orjson.dumps(engine.snapshot(meter.meter))
            connection.execute(_SET, (tenant, meter.meter, sheet.end, state))
            return events

        told = await self.database.write(work)
        if isinstance(told, TryAgain):
            return told
        for event in told:
            for listener in self.listeners:
                listener(tenant, event)
        return None


def _day(engine: Engine, sheet: Sheet, quality: Mapping[str, float]) -> Iterator[AlertEvent]:
    """Let an engine hear a day, slot by slot, and at its end how good it was."""
    for end, together in groupby(sorted(_intervals(sheet), key=attrgetter("end")), key=attrgetter("end")):
        yield from engine.hear(sheet.meter, end, 0, {}, together)
    if quality:
        yield from engine.hear(sheet.meter, sheet.end, 0, quality)
    yield from engine.tick(sheet.end, sheet.meter)


def _intervals(sheet: Sheet) -> Iterator[Interval]:
    """Make intervals of a sheet's slots, and of the whole day where only its total is kept; estimates are left out."""
    for key, track in sheet.tracks.items():
        for slot in track.slots:
            if RANK[slot.grade] > RANK["estimated"]:
                yield Interval(sheet.meter, key, slot.start, slot.end, slot.amount, "good")
    for key, total in sheet.totals.items():
        if key not in sheet.tracks:
            yield Interval(sheet.meter, key, sheet.start, sheet.end, total, "good")
