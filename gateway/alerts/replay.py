"""`nabd alerts replay`: what the edge would have told, had it read the meters of a CSV file.

1. Rows `time,meter,quantity,value` (base units) are put in the order of their times; those of one meter and time are
   one reading. A time without a zone is in the zone given.
2. They take the way of every reading: check, then engine. In between, time passes from one due moment to the next.
3. One line an alert: its whole life in one row, in the order of their beginnings; with tariffs, what it costs.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from heapq import heappop, heappush
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent, Severity
from gateway.alerts.life import RANK
from gateway.alerts.rule import Rule
from gateway.alerts.rules.billing import REGISTERS
from gateway.alerts.series import Mark, ReplayError, Row, load_marks, load_rows, load_settings
from gateway.alerts.settings import MeterSettings, Settings
from gateway.check import Checker, Limits
from gateway.config.alerts import AlertsTable
from gateway.notify.costs import bill_in, costs_in
from gateway.tariff.errors import TariffError
from gateway.tariff.file import load, load_file
from gateway.tariff.model import Plan, Tariff

__all__ = ["Replay", "ReplayError", "Told", "lines", "told"]

NO_COSTS: Mapping[str, float] = {}


@dataclass
class Told:
    """One alert from its beginning to its end; times in UTC ms, `cost` None without a tariff."""

    rule: str
    meter: str
    raised: int
    cleared: int | None
    severity: Severity
    value: float | None
    baseline: float | None
    unit: str
    cost: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the row as contracts 8 has it."""
        cleared = None if self.cleared is None else shown(self.cleared)
        return vars(self) | {"raised": shown(self.raised), "cleared": cleared}


@dataclass
class Replay:
    """A gateway of the meters in the file, without a gateway."""

    zone: str = "UTC"
    settings: Settings = field(default_factory=Settings)
    marks: Sequence[Mark] = ()
    alerts: AlertsTable = field(default_factory=AlertsTable)
    tariffs: Sequence[Tariff] = ()
    costs: dict[str, float] = field(default_factory=dict)

    def run(self, rows: Iterable[Row]) -> list[Told]:
        """Replay rows in any order; give the alerts in the order they were raised."""
        return told(self.events(rows), self.costs)

    def events(self, rows: Iterable[Row]) -> Iterator[AlertEvent]:
        """Replay rows in any order; give every event as it comes, and note in `costs` what it costs, by its key."""
        ordered = sorted(rows, key=lambda row: row[:2])
        plans = self._plans(ordered)
        calendar = self.alerts.calendar.of(self.zone)

        def rules(meter: str, about: MeterSettings) -> list[Rule]:
            return rules_of(self.alerts, calendar, about, None, plans.get(meter))

        meters = sorted({row.meter for row in ordered})
        engine = Engine({meter: rules(meter, self.settings.of(meter)) for meter in meters}, calendar)
        for event in self._pass(engine, ordered, rules):
            plan = plans.get(event.meter)
            if plan is not None:
                costs = costs_in(event, plan, bill_in(plan, engine.snapshot(event.meter)))
                cost = next(iter(costs.values()), None)
                self.costs |= {event.key: round(float(cost), 2)} if cost is not None else {}
            yield event

    def _plans(self, rows: Iterable[Row]) -> dict[str, Plan]:
        """Give what each meter's use costs, by the registers it has."""
        plans: dict[str, Plan] = {}
        registers = {REGISTERS[one.commodity]: one for one in self.tariffs}
        for meter, key in sorted({(row.meter, row.key) for row in rows if row.key in registers}):
            rating = self.settings.of(meter).rating_a
            plans[meter] = Plan(registers[key], 1, None if rating is None else Decimal(str(rating)))
        return plans

    def _pass(
        self, engine: Engine, ordered: Sequence[Row], rules: Callable[[str, MeterSettings], list[Rule]]
    ) -> Iterator[AlertEvent]:
        limits = {m: Limits(self.settings.of(m).rating_a, self.settings.of(m).limits) for m in engine.meters}
        checker, silences = Checker(), Silences(engine)
        marks = deque(sorted(self.marks))
        for (ts, meter), group in groupby(ordered, key=lambda row: row[:2]):
            while marks and marks[0].ts <= ts:
                mark = marks.popleft()
                if mark.meter in limits:
                    yield from silences.until(mark.ts)
                    about = self.settings.of(mark.meter).model_copy(update={"away": mark.away})
                    yield from engine.change(mark.meter, rules(mark.meter, about))
                    silences.heard(mark.meter)
            yield from silences.until(ts)
            values = {row.key: row.value for row in group}
            q, intervals = checker.judge(meter, ts, values, (), limits[meter])
            yield from engine.hear(meter, ts, q, values, intervals)
            silences.heard(meter)


