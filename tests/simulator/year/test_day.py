"""Days by the calendar: clocks that are set, weekends, Ramadan and feasts."""

from collections.abc import Callable
from datetime import date, datetime
from itertools import pairwise

import pytest

from simulator.year.day import Day, is_free
from simulator.year.life import Life
from simulator.year.moons import RAMADANS, in_ramadan
from simulator.year.places import place_of

LifeOf = Callable[..., Life]


def awake_at(days: list[Day], hour: float) -> float:
    """Give the share of days on which people are up at an hour."""
    return sum(day.lively(hour) for day in days) / len(days)


def test_a_clock_that_is_set_moves_no_habit(life: LifeOf) -> None:
    """Half past four is half past four by the clock on the wall, before, on and after the day it is set."""
    days = life(1, 5, "Europe/London", date(2026, 3, 27)).days()
    starts = [datetime.fromtimestamp(day.draw(4.5, 10, 1).start, day.place.zone) for day in days]
    assert {(start.hour, start.minute) for start in starts} == {(4, 30)}
    assert [day.end for day in days[:-1]] == [day.start for day in days[1:]]


@pytest.mark.parametrize(
    ("zone", "day", "free"),
    [
        ("Asia/Riyadh", date(2026, 1, 9), True),  # a Friday
        ("Asia/Riyadh", date(2026, 1, 11), False),  # a Sunday
        ("Asia/Riyadh", date(2026, 9, 23), True),
        ("Asia/Riyadh", date(2026, 3, 22), True),  # the feast after Ramadan
        ("Asia/Dubai", date(2026, 1, 9), False),
        ("Europe/London", date(2026, 1, 9), False),
        ("Europe/London", date(2026, 1, 11), True),
        ("Europe/London", date(2026, 3, 23), False),
    ],
)
def test_weekends_and_holidays_are_those_of_the_place(zone: str, day: date, free: bool) -> None:
    """Friday and Saturday in Riyadh, Saturday and Sunday in London."""
    assert is_free(place_of(zone), day) is free


def test_the_nights_of_ramadan_are_lively(life: LifeOf) -> None:
    """At four in the morning people eat, at eight they sleep; outside of it, and elsewhere, the reverse."""
    month = life(4, 20, "Asia/Riyadh", date(2026, 2, 20)).days()
    assert awake_at(month, 4.4) == 1
    assert awake_at(month, 8.0) == 0
    for days in (
        life(4, 20, "Asia/Riyadh", date(2026, 4, 1)).days(),
        life(4, 20, "Europe/London", date(2026, 2, 20)).days(),
    ):
        assert awake_at(days, 4.4) == 0
        assert sum(day.wakes < 7.9 for day in days) > 10


def test_ramadan_lasts_twenty_nine_or_thirty_days() -> None:
    """Each of the table, about eleven days earlier than the one before."""
    assert {(feast - first).days for first, feast in RAMADANS} == {29, 30}
    firsts = [first for first, _ in RAMADANS]
    assert {(after - before).days for before, after in pairwise(firsts)} <= {354, 355}
    assert [in_ramadan(date(2026, 2, day)) for day in (17, 18)] == [False, True]
