"""Who lives in a home and what it has, from its dice; and when the people are away or have guests."""

from dataclasses import dataclass
from typing import NamedTuple

from simulator.year.dice import Dice
from simulator.year.places import Place

RATINGS = (63, 80, 100, 125)
"""Main fuses in A."""
BESIDE = 11_000
"""W that may run beside the cooling."""


class Sprinklers(NamedTuple):
    """A clock that waters the garden every day: hour, minutes, litres a minute."""

    hour: float
    minutes: float
    flow: float


class Away(NamedTuple):
    """Days on which nobody is at home; `told` if the customer switched away mode on."""

    first: int
    last: int
    told: bool


class Guests(NamedTuple):
    """Days on which more people live here."""

    first: int
    last: int
    people: int


@dataclass(frozen=True)
class Family:
    """A home's traits; powers in W, gas in l/h.

    `base` always runs, `leak_in` is how many of the cooling units an hour of 20 degrees of difference keeps running,
    `burns` what heating takes for each degree below 17 °C. `tan_phi` is how much reactive power its motors need.
    """

    people: int
    home_by_day: bool
    wakes: float
    sleeps: float
    base: float
    fridges: int
    coolers: int
    cooler: float
    leak_in: float
    solar: float
    gas_hob: bool
    boiler: float
    burns: float
    sprinklers: Sprinklers | None
    rating: int
    tan_phi: float


def family_of(place: Place, dice: Dice) -> Family:
    """Throw the dice for a home."""
    uniform, hot = dice.uniform, place.hot
    people = dice.choices(range(1, 8), (1, 3, 4, 5, 4, 2, 1) if hot else (4, 6, 4, 3, 1, 0, 0))[0]
    coolers, cooler = dice.randint(2, 3 + people // 2) if hot else 0, uniform(1_300, 1_900)
    return Family(
        people=people,
        home_by_day=dice.chance(0.6 if hot else 0.35),
        wakes=uniform(5.4, 6.8),
        sleeps=uniform(22.2, 23.4),
        base=uniform(30, 250),
        fridges=dice.randint(1, 2),
        coolers=coolers,
        cooler=cooler,
        leak_in=coolers * uniform(0.7, 1.2),
        solar=uniform(3_000, 8_000) if dice.chance(0.3) else 0.0,
        gas_hob=hot or dice.chance(0.6),
        boiler=uniform(1_800, 2_600) if not hot or dice.chance(0.3) else 0.0,
        burns=0.0 if hot else uniform(35, 75),
        sprinklers=_sprinklers(dice) if dice.chance(0.35) else None,
        rating=next(rating for rating in RATINGS if rating * 230 > coolers * cooler + BESIDE),
        tan_phi=uniform(0.08, 0.3),
    )


def _sprinklers(dice: Dice) -> Sprinklers:
    return Sprinklers(dice.choice((1.0, 3.5, 4.0, 4.5, 5.0, 22.5)), dice.randint(4, 18) * 5, dice.uniform(6, 10))


def absences(dice: Dice, days: int) -> list[Away]:
    """Throw the vacations of so many days: two a year, of which every other is told."""
    return [Away(first, first + dice.randint(4, 14), dice.chance(0.5)) for first in _firsts(dice, days, 2.0)]


def visits(dice: Dice, days: int) -> list[Guests]:
    """Throw the visits of so many days: three a year."""
    return [Guests(first, first + dice.randint(1, 5), dice.randint(2, 5)) for first in _firsts(dice, days, 3.0)]


def _firsts(dice: Dice, days: int, a_year: float) -> list[int]:
    """Throw when something begins: once in each equal part of the time, for as many parts as it happens."""
    count = int(days / 365 * a_year + dice.random())
    return [int((part + dice.random() * 0.8) * days / count) for part in range(count)]
