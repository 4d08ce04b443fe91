"""Three days of minutes at the panel: power, current, voltage and power factor, with a sag and a swell.

A logger of its own says them (`h001-panel`), since a meter that is read every quarter-hour does not see minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sin, sqrt, tau

from simulator.year.dice import Dice
from simulator.year.label import Label, Row, Span, label_of
from simulator.year.series import MINUTE, PER_UNIT

NOMINAL = 230.0
IMPEDANCE = 0.12
"""Ohms from transformer to panel: 60 A pull the voltage down by 7 V."""
DAY = 86_400


@dataclass(frozen=True)
class Panel:
    """Volts of the grid before the home's own load, and W taken (given: negative), one of each a minute."""

    meter: str
    start: int
    volts: list[float]
    watts: list[float]
    tan_phi: float


def panel(meter: str, span: Span, parts: list[int], tan_phi: float, dice: Dice) -> Panel:
    """Begin with a healthy grid; `parts` are the home's minutes as in series.py, export negative."""
    volts = [
        238 + 4 * sin(tau * (n * MINUTE / DAY + 0.3)) + 1.5 * sin(tau * n / 97) + dice.uniform(-1, 1)
        for n in range(len(parts))
    ]
    return Panel(meter, span.start, volts, [60 * minute / PER_UNIT for minute in parts], tan_phi)


def sag(seen: Panel, span: Span, *, share: float) -> tuple[Panel, Label]:
    """Let the grid's voltage dip to a share of 230 V."""
    return _held(seen, span, share), label_of(seen.meter, "sag", span, "voltage_quality", share=share)


def swell(seen: Panel, span: Span, *, share: float) -> tuple[Panel, Label]:
    """Let the grid's voltage rise to a share of 230 V."""
    return _held(seen, span, share), label_of(seen.meter, "swell", span, "voltage_quality", share=share)


def rows(seen: Panel, dice: Dice) -> Iterator[Row]:
    """Say what the panel shows, in order of time."""
    for n, (grid, watts) in enumerate(zip(seen.volts, seen.watts, strict=True)):
        moment = 1000 * (seen.start + MINUTE * (n + 1))
        tan = seen.tan_phi * dice.uniform(0.3, 1.2)
        factor = 1 / sqrt(1 + tan * tan)
        volts = grid - watts / NOMINAL * IMPEDANCE
        yield Row(moment, seen.meter, "power_w", round(watts))
        yield Row(moment, seen.meter, "voltage_l1_v", round(volts, 1))
        yield Row(moment, seen.meter, "current_l1_a", round(abs(watts) / factor / volts, 2))
        yield Row(moment, seen.meter, "power_factor", round(factor, 3))


def _held(seen: Panel, span: Span, share: float) -> Panel:
    volts = [
        share * NOMINAL if span.start <= seen.start + MINUTE * n < span.end else volt
        for n, volt in enumerate(seen.volts)
    ]
    return Panel(seen.meter, seen.start, volts, seen.watts, seen.tan_phi)
