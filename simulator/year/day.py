"""One day of one home: who is there, when they are awake, and what the weather is."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate

from simulator.course import HOUR, Draw
from simulator.year.dice import Dice
from simulator.year.family import Family
from simulator.year.moons import in_ramadan, is_feast
from simulator.year.places import Place

Window = tuple[float, float, float]
"""From one hour to another, and how lively each hour of it is."""
EVE = 17.5
"""The fast is broken around here all year at these latitudes."""


@dataclass(frozen=True)
class Day:
    """Hours count from local midnight and may pass 24; `start` and `end` are that midnight and the next, in unix.

    `people` are there today, nobody on vacations. `wakes` and `sleeps` bound the long sleep before and after.
    """

    place: Place
    family: Family
    date: date
    start: int
    end: int
    people: int
    free: bool
    ramadan: bool
    mean: float
    wakes: float
    sleeps: float
    back: float
    windows: tuple[Window, ...]

    def draw(self, hour: float, minutes: float, rate: float) -> Draw:
        """Draw from an hour on."""
        begin = self.start + round(hour * HOUR)
        return Draw(begin, begin + max(round(minutes * 60), 1), rate)

    def hours(self, dice: Dice, count: int) -> list[float]:
        """Throw hours at which somebody who is awake does something."""
        parts = list(accumulate((end - begin) * lively for begin, end, lively in self.windows))
        chosen = dice.choices(self.windows, cum_weights=parts, k=count)
        return [dice.uniform(begin, end) for begin, end, _ in chosen]

    def lively(self, hour: float) -> bool:
        """Tell whether people are up and at home in an hour."""
        return self.people > 0 and any(begin <= hour < end and weight >= 1 for begin, end, weight in self.windows)


def midnight(place: Place, day: date) -> int:
    """Give a day's beginning as seen from its noon: where clocks are set at night, 24 hours still reach the next."""
    return round(datetime.combine(day, time(12), place.zone).timestamp()) - 12 * HOUR


def day_of(place: Place, family: Family, seed: int, day: date, people: int, dice: Dice) -> Day:
    """Throw the dice for a day."""
    ramadan, tomorrow = place.ramadan and in_ramadan(day), day + timedelta(days=1)
    free = is_free(place, day)
    if ramadan:
        wakes, sleeps, back, windows = _fasting(family, dice, free=free)
    else:
        wakes, sleeps, back, windows = _usual(family, dice, free=free, long=is_free(place, tomorrow))
    return Day(
        place, family, day, midnight(place, day), midnight(place, tomorrow), people, free, ramadan,
        place.climate.day_mean(seed, day), wakes, sleeps, back, windows,
    )  # fmt: skip


def is_free(place: Place, day: date) -> bool:
    """Tell whether nobody works or goes to school."""
    return day.weekday() in place.weekend or (day.month, day.day) in place.holidays or (place.ramadan and is_feast(day))


def _usual(family: Family, dice: Dice, *, free: bool, long: bool) -> tuple[float, float, float, tuple[Window, ...]]:
    """Days begin late when they are free, and evenings are long when the next one is."""
    wakes = family.wakes + dice.uniform(-0.3, 0.4) + (dice.uniform(1.0, 2.2) if free else 0)
    sleeps = family.sleeps + dice.uniform(-0.3, 0.4) + (dice.uniform(0.2, 0.9) if long else 0)
    back = dice.uniform(14, 17.5)
    by_day = 1.0 if free else 0.8 if family.home_by_day else 0.02
    return wakes, sleeps, back, ((wakes, wakes + 1.2, 3.0), (wakes + 1.2, back, by_day), (back, sleeps, 2.0))


def _fasting(family: Family, dice: Dice, *, free: bool) -> tuple[float, float, float, tuple[Window, ...]]:
    """Nights are lively until the meal before dawn, and the long sleep comes after it."""
    dawn = dice.uniform(3.8, 4.4)
    wakes = dice.uniform(9.6, 10.8) + (dice.uniform(0.5, 1.5) if free else 0)
    sleeps = dice.uniform(24.3, 26.0)
    by_day = 1.0 if free or family.home_by_day else 0.3
    return wakes, sleeps, EVE, ((dawn, dawn + 0.6, 3.0), (wakes, EVE - 1, by_day), (EVE - 1, sleeps, 2.0))