class Silences:
    """Lets time pass for an engine: looks exactly when something may happen, however many meters there are."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._due: list[tuple[int, str]] = []

    def heard(self, meter: str) -> None:
        """Note that a meter spoke, so that its next silence counts from now."""
        if (moment := self._engine.due(meter)) is not None:
            heappush(self._due, (moment, meter))

    def until(self, now: int) -> Iterator[AlertEvent]:
        """Pass all moments before `now` (UTC ms)."""
        while self._due and self._due[0][0] < now:
            moment, meter = heappop(self._due)
            if self._engine.due(meter) == moment:  # else it has spoken since
                yield from self._engine.tick(moment, meter)
                self.heard(meter)


def told(events: Iterable[AlertEvent], costs: Mapping[str, float] = NO_COSTS) -> list[Told]:
    """Fold events into alerts: the worst severity, the last value and cost told while it was open, the end."""
    alerts: dict[str, Told] = {}
    for event in events:
        if event.id not in alerts:
            alerts[event.id] = Told(
                event.rule, event.meter, event.raised, None, event.severity, event.value, event.baseline, event.unit
            )
        alert = alerts[event.id]
        alert.cleared = event.cleared
        if RANK[event.severity] > RANK[alert.severity]:
            alert.severity = event.severity
        if event.open:
            alert.value, alert.baseline, alert.cost = event.value, event.baseline, costs.get(event.key)
    return sorted(alerts.values(), key=lambda alert: (alert.raised, alert.meter, alert.rule))


def shown(ts: int) -> str:
    """Write UTC ms as 2026-01-20T07:12:00Z, with milliseconds where there are some."""
    moment = datetime.fromtimestamp(ts / 1000, UTC)
    return moment.isoformat(timespec="milliseconds" if ts % 1000 else "seconds").replace("+00:00", "Z")


def lines(
    file: Path,
    zone: str = "UTC",
    settings: Path | None = None,
    events: Path | None = None,
    *,
    tariffs: Iterable[str] = (),
    as_json: bool = False,
) -> Iterator[str]:
    """Replay a file and write one line an alert, as JSON or as a table; raises ReplayError before the first."""
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ReplayError(None, 0, f"there is no time zone {zone[:40]!r}", "such as Asia/Riyadh") from None
    rows = load_rows(file, zone)
    known = load_settings(settings) if settings else Settings()
    marks = load_marks(events, zone) if events else []
    try:
        priced = [load_file(Path(name)) if name.endswith(".toml") else load(name) for name in tariffs]
    except TariffError as error:
        raise ReplayError(None, 0, f"tariff {error}") from None
    alerts = [alert.to_dict() for alert in Replay(zone, known, marks, tariffs=priced).run(rows)]
    return (orjson.dumps(alert).decode() for alert in alerts) if as_json else table(alerts)


def table(alerts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write alerts for people."""
    yield f"{'raised':20}  {'cleared':20}  {'severity':8}  {'rule':16}  {'meter':20}  value"
    for row in alerts:
        value = "" if row["value"] is None else f"{row['value']:g} {row['unit']}"
        yield (
            f"{row['raised']:20}  {row['cleared'] or 'open':20}  {row['severity']:8}  {row['rule']:16}  "
            f"{row['meter']:20}  {value}"
        )
