"""What a day takes of gas, in l/h: cooking, hot water, heating."""

from collections.abc import Iterator

from simulator.course import Draw
from simulator.year.day import EVE, Day
from simulator.year.dice import Dice
from simulator.year.water import shower_hours

INSIDE = 17
"""Outside temperature in °C below which homes are heated."""
FROST_GUARD = 0
QUARTERS = 96


def gas(day: Day, dice: Dice) -> Iterator[Draw]:
    """Throw a day's draws; on vacations heating keeps the frost out."""
    if day.family.burns:
        yield from _heating(day, dice)
    if not day.people:
        return
    if day.family.gas_hob:
        for hour in meals(day):
            yield day.draw(hour, dice.uniform(12, 45), dice.uniform(90, 330))
    if day.family.boiler and (not day.place.hot or day.mean < 22):  # noqa: PLR2004  showers are warm enough without
        for hour in shower_hours(day):
            yield day.draw(hour, dice.uniform(4, 9), day.family.boiler)
        for hour in day.hours(dice, day.people):
            yield day.draw(hour, dice.uniform(0.4, 2), 0.6 * day.family.boiler)


def meals(day: Day) -> list[float]:
    """Give the hours of cooking, the same for gas and electricity."""
    dice = Dice(f"{day.start} {day.family.base} meals")
    if day.ramadan:
        return [EVE - dice.uniform(1, 2), 3.9 - dice.uniform(0, 0.3)]
    hours = [day.wakes + dice.uniform(0.1, 0.6)] if dice.chance(0.6) else []
    if day.free or day.family.home_by_day:
        hours.append(dice.uniform(12, 13.5))
    return [*hours, dice.uniform(17.5, 20)] if dice.chance(0.9) else hours


def _heating(day: Day, dice: Dice) -> Iterator[Draw]:
    """Burn each quarter-hour as much as the house loses; nothing at night, unless it is very cold."""
    for quarter in range(QUARTERS):
        hour = quarter / 4
        awake = day.people and day.wakes - 0.7 < hour < day.sleeps - 0.5
        at_home = awake and day.lively(hour)
        inside = INSIDE if at_home else INSIDE - 1 if awake else FROST_GUARD
        lost = day.family.burns * (inside - day.mean - day.place.climate.above(hour))
        minutes = 15 * lost / day.family.boiler * dice.uniform(0.5, 1.5)  # a thermostat comes and goes
        if minutes > 1:
            yield day.draw(hour + dice.uniform(0, 0.05), min(minutes, 15), day.family.boiler)
