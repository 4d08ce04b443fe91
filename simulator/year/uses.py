"""Uses that nobody wants: each takes what a meter sees in minutes, and gives it changed, with the label."""

from collections.abc import Iterator

from simulator.course import Draw
from simulator.year.dice import Dice
from simulator.year.label import Label, Span, label_of
from simulator.year.series import Series

Told = tuple[Series, Label]


def leak(water: Series, span: Span, *, lph: float) -> Told:
    """Let water leak at so many litres an hour, day and night."""
    return water.plus([Draw(*span, lph)]), label_of(water.meter, "leak", span, "water_leak", lph=lph)


def running_toilet(water: Series, span: Span, *, litres: float, seed: int) -> Told:
    """Let a cistern that does not close fill again and again, every twenty to fifty minutes."""

    def fills() -> Iterator[Draw]:
        dice, moment = Dice(f"{seed} toilet"), float(span.start)
        while moment < span.end:
            yield Draw(moment, min(moment + 60, span.end), litres * 60)
            moment += dice.uniform(1_200, 3_000)

    label = label_of(water.meter, "running_toilet", span, "water_leak", litres=litres)
    return water.plus(fills()), label


def burst(water: Series, span: Span, *, lpm: float) -> Told:
    """Let a pipe break: so many litres a minute until somebody closes the valve."""
    return water.plus([Draw(*span, lpm * 60)]), label_of(water.meter, "burst", span, "water_burst", lpm=lpm)


def gas_left_on(gas: Series, span: Span, *, lph: float) -> Told:
    """Leave a burner on."""
    return gas.plus([Draw(*span, lph)]), label_of(gas.meter, "left_on", span, "gas_long_use", lph=lph)


def gas_leak(gas: Series, span: Span, *, lph: float) -> Told:
    """Let a little gas flow without end, as a pilot or a joint that leaks does."""
    return gas.plus([Draw(*span, lph)]), label_of(gas.meter, "gas_leak", span, "gas_continuous", lph=lph)


def high_use(main: Series, span: Span, *, kw: float) -> Told:
    """Let something big run that never ran at that time."""
    return main.plus([Draw(*span, kw * 1000)]), label_of(main.meter, "high_use", span, "high_usage", kw=kw)


def base_up(main: Series, span: Span, *, kw: float) -> Told:
    """Let something run day and night that did not before."""
    return main.plus([Draw(*span, kw * 1000)]), label_of(main.meter, "base_up", span, "baseload_increase", kw=kw)


def overload(main: Series, span: Span, *, amps: float) -> Told:
    """Let a load of so many amperes come on top of all others; `amps` belongs above the main fuse's rating."""
    return main.plus([Draw(*span, amps * 230)]), label_of(main.meter, "overload", span, "overload", amps=amps)


def bypass(main: Series, span: Span, *, percent: int) -> Told:
    """Lead part of the current around the meter; the cover that was opened for it shows as a flag."""
    label = label_of(main.meter, "bypass", span, "may:tamper", percent=percent)
    return main.scaled(*span, 100 - percent, 100), label


def power_cut(main: Series, span: Span) -> Series:
    """Let nothing be used while there is no power; faults.outage silences the meters."""
    return main.scaled(*span, 0, 1)
