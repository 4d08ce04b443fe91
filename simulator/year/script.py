"""What happens to a home's meters, and when: mishaps one after the other, each with calm days before it.

1. In a long run the first four weeks are calm, so that rules can learn; in a short one the first two days.
2. A meter's mishaps come in an order thrown by dice, never two at once, and none on vacations or in an outage.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from math import exp, log

from simulator.year import faults, uses
from simulator.year.dice import Dice
from simulator.year.label import Label, Span
from simulator.year.life import CHANNELS, Life
from simulator.year.series import MINUTE, Register, Series

DAY = 86_400
HOUR = 3_600
WARM = 15
"""Above this mean temperature in °C no heating hides a burner that was left on."""
LEAKS_WHILE_AWAY = 0.25
LONG = 60
"""Days from which on a run is long."""

Use = Callable[[Series, Span, Dice], tuple[Series, Label]]
Fault = Callable[[Register, Span, Dice], tuple[Register, Label]]

USES: Mapping[str, Use] = {
    "leak": lambda s, span, dice: uses.leak(s, span, lph=_between(dice, 1.4, 60)),
    "running_toilet": lambda s, span, dice: uses.running_toilet(
        s, span, litres=round(dice.uniform(2, 6), 1), seed=dice.randrange(2**32)
    ),
    "burst": lambda s, span, dice: uses.burst(s, span, lpm=round(dice.uniform(16, 25), 1)),
    "left_on": lambda s, span, dice: uses.gas_left_on(s, span, lph=round(dice.uniform(150, 250))),
    "gas_leak": lambda s, span, dice: uses.gas_leak(s, span, lph=_between(dice, 8, 40)),
    "high_use": lambda s, span, dice: uses.high_use(s, span, kw=dice.choice((2, 3, 3, 4))),
    "base_up": lambda s, span, dice: uses.base_up(s, span, kw=round(dice.uniform(0.3, 0.6), 2)),
    "bypass": lambda s, span, dice: uses.bypass(s, span, percent=dice.randint(40, 80)),
}

FAULTS: Mapping[str, Fault] = {
    "stuck": lambda r, span, _: faults.stuck(r, span),
    "offline": lambda r, span, _: faults.offline(r, span),
    "catch_up": lambda r, span, _: faults.catch_up(r, span),
    "register_reset": lambda r, span, _: faults.register_reset(r, span),
    "replacement": lambda r, span, dice: faults.replaced(r, span, start=dice.randint(0, 20)),
    "reverse": lambda r, span, dice: faults.reverse(
        r, span, back=dice.randint(3_000, 9_000) if r.key.startswith("energy") else dice.randint(5, 40)
    ),
    "duplicates": lambda r, span, _: faults.duplicates(r, span),
    "clock_drift": lambda r, span, dice: faults.clock_drift(r, span, most=dice.randint(70, 400)),
}

HOURS: Mapping[str, tuple[float, float]] = {
    "leak": (36, 240), "running_toilet": (36, 120), "burst": (1, 2.5), "left_on": (8, 14), "gas_leak": (60, 200),
    "high_use": (6, 6), "base_up": (480, 650), "bypass": (120, 360), "panel": (72, 72),
    "stuck": (84, 140), "offline": (8, 60), "catch_up": (2, 5), "register_reset": (0, 0), "replacement": (1, 3),
    "reverse": (0, 0), "duplicates": (24, 72), "clock_drift": (240, 600),
}  # fmt: skip
"""How long each lasts, at the least and at the most."""

AT_HOUR: Mapping[str, float] = {"left_on": 20, "panel": 0, "reverse": 3}
"""The hour at which some of them begin: a dish forgotten after dinner; a register seen falling since all is still."""

WHERE: Mapping[str, tuple[str, ...]] = {
    "water": (
        "leak", "running_toilet", "burst", "leak", "stuck", "offline", "catch_up", "register_reset", "replacement",
        "reverse", "duplicates", "clock_drift",
    ),
    "gas": ("left_on", "gas_leak", "left_on", "offline", "catch_up", "register_reset", "duplicates"),
    "main": (
        "high_use", "panel", "high_use", "base_up", "bypass", "stuck", "offline", "catch_up", "register_reset",
        "replacement", "reverse", "duplicates", "clock_drift",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One mishap to come, with a seed for how bad it will be."""

    kind: str
    span: Span
    seed: str

    def dice(self, part: str = "") -> Dice:
        """Give dice that always fall the same way, whoever throws them."""
        return Dice(f"{self.seed} {part or self.kind} {self.span.start}")


