"""What people and their machines do on one day: the draws of electricity, water and gas, by dice with a seed.

Every plan is a pure function of its seed and the day. Hours are local ones; none of the draws reaches past midnight.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi, tau
from random import Random

from simulator.course import DAY, HOUR, Draw, is_weekend

MINUTE = 60
YEAR = 365.25
"""Days; counted from 1970, day 0 of a cycle is the first of January within a day."""
BOILER = 2_000.0
"""Gas of a burning boiler in l/h: some 20 kW."""


@dataclass(frozen=True, slots=True)
class Home:
    """Who lives here: the seed decides how many people, what always runs, and how warm they like it.

    `solar` is the peak of the panels in W, `offset` the zone's seconds east of UTC.
    """

    seed: int
    solar: float = 0.0
    offset: int = 3_600

    @property
    def people(self) -> int:
        """Two to four people."""
        return Random(f"{self.seed} people").randint(2, 4)

    @property
    def base(self) -> tuple[float, float, float]:
        """What runs day and night, in W on each phase."""
        dice = Random(f"{self.seed} base")
        return dice.uniform(60, 150), dice.uniform(20, 60), dice.uniform(10, 50)

    def day(self, what: str, number: int) -> "_Day":
        """Begin the plan of one day, with dice of its own for each thing planned."""
        return _Day(number, number * DAY - self.offset, is_weekend(number), Random(f"{self.seed} {what} {number}"))


@dataclass(frozen=True, slots=True)
class _Day:
    number: int
    midnight: float
    weekend: bool
    dice: Random

    def draw(self, hour: float, minutes: float, rate: float) -> Draw:
        """Draw from an hour of the day on, cut at midnight."""
        start = self.midnight + min(max(round(hour * HOUR), 0), DAY - 1)
        return Draw(start, min(start + max(round(minutes * MINUTE), 1), self.midnight + DAY), rate)

    def times(self, low: int, high: int, earliest: float, latest: float) -> list[float]:
        """Throw how often something happens, and the hour of each."""
        return [self.dice.uniform(earliest, latest) for _ in range(self.dice.randint(low, high))]

    @property
    def wakes(self) -> float:
        """The hour when the home wakes up: two hours later at the weekend."""
        return self.dice.uniform(6.3, 7.0) + 2 * self.weekend


def electricity(home: Home, phase: int, number: int) -> Iterator[Draw]:
    """Plan one day of one phase (0 to 2), in W; panels feed the first."""
    day = home.day(f"phase {phase}", number)
    yield from (_living(day), _machines(day), _kitchen(day))[phase]
    if phase == 0 and home.solar:
        yield from _panels(home.day("sun", number), home.solar)


def _living(day: _Day) -> Iterator[Draw]:
    uniform = day.dice.uniform
    yield day.draw(day.wakes, uniform(40, 80), uniform(80, 200))  # lights and radio
    dusk = uniform(17.0, 18.5)
    yield day.draw(dusk, (23 - dusk) * 60, uniform(100, 250))
    yield day.draw(uniform(18.5, 20), uniform(90, 170), uniform(90, 180))  # television
    for hour in day.times(0, 2, 6.5, 9.0):
        yield day.draw(hour, uniform(2, 6), uniform(1_000, 1_800))  # hair dryer
    if day.weekend:
        yield day.draw(uniform(10, 12), uniform(15, 30), uniform(800, 1_400))  # vacuum cleaner


def _machines(day: _Day) -> Iterator[Draw]:
    uniform = day.dice.uniform
    minute, compressor = uniform(0, 30), uniform(80, 120)
    while minute < 24 * 60 - 1:
        on = uniform(13, 19)
        yield day.draw(minute / 60, on, compressor)  # the refrigerator never rests for long
        minute += on + uniform(25, 40)
    if day.dice.random() < 0.7:  # noqa: PLR2004  five dish washers a week
        start = uniform(19.5, 21)
        yield day.draw(start, 90, 60)
        yield day.draw(start + 0.15, 16, 2_000)
        yield day.draw(start + 1.0, 12, 2_000)
    if day.dice.random() < (0.7 if day.weekend else 0.25):
        start = uniform(9, 15)
        yield day.draw(start, 100, 150)  # washing: the drum, then the heater
        yield day.draw(start + 0.1, 25, 2_000)


def _kitchen(day: _Day) -> Iterator[Draw]:
    uniform = day.dice.uniform
    for hour in [day.wakes + 0.2, *day.times(1, 4, 9.5, 21)]:
        yield day.draw(hour, uniform(2, 4), uniform(1_900, 2_200))  # kettle
    meals = [uniform(17.5, 18.8)] + ([uniform(12, 13)] if day.weekend else [])
    for meal in meals:
        yield day.draw(meal, uniform(25, 45), uniform(900, 1_900))  # hob
        if day.dice.random() < 0.5:  # noqa: PLR2004  an oven every other meal
            yield day.draw(meal + 0.1, uniform(30, 50), uniform(900, 1_500))


def _panels(day: _Day, peak: float) -> Iterator[Draw]:
    season = 0.5 - 0.5 * cos(tau * (day.number + 10) / YEAR)  # 0 at the winter solstice, 1 in June
    half_day = 4 + 4 * season
    sky = day.dice.uniform(0.25, 1.0)
    for quarter in range(4 * 24):
        from_noon = quarter / 4 + 0.125 - 12.5
        if abs(from_noon) < half_day:
            height = cos(pi / 2 * from_noon / half_day) * (0.3 + 0.7 * season)
            yield day.draw(quarter / 4, 15, -peak * height * sky * day.dice.uniform(0.7, 1.0))


def water(home: Home, number: int) -> Iterator[Draw]:
    """Plan one day of water, in l/h; between 23:30 and 6:00 every tap is closed."""
    day = home.day("water", number)
    uniform = day.dice.uniform
    for person in range(home.people):
        if person == 0 or day.dice.random() < 0.85:  # noqa: PLR2004  a shower on six days of seven
            yield day.draw(day.wakes + uniform(0, 0.8), uniform(5, 9), uniform(420, 600))
        for hour in day.times(4, 6, 6.2, 23.3):
            yield day.draw(hour, 1, uniform(330, 420))  # a cistern fills
        for hour in day.times(8, 15, 6.2, 23.3):
            yield day.draw(hour, uniform(0.3, 0.9), uniform(240, 420))  # a tap
    if day.dice.random() < 0.4 + 0.3 * day.weekend:
        start = uniform(9, 15)
        for rinse in range(4):
            yield day.draw(start + 0.3 * rinse, 1.5, 480)  # washing machine


def gas(home: Home, number: int) -> Iterator[Draw]:
    """Plan one day of gas, in l/h: heating by the weather of the day, hot water, cooking."""
    day = home.day("gas", number)
    uniform = day.dice.uniform
    burning = 24 * 60 * max(0.0, 16 - outside(home, number)) * 0.012  # minutes a day: 0.58 m3 for each degree
    cycles = [uniform(-0.2, 0.2) + 6.5 + 0.8 * step for step in range(21)]
    for hour in cycles:
        yield day.draw(hour, min(burning / len(cycles), 40), BOILER)
    for _ in range(home.people):
        yield day.draw(day.wakes + uniform(0, 0.8), uniform(4, 7), 0.8 * BOILER)
    for hour in [uniform(17.5, 18.8), *([uniform(12, 13)] if day.weekend else [])]:
        yield day.draw(hour, uniform(20, 40), uniform(150, 350))


def outside(home: Home, number: int) -> float:
    """Give a day's mean outside temperature in °C: coldest in the middle of January, and different every day."""
    return 10.5 - 8 * cos(tau * (number - 15) / YEAR) + Random(f"{home.seed} sky {number}").uniform(-3, 3)
