"""Rules: what they find in labelled, real and simulated homes, and how often they cry wolf.

1. The labelled series (labelled_rows.py): leaks, bursts, gas, high use, and what must not be told.
2. Real homes: how often high use is told by nature, and how many of seeded events of 3 kW for six hours are.
3. Simulated homes of a year (labelled_year.py): every mishap of the simulator, and how fast a process judges.
"""

import random
import statistics
from collections.abc import Iterable, Sequence

from benchmarks import labelled_rows as rows_of
from benchmarks.labelled_rows import Happened
from benchmarks.labelled_year import pace, year
from benchmarks.rig import Figure
from gateway.alerts.calendar import Calendar
from gateway.alerts.engine import Engine
from gateway.alerts.replay import Replay, Silences, Told, told
from gateway.alerts.rules.high_usage import HighUsage
from gateway.alerts.rules.silence import Silence
from gateway.alerts.series import Row
from gateway.alerts.settings import Settings
from gateway.check import Checker, Limits

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
MONTH = 30.4
USAGE = ("high_usage", "baseload_increase", "zero_consumption", "high_water_day", "gas_long_use")
"""What is told of use, not of danger, theft or devices."""
MORE_WH, MORE_HOURS = 3000.0, 6
APART = 57
"""Days between two events put into a home: none of them may raise the threshold of the next."""


def full() -> list[Figure]:
    """Measure everything, with forty homes of a year."""
    return _series(runs=4) + year(40) + pace(7)


def quick() -> list[Figure]:
    """Measure with fewer homes."""
    return _series(runs=1) + year(4) + pace(2)


def _series(runs: int) -> list[Figure]:
    if not rows_of.there():
        return [Figure("labelled and real homes", "not measured", "NABD_SERIES names the series' folder", True)]
    return water() + gas() + electricity() + french() + high_use(runs)


def water() -> list[Figure]:
    """Replay the labelled water homes, whose customers say when they are away."""
    labels = rows_of.labels("water")
    alerts = Replay(marks=rows_of.away(labels)).run(rows_of.labelled_water())
    leaks = [label for label in labels if label.kind == "leak"]
    leak, late, false = _score(leaks, alerts, "water_leak")
    broken = [label for label in labels if label.kind == "burst"]
    bursts, latest, more = _score(broken, alerts, "water_burst")
    usual = [alert for alert in alerts if alert.rule not in ("water_leak", "water_burst")]
    others = [label for label in labels if label.expect in {alert.rule for alert in usual}]
    away = [label for label in labels if "away=1" in label.params]
    unasked = [a for a in alerts if any(_within(a, span) for span in away) and not _meant(a, labels)]
    return [
        _found("leaks", leak, len(leaks), 0.95),
        _late("leaks found after", late, 26),
        Figure("false leaks in 252 home-days", str(len(false)), "<= 1", len(false) <= 1),
        _found("bursts", bursts, len(broken), 1.0),
        _late("bursts found after", latest, 0.75),
        Figure("false bursts beside two weeks of irrigation", str(len(more)), "<= 4", len(more) <= 4),
        _found("silence, stuck, reverse", sum(_told(label, alerts) for label in others), len(others), 1.0),
        Figure("told of vacations with away mode", str(len(unasked)), "0", not unasked),
        _rate("high_water_day a home and month", _counts(alerts, ("sa", "sb", "sc"), 84, ("high_water_day",))),
    ]


def gas() -> list[Figure]:
    """Replay the labelled gas home, and a real one of sixteen months."""
    labels, alerts = rows_of.labels("gas"), Replay().run(rows_of.labelled_gas())
    leaks, late, false = _score(_expecting(labels, "gas_continuous"), alerts, "gas_continuous")
    left, hours, more = _score(_expecting(labels, "gas_long_use"), alerts, "gas_long_use")
    natural = Replay().run(rows_of.real_gas())
    return [
        _found("gas that never stops", leaks, 2, 1.0),
        _late("gas that never stops found after", late, 50),
        _found("gas left on", left, 1, 1.0),
        _late("gas left on found after", hours, 50),
        Figure("false alarms of gas, 4 labelled months", str(len(false) + len(more)), "0", not false and not more),
        Figure("alarms of gas, 16 real months", str(len(natural)), "<= 2", len(natural) <= 2),
    ]


