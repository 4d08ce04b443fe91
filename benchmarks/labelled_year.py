"""Simulated homes of a year: what the rules find of every mishap that was scripted, and how fast a process judges.

1. Each home's registers, flags and panel take the way of a replay, with away mode as its customer switched it.
2. A mishap is found when its rule tells of it while it lasts, or soon after: a register says at the end of a power cut
   what it was. An alert is false when no label asks for it or allows it.
3. The pace is that of check and engine together with all rules, over registers that were read beforehand.
"""

import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from orjson import dumps

from benchmarks.rig import Figure
from gateway.alerts.calendar import Calendar
from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.replay import Replay, Told
from gateway.alerts.series import Mark, Row
from gateway.alerts.settings import MeterSettings, Settings
from gateway.check import Checker, Limits
from gateway.config.alerts import AlertsTable
from simulator.year import Home, Label, homes

ZONE = "Asia/Riyadh"
DAYS = 365
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SEED = 10
PACE = 50_000
SHARES = {
    "water_leak": 0.95, "water_burst": 1.0, "gas_continuous": 1.0, "gas_long_use": 0.75, "high_usage": 0.75,
    "meter_offline": 1.0, "reverse_flow": 0.95, "outage": 0.9, "overload": 1.0, "voltage_quality": 0.95,
    "zero_consumption": 0.95, "baseload_increase": 0.5,
}  # fmt: skip
"""What must be found of each; bases that grow beside large air conditioners are known to be hard,
and a register that was stuck in the week before hides the base load by which a power cut is seen."""
WITH_SUN = "outage, with panels"
"""Without a last gasp such a cut is told as a silence only: panels may have fed the home meanwhile."""
SOON_MS = 2 * HOUR_MS
AFTER_MS = {"baseload_increase": 3 * DAY_MS, "reverse_flow": 6 * HOUR_MS, "high_water_day": DAY_MS}
BEFORE_MS = 900_000
"""A power cut that was told afterwards is told from the last reading on."""
LOST = ("water_leak", "water_burst", "gas_continuous")
"""What is lost so is also flow while nobody is there, and makes a high day."""
SILENT = ("outage", "catch_up", "replacement", "offline")
"""While these last a meter says nothing, so that its silence is told rightly."""
SAFETY = ("water_leak", "water_burst", "gas_continuous", "flow_while_away", "reverse_flow", "outage", "voltage_quality",
          "phase_fault", "overload", "meter_offline", "zero_consumption")  # fmt: skip
USAGE = ("high_usage", "high_water_day", "gas_long_use", "baseload_increase")


def year(count: int) -> list[Figure]:
    """Replay homes of a year, and compare what is told with what happened."""
    planted, found, false = Counter[str](), Counter[str](), Counter[str]()
    usage, away = list[float](), 0
    for home in homes(SEED, count, DAYS, zone=ZONE):
        alerts = list(_replay(home))
        for label in (label for label in home.labels if label.expect in SHARES):
            expected = WITH_SUN if label.expect == "outage" and home.family.solar else label.expect
            planted[expected] += 1
            found[expected] += any(alert.rule == label.expect and _of(alert, label) for alert in alerts)
        unasked = [alert for alert in alerts if not any(_asks(label, alert) for label in home.labels)]
        # The logger at the panel is taken down after three days, and is then silent for good.
        unasked = [a for a in unasked if a.rule != "meter_offline" or a.cleared or not a.meter.endswith("-panel")]
        false.update(alert.rule for alert in unasked)
        usage.append(sum(alert.rule in USAGE for alert in unasked) / DAYS * 30.4)
        away += sum(_while_away(home, alert) for alert in unasked)
    rows = [
        Figure(
            f"year: {rule}",
            f"{found[rule]} of {planted[rule]}",
            f">= {share:.0%}",
            found[rule] >= share * planted[rule],
        )
        for rule, share in SHARES.items()
        if planted[rule]
    ]
    days = count * DAYS
    rows += [
        Figure(
            f"year: {rule}, not asked for",
            f"{false[rule]} in {days} home-days",
            "<= 1 in 250",
            false[rule] <= days / 250,
        )
        for rule in SAFETY
    ]
    mean, middle, most = statistics.mean(usage), statistics.median(usage), max(usage)
    measured = f"mean {mean:.1f}, median {middle:.1f}, most {most:.1f}"
    rows += [
        Figure("year: told of use without a label, a home and month", measured, "<= 2.5", mean <= 2.5),
        Figure("year: told of vacations with away mode", str(away), "0", not away),
    ]
    return rows


def _replay(home: Home) -> Iterable[Told]:
    settings = Settings.model_validate({"meters": home.settings()})
    marks = [Mark(1000 * mark.time, mark.meter, mark.word == "away_on") for mark in home.marks]
    rows = [Row(*row) for row in [*home.rows(), *home.panel]]
    return Replay(ZONE, settings, marks).run(rows)


def _of(alert: Told, label: Label) -> bool:
    """Whether an alert may be of what happened: at its meter, in its time or soon after."""
    begin, end = 1000 * label.start, 1000 * label.end
    after = max(AFTER_MS.get(alert.rule, SOON_MS), SOON_MS)
    return label.params.get("meter", alert.meter) == alert.meter and begin - BEFORE_MS <= alert.raised <= end + after


def _asks(label: Label, alert: Told) -> bool:
    """Whether a label asks for an alert, or explains it."""
    asked = label.expect.removeprefix("may:") == alert.rule
    silent = alert.rule == "meter_offline" and label.kind in SILENT
    flows = label.expect in LOST and alert.rule in ("flow_while_away", "high_water_day")
    return (asked or silent or flows) and _of(alert, label)


def _while_away(home: Home, alert: Told) -> bool:
    """Whether it was told while the customer had said that nobody is there."""
    on = False
    for mark in home.marks:
        if mark.meter == alert.meter and 1000 * mark.time <= alert.raised:
            on = mark.word == "away_on"
    return on


def pace(count: int) -> list[Figure]:
    """Judge the registers of some homes, as often as it takes for a steady figure; the fastest of five."""
    readings: list[tuple[str, int, dict[str, int]]] = []
    for home in homes(SEED, count, DAYS, zone=ZONE):
        for register in home.registers:
            rows = zip(register.times, register.values, strict=True)
            readings += [(register.meter, 1000 * at, {register.key: value}) for at, value in rows]
    readings.sort(key=lambda reading: reading[1])
    meters = sorted({reading[0] for reading in readings})
    took, intervals, size = min(_judged(readings, meters) for _ in range(5))
    rate = intervals / took
    name = f"intervals/s, check and all rules, {len(meters)} meters x 1 year of quarter-hours"
    return [
        Figure(name, f"{rate:,.0f}", f">= {PACE:,}", rate >= PACE),
        Figure("state of the largest meter after that year", f"{size / 1000:.1f} kB", "<= 16 kB", size <= 16_000),
    ]


def _judged(readings: Sequence[tuple[str, int, dict[str, int]]], meters: Sequence[str]) -> tuple[float, int, int]:
    calendar, limits, checker = Calendar(ZONE), Limits(100.0), Checker()
    engine = Engine({m: rules_of(AlertsTable(), calendar, MeterSettings(rating_a=100), None) for m in meters}, calendar)
    count, began = 0, time.process_time()
    for meter, ts, values in readings:
        q, intervals = checker.judge(meter, ts, values, (), limits)
        engine.hear(meter, ts, q, values, intervals)
        count += len(intervals)
    took = time.process_time() - began
    checks = checker.snapshot()
    return took, count, max(len(dumps([engine.snapshot(meter), checks.get(meter)])) for meter in meters)
