"""What a day takes of electricity, in W: what always runs, what people switch on, cooling; and what panels give."""

from collections.abc import Iterator
from math import cos, pi

from simulator.course import HOUR, Draw
from simulator.year.day import Day
from simulator.year.dice import Dice
from simulator.year.gas import meals
from simulator.year.water import shower_hours

COMFORT = 24
"""Outside temperature in °C above which homes are cooled."""
THIRDS = 72
QUARTERS = 96


def electricity(day: Day, dice: Dice) -> Iterator[Draw]:
    """Throw a day's draws."""
    yield Draw(day.start, day.end, day.family.base)
    for _ in range(day.family.fridges):
        yield from _fridge(day, dice)
    if day.family.coolers:
        yield from _cooling(day, dice)
    if day.people:
        yield from _living(day, dice)
        yield from _kitchen(day, dice)
        yield from _machines(day, dice)
        yield from _hot_water(day, dice)


def sun(day: Day, dice: Dice) -> Iterator[Draw]:
    """Throw what the panels give."""
    climate = day.place.climate
    half_day = 6 + climate.light / 2 * climate.summer(day.date)
    high = 0.75 + 0.25 * climate.summer(day.date) * climate.light / 4
    sky = 1 - climate.clouds * dice.random()
    for quarter in range(QUARTERS):
        from_noon = quarter / 4 + 0.125 - 12.25
        if abs(from_noon) < half_day:
            height = cos(pi / 2 * from_noon / half_day) * high
            passing = 1 - climate.clouds * 0.4 * dice.random()
            yield day.draw(quarter / 4, 15, day.family.solar * height * sky * passing)


def _fridge(day: Day, dice: Dice) -> Iterator[Draw]:
    minute, watt = dice.uniform(0, 30), dice.uniform(80, 140)
    while minute < (day.end - day.start) / 60:
        on = dice.uniform(12, 20)
        yield day.draw(minute / 60, on, watt)
        minute += on + dice.uniform(22, 40)


def _cooling(day: Day, dice: Dice) -> Iterator[Draw]:
    """Let compressors run a share of each twenty minutes: all people's rooms when they are in, little when not."""
    family = day.family
    for third in range(THIRDS):
        hour = third / 3
        warm = day.mean + day.place.climate.above(hour) - COMFORT
        if warm <= 0:
            continue
        asleep = hour < day.wakes or hour > day.sleeps
        share = 0.1 if not day.people else 1.0 if day.lively(hour) else 0.75 if asleep else 0.35
        running = min(family.leak_in * warm / 20 * share * dice.uniform(0.85, 1.15), family.coolers)
        whole = int(running)
        if whole:
            yield day.draw(hour, 20, whole * family.cooler)
        if running > whole:
            yield day.draw(hour + dice.uniform(0, 0.05), 20 * (running - whole), family.cooler)


def _living(day: Day, dice: Dice) -> Iterator[Draw]:
    uniform = dice.uniform
    yield day.draw(day.wakes, uniform(40, 90), uniform(60, 220))  # lights
    dusk = uniform(16.5, 18)
    yield day.draw(dusk, (day.sleeps - dusk) * 60, uniform(100, 200) + 30 * day.people)
    for hour in day.hours(dice, day.people):
        yield day.draw(hour, uniform(30, 120), uniform(40, 150))  # screens
    for hour in day.hours(dice, dice.randint(0, 2)):
        yield day.draw(hour, uniform(2, 8), uniform(1_000, 1_800))  # hair dryer, iron
    if dice.chance(0.5 if day.free else 0.15):
        yield day.draw(uniform(max(day.wakes, 9), 16), uniform(15, 40), uniform(700, 1_300))  # vacuum cleaner


def _kitchen(day: Day, dice: Dice) -> Iterator[Draw]:
    uniform = dice.uniform
    for hour in day.hours(dice, dice.randint(2, 6)):
        yield day.draw(hour, uniform(2, 5), uniform(1_800, 2_300))  # kettle
    for hour in meals(day):
        yield day.draw(hour, uniform(2, 8), 1_200)  # microwave oven
        if not day.family.gas_hob:
            yield day.draw(hour, uniform(20, 45), uniform(900, 2_400))
        if dice.chance(0.25):  # an oven every fourth meal
            yield day.draw(hour, uniform(30, 60), uniform(1_200, 2_000))


def _machines(day: Day, dice: Dice) -> Iterator[Draw]:
    if dice.chance(min(0.25 * day.people**0.7, 0.9)):
        start = dice.uniform(day.wakes + 1, day.sleeps - 3)
        yield day.draw(start, 100, 150)  # washing: the drum, then the heater
        yield day.draw(start + 0.1, 20, 2_000)
        if not day.place.hot and dice.chance(0.4):
            yield day.draw(start + 1.8, dice.uniform(50, 80), 1_900)  # dryer
    if dice.chance(0.4):
        start = dice.uniform(day.back, day.sleeps - 0.5)
        yield day.draw(start, 90, 60)  # dish washer
        yield day.draw(start + 0.15, 16, 1_900)


def _hot_water(day: Day, dice: Dice) -> Iterator[Draw]:
    """Heat electrically where no boiler does; in the hot season roof tanks are warm enough."""
    if day.family.boiler or (day.place.hot and day.mean > 30):  # noqa: PLR2004
        return
    cold = max(0.3, min(1.0, (38 - day.mean) / 25))
    if hours := shower_hours(day):
        yield day.draw(min(hours), len(hours) * dice.uniform(20, 40) * cold, 1_800)
    yield Draw(day.start, day.start + 24 * HOUR, 40 * cold)  # what the tank loses