def electricity() -> list[Figure]:
    """Replay the labelled electricity homes; the third has a solar plant."""
    labels = rows_of.labels("elec")
    settings = Settings.model_validate({"meters": {"h05": {"pv": True}}})
    rows = rows_of.labelled_electricity()
    alerts = Replay(settings=settings).run(rows)
    kinds = ("outage", "base_up", "stuck")
    # What runs at the hub is replayed as well: `nabd alerts replay` knows all rules.
    planted = [label for label in labels if label.kind in kinds]
    high = [label for label in labels if label.kind == "high_use"]
    reverse = [alert for alert in alerts if alert.rule == "reverse_flow"]
    without = [alert for alert in Replay().run(rows) if alert.rule == "reverse_flow"]
    return [
        _found("outage, base load, stuck register", sum(_told(label, alerts) for label in planted), len(planted), 1.0),
        _found("labelled high use", sum(_told(label, alerts) for label in high), len(high), 0.75),
        Figure("export told with the plant known, and unknown", f"{len(reverse)}, {len(without)}", "0, >= 1",
               not reverse and bool(without)),
    ]  # fmt: skip


def french() -> list[Figure]:
    """Replay a real home's minutes of ten days, and the silences of its logger in two years."""
    alerts = Replay().run(rows_of.french_minutes())
    voltage = [alert for alert in alerts if alert.rule in ("voltage_quality", "phase_fault")]
    gaps = rows_of.gaps_of_french_readings()
    engine = Engine({"fr-1": [Silence()]})
    silences, events, before, real = Silences(engine), [], 0, list[tuple[int, int]]()
    for ts in rows_of.french_readings():
        events += [*silences.until(ts), *engine.hear("fr-1", ts, 0, {})]
        silences.heard("fr-1")
        if before and ts - before > 900_000:
            real.append((before, ts))
        before = ts
    found = told(events)
    hit = sum(any(start <= alert.raised <= end for alert in found) for start, end in gaps)
    false = [alert for alert in found if not any(start <= alert.raised <= end for start, end in real)]
    return [
        Figure("alarms of voltage, ten days of a sound grid", str(len(voltage)), "0", not voltage),
        _found("silences of half an hour and more", hit, len(gaps), 1.0),
        Figure("told of shorter silences than a quarter of an hour", str(len(false)), "0", not false),
    ]


def high_use(runs: int) -> list[Figure]:
    """Count what is told in real homes as they are, and of what was put into them."""
    natural, planted, found, delays = dict[str, float](), 0, 0, list[float]()
    for name, rows in rows_of.real_homes():
        days = (rows[-1].ts - rows[0].ts) / DAY_MS
        alerts = Replay().run(rows)
        natural[name] = sum(alert.rule in USAGE for alert in alerts) / days * MONTH
        for run in range(runs):
            dice = random.Random(f"{name} {run}")
            begins = _begins(rows, dice)
            raised = [alert.raised for alert in _high_usage(_with(rows, begins))]
            for begin in begins:
                planted += 1
                # It is seen in the hours it lasts, and in the two after that its score is made of.
                first = next((at for at in raised if begin < at <= begin + (MORE_HOURS + 2) * HOUR_MS), None)
                found += first is not None
                delays += [(first - begin) / HOUR_MS] if first else []
    share = found / planted
    delay = f"after {statistics.median(delays):.0f} h" if delays else ""
    return [
        Figure("+3 kW for 6 h in real homes", f"{found} of {planted}, {share:.0%}, {delay}", ">= 75 %", share >= 0.75),
        _rate("told of use, a real home and month", natural),
    ]


