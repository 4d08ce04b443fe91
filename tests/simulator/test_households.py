"""Homes are plausible, consistent and the same for the same seed."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.quantities import QUANTITIES
from simulator.course import DAY, EPOCH, HOUR
from simulator.habits import Home
from simulator.households import LINES, Channel, Extra, Household

SEEDS = st.integers(0, 10**6)
DAYS = st.integers(EPOCH, EPOCH + 40)
OFFSET = Home(0).offset
few = settings(max_examples=20, deadline=None)


def of_day(home: Household, channel: Channel, quantity: str, day: int) -> float:
    """Give how much a counter moves in one local day."""
    start = day * DAY - OFFSET
    return home.at(channel, start + DAY)[quantity] - home.at(channel, start)[quantity]


@few
@given(SEEDS, DAYS)
def test_a_day_is_plausible(seed: int, day: int) -> None:
    """A home takes 5 to 40 kWh and 100 to 1000 litres a day, and up to 15 m³ of gas."""
    home = Household(Home(seed))
    assert 5_000 < of_day(home, "electricity", "energy_import", day) < 40_000
    assert 100 < of_day(home, "water", "water_volume", day) < 1_000
    assert 200 < of_day(home, "gas", "gas_volume", day) < 15_000


@few
@given(SEEDS, DAYS, st.floats(0.0, 6 * HOUR - 1))
def test_no_tap_runs_at_night(seed: int, day: int, moment: float) -> None:
    """Between midnight and six no water flows: what a leak rule looks for must stand out."""
    home = Household(Home(seed))
    night = day * DAY - OFFSET
    assert home.at("water", night + moment)["water_flow"] == 0.0
    assert home.at("water", night + moment)["water_volume"] == home.at("water", night)["water_volume"]


@settings(max_examples=6, deadline=None)
@given(SEEDS, DAYS, st.sampled_from([0.0, 4_000.0]), st.integers(0, 22))
def test_energy_is_the_integral_of_power(seed: int, day: int, solar: float, hour: int) -> None:
    """Over an hour the counters move by the mean power of its seconds."""
    home = Household(Home(seed, solar))
    start = day * DAY - OFFSET + hour * HOUR
    mean = sum(home.at("electricity", start + second)["power"] for second in range(0, HOUR, 2)) / (HOUR / 2)
    before, after = home.at("electricity", start), home.at("electricity", start + HOUR)
    net = sum(sign * (after[name] - before[name]) for name, sign in (("energy_import", 1), ("energy_export", -1)))
    assert net == pytest.approx(mean, rel=0.005, abs=2.0)


@few
@given(SEEDS, st.lists(st.floats(EPOCH * DAY, (EPOCH + 10) * DAY), min_size=2, max_size=12))
def test_every_counter_only_rises(seed: int, times: list[float]) -> None:
    """No counter of any channel ever goes back, panels or not."""
    home = Household(Home(seed, solar=3_000))
    channels: tuple[Channel, ...] = ("electricity", "water", "gas")
    for channel in channels:
        states = [home.at(channel, time) for time in sorted(times)]
        counters = [name for name in states[0] if name in QUANTITIES and QUANTITIES[name].kind == "counter"]
        assert counters
        for earlier, later in pairwise(states):
            assert all(later[name] >= earlier[name] for name in counters)


@few
@given(SEEDS, st.floats(EPOCH * DAY, (EPOCH + 10) * DAY))
def test_phases_and_tariffs_add_up(seed: int, time: float) -> None:
    """Without panels the phases' energy is the whole; tariffs are the whole; currents follow from powers."""
    values = Household(Home(seed)).at("electricity", time)
    whole = values["energy_import"]
    assert sum(values[f"energy_import_{line}"] for line in LINES) == pytest.approx(whole)
    assert values["energy_import_t1"] + values["energy_import_t2"] == pytest.approx(whole)
    assert values["power"] == pytest.approx(sum(values[f"power_{line}"] for line in LINES))
    for line in LINES:
        apparent = values[f"voltage_{line}"] * values[f"current_{line}"]
        assert apparent == pytest.approx(values[f"apparent_power_{line}"])
        assert 215 < values[f"voltage_{line}"] < 240


def test_the_same_seed_is_the_same_home() -> None:
    """A restart continues where it stopped, and another seed is another home."""
    time = (EPOCH + 3) * DAY + 45_000.5
    used = Household(Home(7))
    used.at("electricity", time + DAY)
    assert used.at("electricity", time) == Household(Home(7)).at("electricity", time)
    assert used.at("electricity", time) != Household(Home(8)).at("electricity", time)


def test_weekends_differ() -> None:
    """On working days the home wakes before eight, at the weekend after it."""
    home = Household(Home(3))

    def first_water(day: int) -> float:
        start = day * DAY - OFFSET
        showers = (
            second for second in range(6 * HOUR, 12 * HOUR, 30) if home.at("water", start + second)["water_flow"] >= 420
        )
        return next(showers) / HOUR

    assert first_water(EPOCH + 4) < 8  # Monday
    assert first_water(EPOCH + 3) > 8  # Sunday


def test_panels_give_back_in_summer() -> None:
    """On a day in June four kilowatts of panels export more than a home takes."""
    home = Household(Home(5, solar=4_000))
    assert of_day(home, "electricity", "energy_export", EPOCH + 160) > 3_000
    noon = (EPOCH + 160) * DAY - OFFSET + 12.5 * HOUR
    assert home.at("electricity", noon)["power_l1"] < 0 < home.at("electricity", noon)["power_export_l1"]
    assert of_day(home, "electricity", "energy_export", EPOCH + 5) < of_day(
        home, "electricity", "energy_export", EPOCH + 160
    )


def test_scripted_draws_come_on_top() -> None:
    """A leak, and an overload on the second phase, flow from their start to their end and are counted."""
    start = (EPOCH + 2) * DAY + 2 * HOUR
    extras = [
        Extra("water", start, start + HOUR, 12.0),
        Extra("electricity", start, start + 60, 9_000.0, phase=2),
    ]
    plain, home = Household(Home(1)), Household(Home(1), extras)
    assert home.at("water", start + 10)["water_flow"] == 12.0
    assert home.at("water", start + HOUR)["water_flow"] == 0.0
    leaked = home.at("water", start + DAY)["water_volume"] - plain.at("water", start + DAY)["water_volume"]
    assert leaked == pytest.approx(12.0)
    more = home.at("electricity", start + 30)["power_l2"] - plain.at("electricity", start + 30)["power_l2"]
    assert more == pytest.approx(9_000, rel=0.02)
    assert home.at("electricity", start + 30)["power_l1"] == plain.at("electricity", start + 30)["power_l1"]
