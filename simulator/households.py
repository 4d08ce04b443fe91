"""A home in time: everything its meters could measure, as a pure function of the seed and the moment.

Values are keyed by the names of `drivers.quantities`, in base units. Counters are the exact integral of the rates
(see course.py); what meters see beside them (voltage, current, reactive power) follows from the power of the moment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from math import sin, sqrt, tau
from random import Random
from typing import Literal

from simulator import habits
from simulator.course import Course, Draw, Plan, Totals
from simulator.habits import Home

Channel = Literal["electricity", "water", "gas"]

LINES = ("l1", "l2", "l3")
TAN_PHI = 0.25
"""Reactive for each active power. One value for all loads keeps reactive energy the exact integral of its power."""
POWER_FACTOR = 1 / sqrt(1 + TAN_PHI**2)
IMPEDANCE = 0.15
"""Ohms from transformer to meter: a kettle pulls the voltage down by more than a volt."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A scripted draw on top of the habits: W on `phase` (1 to 3), or l/h, from one unix time to another."""

    channel: Channel
    start: float
    end: float
    rate: float
    phase: int = 1


class Household:
    """One home with its three-phase electricity, its water and its gas."""

    def __init__(self, home: Home, extras: Iterable[Extra] = ()) -> None:
        self._extras = tuple(extras)
        plans = [partial(habits.electricity, home, phase) for phase in range(3)]
        self._phases = [self._course(home, plans[n], home.base[n], "electricity", {n + 1}) for n in range(3)]
        # The sum of the phases has a course of its own: panels on one phase feed the kettle on another.
        whole = lambda day: chain.from_iterable(plan(day) for plan in plans)  # noqa: E731  a plan like the others
        self._whole = self._course(home, whole, sum(home.base), "electricity", {1, 2, 3})
        self._water = self._course(home, partial(habits.water, home), 0.0, "water")
        self._gas = self._course(home, partial(habits.gas, home), 0.0, "gas")
        dice = Random(f"{home.seed} registers")
        self._first = _First(
            imported=tuple(dice.uniform(500_000, 3_000_000) for _ in LINES),
            exported=tuple(dice.uniform(50_000, 500_000) * bool(home.solar) for _ in LINES),
            water=dice.uniform(100_000, 900_000),
            gas=dice.uniform(500_000, 5_000_000),
        )

    def at(self, channel: Channel, time: float) -> dict[str, float]:
        """Give every quantity of a channel at a unix time, in base units."""
        if channel == "electricity":
            return self._electricity(time)
        course, first = (self._water, self._first.water) if channel == "water" else (self._gas, self._first.gas)
        values = {
            f"{channel}_volume": first + course.totals(time).taken,
            f"{channel}_flow": course.rate(time),
        }
        return {**values, "water_volume_reverse": 0.0} if channel == "water" else values

    def _course(self, home: Home, plan: Plan, steady: float, channel: Channel, phases: Iterable[int] = (1,)) -> Course:
        extras = [
            Draw(extra.start, extra.end, extra.rate)
            for extra in self._extras
            if extra.channel == channel and extra.phase in phases
        ]
        return Course(plan, offset=home.offset, steady=steady, extras=extras)

    def _electricity(self, time: float) -> dict[str, float]:
        values = {"frequency": 50 + 0.01 * sin(time / 7) + 0.02 * sin(time / 61)}
        for number, (line, course) in enumerate(zip(LINES, self._phases, strict=True)):
            first = Totals(self._first.imported[number], 0.0, self._first.exported[number], 0.0)
            values |= _named(
                _phase(course.rate(time), time + 100 * number) | _counters(first.plus(course.totals(time))), line
            )
        return values | self._sums(values, time)

    def _sums(self, values: Mapping[str, float], time: float) -> dict[str, float]:
        imported, exported = sum(self._first.imported), sum(self._first.exported)
        first = Totals(0.55 * imported, 0.45 * imported, 0.55 * exported, 0.45 * exported)
        totals = first.plus(self._whole.totals(time))
        power = sum(values[f"power_{line}"] for line in LINES)
        a, b, c = (values[f"current_{line}"] for line in LINES)
        return {
            **_power(power),
            **_counters(totals),
            "low_tariff": float(self._whole.low_tariff(time)),
            "energy_import_t1": totals.taken_low,
            "energy_import_t2": totals.taken_normal,
            "energy_export_t1": totals.given_low,
            "energy_export_t2": totals.given_normal,
            "voltage": values["voltage_l1"],
            "current": abs(power) / POWER_FACTOR / values["voltage_l1"],
            "current_n": sqrt(max(a * a + b * b + c * c - a * b - b * c - c * a, 0.0)),  # 120 degrees apart
        }


@dataclass(frozen=True, slots=True)
class _First:
    """What the registers showed when the meters were put in, in base units."""

    imported: tuple[float, ...]
    exported: tuple[float, ...]
    water: float
    gas: float


def _phase(rate: float, time: float) -> dict[str, float]:
    ripple = 1 + 0.01 * sin(tau * time / 7)  # its mean is nothing, so the counters need not know of it
    power = _power(rate * ripple)
    current = power["apparent_power"] / 230
    grid = 231.5 + 2.5 * sin(tau * time / 5_400) + 0.8 * sin(tau * time / 97) + 0.3 * sin(tau * time / 11)
    voltage = grid - (current if rate >= 0 else -current) * IMPEDANCE
    return {**power, "voltage": voltage, "current": power["apparent_power"] / voltage}


def _power(power: float) -> dict[str, float]:
    return {
        "power": power,
        "power_import": max(power, 0.0),
        "power_export": max(-power, 0.0),
        "apparent_power": abs(power) / POWER_FACTOR,
        "reactive_power": abs(power) * TAN_PHI,
        "power_factor": POWER_FACTOR if power >= 0 else -POWER_FACTOR,
    }


def _counters(totals: Totals) -> dict[str, float]:
    return {
        "energy_import": totals.taken,
        "energy_export": totals.given,
        "reactive_energy_import": (totals.taken + totals.given) * TAN_PHI,
        "reactive_energy_export": 0.0,
    }


def _named(values: Mapping[str, float], line: str) -> dict[str, float]:
    return {f"{name}_{line}": value for name, value in values.items()}