def _begins(rows: Sequence[Row], dice: random.Random) -> list[int]:
    """Throw when more is used: after eight weeks, and so far apart that each finds the home as it is."""
    now, begins = rows[0].ts + 56 * DAY_MS, list[int]()
    while (now := now + round(dice.uniform(1, 7) * 24) * HOUR_MS) < rows[-1].ts - DAY_MS:
        begins.append(now - now % HOUR_MS)
        now += APART * DAY_MS
    return begins


def _with(rows: Sequence[Row], begins: Sequence[int]) -> list[Row]:
    """Add the energy of all events to a register."""
    return [row._replace(value=row.value + sum(_more(row.ts - begin) for begin in begins)) for row in rows]


def _more(passed: int) -> float:
    return MORE_WH * min(max(passed / HOUR_MS, 0), MORE_HOURS)


def _high_usage(rows: Sequence[Row]) -> list[Told]:
    """Judge one home by this rule alone."""
    meter, limits = rows[0].meter, Limits()
    checker, engine, events = Checker(), Engine({meter: [HighUsage()]}, Calendar()), []
    for ts, _, key, value in rows:
        q, intervals = checker.judge(meter, ts, {key: value}, (), limits)
        events += engine.hear(meter, ts, q, {key: value}, intervals)
    return told(events)


def _score(labels: Sequence[Happened], alerts: Iterable[Told], rule: str) -> tuple[int, float, list[Told]]:
    """Give how many of the labels were told, the longest delay in hours, and the alerts that no label asks for."""
    left, found, late = [alert for alert in alerts if alert.rule == rule], 0, 0.0
    for label in labels:
        hits = [alert for alert in left if _within(alert, label)]
        if hits:
            found += 1
            late = max(late, (hits[0].raised - label.start) / HOUR_MS)
            left = [alert for alert in left if alert not in hits]
    return found, late, left


def _within(alert: Told, label: Happened) -> bool:
    return alert.meter == label.home and label.start <= alert.raised <= label.end + 2 * HOUR_MS


def _told(label: Happened, alerts: Iterable[Told]) -> bool:
    return any(alert.rule == label.expect and _until_day(alert, label) for alert in alerts)


def _until_day(alert: Told, label: Happened) -> bool:
    """A base load is told a day after its week."""
    return alert.meter == label.home and label.start <= alert.raised <= label.end + 2 * DAY_MS


def _meant(alert: Told, labels: Iterable[Happened]) -> bool:
    """What is told of a leak while nobody is there is asked for, by whatever rule."""
    return any(label.expect != "none" and _within(alert, label) for label in labels)


def _expecting(labels: Iterable[Happened], rule: str) -> list[Happened]:
    return [label for label in labels if label.expect == rule]


def _counts(alerts: Iterable[Told], homes: Iterable[str], days: float, rules: Sequence[str]) -> dict[str, float]:
    told_of = [alert for alert in alerts if alert.rule in rules]
    return {home: sum(alert.meter == home for alert in told_of) / days * MONTH for home in homes}


def _rate(name: str, by_home: dict[str, float]) -> Figure:
    rates = list(by_home.values())
    mean, middle, most = statistics.mean(rates), statistics.median(rates), max(by_home, key=lambda home: by_home[home])
    measured = f"mean {mean:.1f}, median {middle:.1f}, most {by_home[most]:.1f} ({most})"
    return Figure(name, measured, "<= 2.5", mean <= 2.5)


def _found(name: str, found: int, of: int, share: float) -> Figure:
    return Figure(f"found: {name}", f"{found} of {of}", f">= {share:.0%}", found >= share * of)


def _late(name: str, hours: float, target: float) -> Figure:
    return Figure(name, f"{hours:.1f} h at the most", f"<= {target:g} h", hours <= target)
