"""Lets a script happen: first what changes the use, then what a meter makes of it, then what the panel sees."""

from collections.abc import Iterable
from dataclasses import replace

from simulator.year import faults, uses
from simulator.year.dice import Dice
from simulator.year.label import Label, Row, Span
from simulator.year.panel import panel, rows, sag, swell
from simulator.year.script import DAY, FAULTS, HOUR, USES, Event
from simulator.year.series import MINUTE, Register, Series

WAKING = (7, 22)
EVENING = (20, 23)
"""Panels on the roof would hide an overload from the main fuse."""
FALLS_ALONE = "reverse"
"""Of a meter's two registers only the first runs backwards; all other faults are the meter's."""


def used(series: Series, events: Iterable[Event], rating: int) -> tuple[Series, list[Label]]:
    """Let the mishaps of one meter that change what is used happen; `rating` is the main fuse in A."""
    labels = []
    for event in events:
        if event.kind == "panel":
            dice = event.dice("overload")
            begin = event.span.start + DAY + _minute_between(dice, *EVENING)
            span = Span(begin, begin + dice.randint(6, 15) * MINUTE)
            series, label = uses.overload(series, span, amps=round(rating * dice.uniform(1.05, 1.2)))
            # The currents of its minutes are what the panel tells.
            labels.append(replace(label, params=label.params | {"meter": series.meter.replace("main", "panel")}))
        elif event.kind in USES:
            series, label = USES[event.kind](series, event.span, event.dice())
            labels.append(label)
    return series, labels


def shown(
    registers: list[Register], events: Iterable[Event], cuts: Iterable[Span]
) -> tuple[list[Register], list[Label]]:
    """Let the faults of one meter happen to all of its registers; each is labelled once. `cuts` are outages."""
    labels = []
    for event in events:
        if event.kind in FAULTS:
            told = [FAULTS[event.kind](register, event.span, event.dice()) for register in registers]
            labels.append(told[0][1])
            registers = [told[0][0], *(registers[1:] if event.kind == FALLS_ALONE else [now for now, _ in told[1:]])]
    for cut in cuts:
        dark = [faults.outage(register, cut) for register in registers]
        labels.append(dark[0][1])
        registers = [register for register, _ in dark]
    return registers, labels


def at_panel(meter: str, taken: Series, given: Series, event: Event, tan_phi: float) -> tuple[list[Row], list[Label]]:
    """Give three days of minutes, with a sag on the first and a swell on the third; the overload is on the second."""
    first, last = ((moment - taken.start) // MINUTE for moment in event.span)
    parts = [use - sun for use, sun in zip(taken.minutes[first:last], given.minutes[first:last], strict=True)]
    dice = event.dice()
    low, high = (
        Span(begin, begin + dice.randint(6, 20) * MINUTE)
        for begin in (event.span.start + day * DAY + _minute_between(dice, *WAKING) for day in (0, 2))
    )
    seen = panel(meter, event.span, parts, tan_phi, dice)
    seen, dip = sag(seen, low, share=round(dice.uniform(0.6, 0.86), 2))
    seen, rise = swell(seen, high, share=round(dice.uniform(1.16, 1.25), 2))
    return list(rows(seen, dice)), [dip, rise]


def _minute_between(dice: Dice, earliest: int, latest: int) -> int:
    return dice.randrange(earliest * HOUR, latest * HOUR, MINUTE)
