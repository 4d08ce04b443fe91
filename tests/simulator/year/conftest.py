"""Homes of two weeks and lives without mishaps."""

from collections.abc import Callable
from datetime import date
from functools import cache

import pytest

from simulator.year import Home, homes
from simulator.year.homes import life_of
from simulator.year.life import Life
from simulator.year.places import place_of

Few = Callable[..., list[Home]]
LifeOf = Callable[..., Life]


@pytest.fixture(scope="session")
def few() -> Few:
    """Give a maker of homes that makes the same ones only once."""

    @cache
    def make(count: int = 2, days: int = 14, step: int = 900, seed: int = 7, **more: object) -> list[Home]:
        return list(homes(seed, count, days, step, **more))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def life() -> LifeOf:
    """Give a maker of lives before anything happens to them."""

    def make(number: int = 1, days: int = 14, zone: str = "Asia/Riyadh", first: date = date(2026, 1, 1)) -> Life:
        return life_of(7, number, days, place_of(zone), first)

    return make
