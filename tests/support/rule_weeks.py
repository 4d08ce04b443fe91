"""Weeks of four meters in which every rule has something to tell, from a seed; and how they are judged.

1. `main` counts electricity each quarter of an hour: 44 days, with use that is unusual, a register that sticks, a power
   cut, export at noon, and a base load that grows. `water` and `gas` beside it: leak, burst, a high day; a pipe that
   leaks, a cooker left on. `cabin` is water of a home whose people are away.
2. `panel` is read each minute for six hours: overload, dip, lost phase, demand, power factor, clock, flags, silence.
"""

import random
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from gateway.alerts.calendar import Calendar
from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.rules.meter_clock import KEY as METER_CLOCK
from gateway.alerts.settings import MeterSettings
from gateway.check import Checker, Limits
from gateway.config.alerts import AlertsTable

START = 1_795_219_200_000 // 86_400_000 * 86_400_000
MINUTE, QUARTER, HOUR, DAY = 60_000, 900_000, 3_600_000, 86_400_000
DAYS = 44
QUARTERS = 96
ABOUT = {"panel": MeterSettings(rating_a=40.0), "cabin": MeterSettings(away=True)}
METERS = ("main", "water", "gas", "cabin", "panel")
LIMITS = Limits(100.0)


class Said(NamedTuple):
    """A reading: UTC ms, meter, values, flags."""

    ts: int
    meter: str
    values: Mapping[str, float]
    status: tuple[str, ...] = ()


def weeks(seed: int, start: int = START) -> list[Said]:
    """Give all readings in order of time."""
    dice = random.Random(seed)
    rows = [*_main(dice), *_water(dice), *_gas(dice), *_cabin(), *_panel()]
    return sorted([row._replace(ts=row.ts + start) for row in rows], key=lambda row: row[:2])


def at(day: int, hour: float) -> int:
    """Number a quarter of an hour."""
    return day * QUARTERS + round(hour * 4)


def _main(dice: random.Random) -> Iterable[Said]:
    use = [dice.uniform(60, 90) + (150 if 17 <= n % QUARTERS / 4 < 22 else 0) for n in range(DAYS * QUARTERS)]
    _add(use, at(19, 9), at(19, 15), 1000)  # 4 kW for six hours
    _add(use, at(30, 0), len(use), 60)  # 240 W day and night
    dark, stuck = range(at(22, 10), at(22, 16)), range(at(25, 0), at(26, 6))
    taken, given = 100_000.0, 5_000.0
    for n, amount in enumerate(use, start=1):
        taken += 0 if n in dark or n in stuck else amount
        given += 100 if at(15, 11) <= n < at(15, 14) else 0
        if n not in dark:
            yield Said(n * QUARTER, "main", {"energy_import_wh": round(taken), "energy_export_wh": given})


def _water(dice: random.Random) -> Iterable[Said]:
    use = [0] * (DAYS * QUARTERS)
    for day in range(DAYS):
        for _ in range(20):
            use[at(day, dice.uniform(6, 23))] += dice.randint(2, 12)
    _add(use, at(21, 8), at(23, 8), 2)
    _add(use, at(28, 10), at(28, 13), 300)  # 20 l/min
    for n in range(at(18, 8), at(18, 20), 2):
        use[n] += 20
    shown = 50_000
    for n, litres in enumerate(use, start=1):
        shown += litres
        # At the end of a calm day the meter runs backwards by seven litres, and goes on from there.
        yield Said(n * QUARTER, "water", {"water_volume_l": shown - (7 if n >= at(40, 2) else 0)})


def _gas(dice: random.Random) -> Iterable[Said]:
    use = [0] * (DAYS * QUARTERS)
    for day in range(DAYS):
        for hour in (7, 12, 19):
            use[at(day, hour + dice.uniform(0, 0.5))] += dice.randint(30, 90)
    _add(use, at(16, 0), at(18, 12), 3)
    _add(use, at(24, 13), at(24, 19), 60)
    shown = 20_000
    for n, litres in enumerate(use, start=1):
        shown += litres
        yield Said(n * QUARTER, "gas", {"gas_volume_l": shown})