@dataclass(frozen=True, slots=True)
class Script:
    """All that will happen to a home: outages, and mishaps by channel."""

    cuts: list[Span]
    events: dict[str, list[Event]]


def script_of(life: Life) -> Script:
    """Throw all that will happen to a home."""
    dice = Dice(f"{life.seed} {life.name} script")
    cuts = _outages(life, dice)
    away = list(life.vacations())
    events = {channel: list(_mishaps(life, channel, [*away, *cuts], dice)) for channel in CHANNELS}
    events["water"] += [
        Event("leak", Span(span.start + DAY, span.end), f"{life.seed} {life.name} away")
        for span in away
        if span.hours > 3 * 24 and dice.chance(LEAKS_WHILE_AWAY)
    ]
    return Script(cuts, events)


def _mishaps(life: Life, channel: str, busy: list[Span], dice: Dice) -> Iterator[Event]:
    """Throw the mishaps of one meter, one after the other."""
    start, days, seed = life.midnight(0), life.count, f"{life.seed} {life.name} {channel}"
    order = list(WHERE[channel])
    dice.shuffle(order)
    now, last = start + calm(days) * DAY, start + days * DAY
    gap = (6, 18) if days >= LONG else (0.3, 2)
    passed, panelled = 0, False  # a logger hangs at the panel once
    for kind in cycle(order):
        span = _span(kind, start, round(now + dice.uniform(*gap) * DAY), dice)
        while blocked := next((other for other in busy if _meet(span, other)), None):
            span = _span(kind, start, blocked.end + 2 * DAY, dice)
        passed += 1
        if passed > len(order):
            return
        once = kind == "panel" and panelled
        if span.end < last and not once and _fits(life, kind, span):
            panelled |= kind == "panel"
            yield Event(kind, span, seed)
            now, passed = span.end, 0


def calm(days: int) -> int:
    """Give the days in which nothing happens yet."""
    return 28 if days >= LONG else 2


def _outages(life: Life, dice: Dice) -> list[Span]:
    """Throw when the power goes: four times a year, for some hours."""
    first, last = life.midnight(calm(life.count)), life.midnight(life.count) - DAY
    begins = [_minute(dice.uniform(first, last)) for _ in range(int(4 * life.count / 365 + dice.random()))]
    return [Span(begin, begin + _minute(dice.uniform(2, 6) * HOUR)) for begin in sorted(begins) if begin < last]


def _fits(life: Life, kind: str, span: Span) -> bool:
    """Tell whether something can be seen at all: no burner left on while the boiler heats."""
    if kind != "left_on" or not life.family.burns:
        return True
    day = life.first + timedelta(seconds=span.start - life.midnight(0))
    return life.place.climate.day_mean(life.seed, day) > WARM


def _span(kind: str, start: int, earliest: int, dice: Dice) -> Span:
    hour = AT_HOUR.get(kind)
    begin = _minute(earliest)
    if hour is not None:
        begin = start + (-(-(earliest - start) // DAY)) * DAY + round(hour * HOUR)
    return Span(begin, begin + _minute(dice.uniform(*HOURS[kind]) * HOUR))


def _meet(one: Span, other: Span) -> bool:
    return one.start <= other.end + DAY and other.start - DAY <= one.end


def _minute(seconds: float) -> int:
    return int(seconds) // MINUTE * MINUTE


def _between(dice: Dice, low: float, high: float) -> float:
    """Throw a rate, small ones as often as large ones; to a tenth, as series.py counts."""
    return round(exp(dice.uniform(log(low), log(high))), 1)
