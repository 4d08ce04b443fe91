"""The script of a home: one mishap at a time, calm days first, none when nobody could see it."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from simulator.year.life import Life
from simulator.year.script import DAY, HOURS, WHERE, calm, script_of

LifeOf = Callable[..., Life]
NUMBERS = pytest.mark.parametrize("number", range(1, 7))


@NUMBERS
@pytest.mark.parametrize("days", [14, 365])
def test_mishaps_of_a_meter_come_one_after_the_other(life: LifeOf, number: int, days: int) -> None:
    """In order, in their time, as long as they should be, and after calm days."""
    one = life(number, days)
    script = script_of(one)
    away = {(span.start + DAY, span.end) for span in one.vacations()}
    for channel, planned in script.events.items():
        events = [event for event in planned if event.span not in away]
        assert {event.kind for event in events} <= set(WHERE[channel])
        assert all(before.span.end < after.span.start for before, after in pairwise(events))
        for event in events:
            low, high = HOURS[event.kind]
            assert low - 0.02 <= event.span.hours <= high
            assert one.midnight(calm(days)) <= event.span.start
            assert event.span.end < one.midnight(days)


@NUMBERS
def test_nothing_happens_on_vacations_or_in_an_outage(life: LifeOf, number: int) -> None:
    """Except the leak that waits until everybody has left."""
    one = life(number, 365)
    script = script_of(one)
    for span in [*one.vacations(), *script.cuts]:
        for event in (event for events in script.events.values() for event in events):
            left = event.kind == "leak" and event.span == (span.start + DAY, span.end)
            assert left or event.span.end < span.start or event.span.start > span.end


def test_a_year_has_every_kind_in_every_home(life: LifeOf) -> None:
    """Each home meets all that can happen to its meters, most of it more than once."""
    script = script_of(life(1, 365))
    for channel, events in script.events.items():
        assert {event.kind for event in events} >= set(WHERE[channel]) - {"base_up"}, channel


def test_no_burner_is_left_on_while_the_boiler_heats(life: LifeOf) -> None:
    """In London nobody could tell it from heating in winter."""
    for number in range(1, 4):
        one = life(number, 365, "Europe/London")
        months = {
            (event.span.start - one.midnight(0)) // (30 * DAY) + 1
            for event in script_of(one).events["gas"]
            if event.kind == "left_on"
        }
        assert months <= set(range(4, 12))
