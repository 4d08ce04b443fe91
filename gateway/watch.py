"""Rules at the hub: each meter's day, once it is judged, is heard by the rules that look at days and bills.

1. `Days` gives each new sheet here, in the order of its meter's days. A sheet's slots are intervals again, and go
   to the same pure rules as at the edge; a later version of a day that was heard is left out, so nothing is told twice.
2. Rules work in a thread of their own. What they remember of a meter, how far it was heard, and the events that came of
   it are then written in one transaction. Whoever is killed before it hears the day again, whoever is killed after it
   does not; where another hub was faster, nothing is written, and the day is heard on top of what that one wrote.
3. A day on which the meter's gateway was away says nothing of the quality of its readings: they are still to come.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, cast

import orjson

from gateway.alerts.calendar import Calendar
from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.life import Life
from gateway.alerts.rule import Rule
from gateway.alerts.rules.data_quality import quality_of
from gateway.alerts.settings import MeterSettings
from gateway.check import Interval
from gateway.check.sheet import Sheet
from gateway.check.slots import RANK
from gateway.config.alerts import AlertsTable
from gateway.hubdb import EnrolledMeter
from gateway.live import LiveMeter
from gateway.notify.costs import Costs
from gateway.outlook import HasMeters, Outlooks
from gateway.remembered import Name, Told, write_event
from gateway.store.contract import StoreError, TryAgain
from gateway.store.database import Database
from gateway.tariff.model import Plan
from gateway.today import Day

VERSION = 1
"""Of what the rules here remember: another number, and they learn anew."""
_TABLE = """CREATE TABLE IF NOT EXISTS watched (
    tenant TEXT NOT NULL, meter TEXT NOT NULL, until INTEGER NOT NULL, state BLOB NOT NULL,
    PRIMARY KEY (tenant, meter)) WITHOUT ROWID"""
_GET = "SELECT until, state FROM watched WHERE tenant = ? AND meter = ?"
_OF_TENANT = "SELECT meter, until, state FROM watched WHERE tenant = ?"
_SET = (
    "INSERT INTO watched VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until, state = excluded.state"
)

_log = logging.getLogger("nabd")

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
        return Costs(self.remembered, self.plan, self.about, self.alerts.tariff_advice.offers, self.calendar)

    def outlooks(self, meters: HasMeters, day: Callable[[LiveMeter], Day | None], tenant: str = "") -> Outlooks:
        """Follow what meters cost, by what the rules remember and what today holds."""
        offers = self.alerts.tariff_advice.offers
        return Outlooks(meters, day, self.remembered, self.plan, self.about, self.calendar, tenant, offers)

    async def remembered(self, tenant: str, meter: str) -> Mapping[str, Any]:
        """Give what the rules remember of a meter, as the engine snapshots it; nothing where nothing is known yet."""

        def work(connection: sqlite3.Connection) -> Mapping[str, Any]:
            row = connection.execute(_GET, (tenant, meter)).fetchone()
            return {} if row is None else _known(row[1])

        try:
            return await self.database.read(work)
        except StoreError:  # no day was heard yet, or the disk refuses: who asks can do without
            return {}

    async def hear(self, tenant: str, meter: EnrolledMeter, sheet: Sheet) -> TryAgain | None:
        """Take a day that was judged; one that was heard before is left out."""
        if not self._open:
            made = await self.open()
            if made is not None:
                return made
            self._open = True
        try:
            heard = await self.database.read(lambda c: _heard(c, tenant, meter.meter))
        except StoreError as error:
            return TryAgain(str(error), after=5.0, loud=True)
        if sheet.start < heard.until:
            return None
        quality = {} if self.absent(tenant, meter.gw, sheet.start, sheet.end) else quality_of(sheet)
        rules = self._rules(tenant, meter)
        events, state = await asyncio.to_thread(_judged, rules, self.calendar, heard, sheet, quality)
        told = [Told(tenant, meter.gw, event) for event in events]
        written = await self.database.write(lambda c: _write(c, (tenant, meter.meter), heard, sheet.end, state, told))
        if isinstance(written, TryAgain):
            return written
        if not written:
            return await self.hear(tenant, meter, sheet)
        for event in events:
            for listener in self.listeners:
                listener(tenant, event)
        return None

    def _rules(self, tenant: str, meter: EnrolledMeter) -> Sequence[Rule]:
        about = self.about(tenant, meter.meter)
        plan = self.plan(meter.info.commodity, about.rating_a)
        return rules_of(self.alerts, self.calendar, about, "hub", plan)


def learn_anew(connection: sqlite3.Connection, tenant: str) -> None:
    """Let the rules forget what is usual at a tenant's, inside the caller's transaction; open alerts live on."""
    connection.execute(_TABLE)
    for meter, until, state in connection.execute(_OF_TENANT, (tenant,)).fetchall():
        with suppress(ValueError):  # what is unreadable is learnt anew in any case
            known = _known(state)
            rules = {name: row for name, row in known.get("rules", {}).items() if Life(*row[1]).seq}
            kept = {"v": VERSION, **known, "rules": rules, "hours": {}, "held": {}}
            connection.execute(_SET, (tenant, meter, until, orjson.dumps(kept)))


class _Heard(NamedTuple):
    """How far a meter was heard (UTC ms), and what the rules remember of it."""

    until: int = 0
    state: bytes = b""


def _heard(connection: sqlite3.Connection, tenant: str, meter: str) -> _Heard:
    row = connection.execute(_GET, (tenant, meter)).fetchone()
    return _Heard() if row is None else _Heard(*row)


def _write(
    connection: sqlite3.Connection, name: Name, before: _Heard, until: int, state: bytes, told: Sequence[Told]
) -> bool:
    """Write what came of a day; False, and nothing, where somebody else wrote since `before` was read."""
    if _heard(connection, *name) != before:
        return False
    for one in told:
        write_event(connection, one)
    connection.execute(_SET, (*name, until, state))
    return True


def _judged(
    rules: Sequence[Rule], calendar: Calendar, heard: _Heard, sheet: Sheet, quality: Mapping[str, float]
) -> tuple[list[AlertEvent], bytes]:
    """Let the rules hear a day on top of what they remember; give the events, and what they remember then."""
    engine = Engine({sheet.meter: rules}, calendar)
    events: list[AlertEvent] = []
    if heard.state:
        try:
            events += engine.restore(sheet.meter, _known(heard.state))
        except (ValueError, KeyError, TypeError) as error:  # written by another version
            _log.warning("what rules remember of %s is unreadable, they learn anew: %r", sheet.meter, error)
            engine = Engine({sheet.meter: rules}, calendar)
    events += _day(engine, sheet, quality)
    return events, orjson.dumps({"v": VERSION, **engine.snapshot(sheet.meter)})


def _known(state: bytes) -> Mapping[str, Any]:
    """Read what the rules remember; nothing of what another version wrote. Raises ValueError."""
    said = orjson.loads(state)
    return cast("Mapping[str, Any]", said) if said.get("v", VERSION) == VERSION else {}


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
