"""Healthy homes are like measured ones: the facts that detectors lean on, over four weeks of eight homes a climate."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median, quantiles

import pytest

from simulator.year.day import Day
from simulator.year.life import Life
from simulator.year.series import PER_UNIT, Series, read

LifeOf = Callable[..., Life]
DAYS = 28
PLACES = pytest.mark.parametrize("zone", ["Asia/Riyadh", "Europe/London"])


@pytest.fixture(scope="module")
def lived(life: LifeOf) -> Callable[[str], list[tuple[Life, list[Day], dict[str, Series]]]]:
    """Give families with their days and what they use, one list for each zone."""
    made: dict[str, list[tuple[Life, list[Day], dict[str, Series]]]] = {}

    def all_of(zone: str) -> list[tuple[Life, list[Day], dict[str, Series]]]:
        if zone not in made:
            lives = [life(number, DAYS, zone) for number in range(1, 9)]
            made[zone] = [(one, days, one.use(days)) for one in lives if not one.absences for days in [one.days()]]
        return made[zone]

    return all_of


Lived = Callable[[str], list[tuple[Life, list[Day], dict[str, Series]]]]


def longest_stands(water: Series) -> Iterator[float]:
    """Give the longest stretch in which a litre register stands, in hours, from noon to noon: a night is not cut."""
    values = read(water, 900, 1_000).values
    for noon in range(48, 96 * (DAYS - 1), 96):
        best = run = 0
        for before, after in pairwise(values[noon : noon + 97]):
            run = run + 1 if before == after else 0
            best = max(best, run)
        yield best / 4


@PLACES
def test_water_stands_for_hours_each_day(lived: Lived, zone: str) -> None:
    """Without a garden's clock: median 6 to 11 h as measured, and of twenty days hardly one below 4.4 h."""
    for one, _, use in lived(zone):
        if one.family.sprinklers is None:
            stands = list(longest_stands(use["water"]))
            assert 6 <= median(stands) <= 11, one.name
            assert 4.4 <= quantiles(stands, n=20)[0] <= 10, one.name


@PLACES
def test_a_person_takes_as_much_water_as_people_do(lived: Lived, zone: str) -> None:
    """90 to 220 litres a day in the house; gardens come on top."""
    for one, _, use in lived(zone):
        if one.family.sprinklers is None:
            assert 90 <= sum(use["water"].minutes) / PER_UNIT / DAYS / one.family.people <= 220, one.name


@PLACES
def test_something_always_runs_and_nothing_healthy_overloads(lived: Lived, zone: str) -> None:
    """Base load 0.03 to 0.5 kW, and no minute above nine tenths of the main fuse."""
    for one, _, use in lived(zone):
        hours = sorted(after - before for before, after in pairwise(read(use["main"], 3600, 0).values))
        assert 30 <= hours[len(hours) // 50] <= 500, one.name
        assert max(use["main"].minutes) * 60 / PER_UNIT < 0.9 * 230 * one.family.rating, one.name


def test_a_heated_home_burns_no_gas_in_many_hours(life: LifeOf) -> None:
    """Over a year 40 to 65 % of the hours; the measured home had 41 % over two winters and one summer."""
    shares = []
    for number in (1, 2):
        one = life(number, 365, "Europe/London")
        hours = [after - before for before, after in pairwise(read(one.use(one.days())["gas"], 3600, 0).values)]
        shares.append(sum(not hour for hour in hours) / len(hours))
    assert all(0.4 <= share <= 0.65 for share in shares), shares


def test_voltage_and_power_factor_are_those_of_a_healthy_grid(few: Callable[..., list[object]]) -> None:
    """Outside of sag and swell 223 to 254 V; power factor median about 0.99, never below 0.9."""
    home = next(home for home in few(12, 80) if home.panel)  # type: ignore[attr-defined]
    bad = [label for label in home.labels if label.kind in {"sag", "swell", "overload"}]  # type: ignore[attr-defined]
    factors, volts = [], []
    for row in home.panel:  # type: ignore[attr-defined]
        if any(label.start < row.ts / 1000 <= label.end for label in bad):
            continue
        if row.key == "power_factor":
            factors.append(row.value)
        elif row.key == "voltage_l1_v":
            volts.append(row.value)
    assert min(volts) >= 223
    assert max(volts) <= 254
    assert 0.97 <= median(factors) <= 1
    assert min(factors) >= 0.9
