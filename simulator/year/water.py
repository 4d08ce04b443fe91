"""What a day takes of water, in l/h: cisterns, taps, showers, washing, the garden."""

from collections.abc import Iterator

from simulator.course import Draw
from simulator.year.day import Day
from simulator.year.dice import Dice


def water(day: Day, dice: Dice) -> Iterator[Draw]:
    """Throw a day's draws; on vacations only the garden's clock goes on."""
    yield from _garden(day)
    for _ in range(day.people):
        yield from _person(day, dice)
    if day.people:
        yield from _household(day, dice)


def shower_hours(day: Day) -> list[float]:
    """Give when each of today's people may shower, the same for water and for what heats it."""
    dice = Dice(f"{day.start} {day.family.base} showers")
    return [
        day.wakes + dice.uniform(0, 1.0) if dice.chance(0.6) else dice.uniform(day.back, day.sleeps)
        for _ in range(day.people)
        if dice.chance(0.8)
    ]


def _person(day: Day, dice: Dice) -> Iterator[Draw]:
    uniform = dice.uniform
    for hour in day.hours(dice, dice.randint(3, 7)):
        yield day.draw(hour, uniform(0.9, 1.4), 360)  # a cistern fills
        yield day.draw(hour + 0.03, uniform(0.1, 0.4), 300)  # hands are washed
    for hour in day.hours(dice, dice.randint(5, 12)):
        yield day.draw(hour, uniform(0.1, 0.8), uniform(180, 420))


def _household(day: Day, dice: Dice) -> Iterator[Draw]:
    uniform = dice.uniform
    if dice.chance(0.1):
        yield day.draw(day.wakes - uniform(0.3, 1 if day.ramadan else 2.8), 1.2, 360)  # somebody, late in the night
    for hour in shower_hours(day):
        yield day.draw(hour, uniform(4, 9), uniform(360, 600))
    for hour in day.hours(dice, dice.randint(1, 3)):
        yield day.draw(hour, uniform(1, 3), uniform(240, 420))  # dishes, cooking
    if dice.chance(min(0.25 * day.people**0.7, 0.9)):
        start = uniform(day.wakes + 1, day.sleeps - 3)
        for rinse in range(4):
            yield day.draw(start + 0.3 * rinse, 1.5, 480)  # washing machine
    if day.free and dice.chance(0.4):
        yield day.draw(uniform(9, 17) if not day.ramadan else uniform(14, 17), uniform(5, 20), 480)  # yard and car


def _garden(day: Day) -> Iterator[Draw]:
    sprinklers = day.family.sprinklers
    if sprinklers and waters(day):
        yield day.draw(sprinklers.hour, sprinklers.minutes, 60 * sprinklers.flow)


def waters(day: Day) -> bool:
    """Tell whether gardens are watered in this season."""
    return day.place.climate.summer(day.date) > (-0.5 if day.place.hot else 0.4)