def _cabin() -> Iterable[Said]:
    for n in range(1, 5 * QUARTERS):
        drip = max(0, min(40, n - at(2, 12)))
        yield Said(n * QUARTER, "cabin", {"water_volume_l": 9000 + drip})


def _panel() -> Iterable[Said]:
    for n in range(1, 6 * 60):
        if 230 <= n < 260:
            continue
        amps, volts, active = 10.0, [230.0, 231.0, 229.0], 2000.0
        if 20 <= n < 30:
            amps = 44.0
        if 50 <= n < 60:
            volts[0] = 195.0
        if 80 <= n < 90:
            volts[2] = 0.0
        if 120 <= n < 180:
            active = 9000.0
        yield Said(
            n * MINUTE,
            "panel",
            {
                "current_l1_a": amps, "power_w": active, "reactive_power_var": active * (1.2 if n > 60 else 0.1),
                "battery_left_s": 86_400.0 * (200 if n < 100 else 100),
                **{f"voltage_l{phase}_v": volt for phase, volt in enumerate(volts, start=1)},
                METER_CLOCK: 30.0 if 200 <= n < 220 else 0.0,
            },
            ("tamper",) if 140 <= n < 150 else (),
        )  # fmt: skip


def _add(use: list[Any], first: int, last: int, more: float) -> None:
    for n in range(first, min(last, len(use))):
        use[n] += more


class Judge:
    """A check and an engine of all rules over these meters; can go on from what it remembers, as a gateway does."""

    def __init__(self, calendar: Calendar | None = None) -> None:
        """Begin with nothing known."""
        table = AlertsTable.model_validate({"demand_limit": {"limit": 4000.0}, "low_power_factor": {"enabled": True}})
        self._calendar = calendar or Calendar()
        self._rules = {
            meter: rules_of(table, self._calendar, ABOUT.get(meter, MeterSettings()), None) for meter in METERS
        }
        self.engines = {meter: self._new(meter) for meter in METERS}
        self.checker = Checker()

    def _new(self, meter: str) -> Engine:
        return Engine({meter: self._rules[meter]}, self._calendar)

    @property
    def names(self) -> set[str]:
        """The rules there are."""
        return {rule.name for rules in self._rules.values() for rule in rules}

    def written(self, meter: str) -> bytes:
        """Write down what is remembered of a meter."""
        return orjson.dumps([self.engines[meter].snapshot(meter), self.checker.snapshot().get(meter, {})])

    def restart(self, meter: str) -> None:
        """Go on from what is written down of a meter alone."""
        state, checks = orjson.loads(self.written(meter))
        self.engines[meter] = self._new(meter)
        self.checker = Checker(self.checker.snapshot() | {meter: checks})
        assert self.engines[meter].restore(meter, state) == []

    def hear(self, row: Said) -> list[AlertEvent]:
        """Let time pass, then take a reading."""
        told = self.pass_time(row)
        q, intervals = self.checker.judge(row.meter, row.ts, row.values, row.status, LIMITS)
        return told + self.engines[row.meter].hear(row.meter, row.ts, q, row.values, intervals, row.status)

    def pass_time(self, row: Said) -> list[AlertEvent]:
        """Look at the time when something is due at this meter."""
        told: list[AlertEvent] = []
        engine = self.engines[row.meter]
        while (moment := engine.due(row.meter)) is not None and moment < row.ts:
            told += engine.tick(moment, row.meter)
        return told


def judged(rows: Iterable[Said], calendar: Calendar | None = None) -> list[AlertEvent]:
    """Judge readings as they come."""
    judge = Judge(calendar)
    return [event for row in rows for event in judge.hear(row)]


def alerts(events: Iterable[AlertEvent]) -> list[tuple[str, str, int]]:
    """Give what was raised: rule, meter, when."""
    return [(event.rule, event.meter, event.raised) for event in events if event.state == "raised"]
