"""Alerts over a clock that is set: the same story with and without a step tells the same alerts, each once.

The whole way from reading to event runs as in a gateway: clock, intake, check, engine, a look at the time each 10 s.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drivers.contract import Reading
from gateway.alerts.alerting import Alerting
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.night import nights
from gateway.alerts.rules.water import WaterLeak
from gateway.check import Checker, Interval
from gateway.clock import Clock
from gateway.intake import Intake, Known
from gateway.live import LiveBook
from tests.support.alert_days import LIMITS, START, day, engine

HOUR, DAY = 3_600_000, 86_400_000
STORY = [
    ("calm", 30), ("over", 30), ("calm", 40), ("leak", 300), ("calm", 40), ("quiet", 40), ("calm", 30), ("over", 30),
    ("calm", 30),
]  # fmt: skip
"""Polls of 10 s: an overload, a leak with all its litres, everything silent, and another overload."""


class Kept:
    """A journal that keeps nothing but is asked everything."""

    def add(self, *_: Any) -> int:
        """Take a reading."""
        return 1

    def add_event(self, event: bytes) -> None:
        """Take an event."""

    def keep(self, states: Mapping[str, bytes], *, all: bool = False) -> None:  # noqa: A002  the journal's own word
        """Take states."""


def told(steps: Mapping[int, int]) -> list[AlertEvent]:
    """Live through the story; `steps` sets the wall clock by so many ms at a poll. Gives every event."""
    boot, off = [0], [0]
    clock = Clock("system", lambda: START + boot[0] + off[0], lambda: boot[0], boot_id="b")
    journal: Any = Kept()
    alerting = Alerting(engine(), journal, lambda: clock.stamp(boot[0]), Checker())
    intake = Intake(clock, alerting.checker, journal, LiveBook(), None, alerting.hear)
    intake.meters |= {meter: Known(10.0, limits) for meter, limits in LIMITS.items()}
    events: list[AlertEvent] = []
    alerting.listeners.append(events.append)
    poll = 0
    for moment in day(STORY):
        if not moment.meter:
            off[0] += steps.get(poll, 0)
            poll += 1
        boot[0] = moment.ts - START
        if moment.meter:
            # A litre each half a minute, so that most intervals of a leak are zero, as they are in homes.
            values = {key: value // 3 if key == "water_volume_l" else value for key, value in moment.values.items()}
            intake.take(Reading(moment.meter, boot[0], values))
        if poll % 2 or moment.meter:  # the look comes now before, now after the first reading on the new clock
            alerting.look()
    return events


def lives(events: list[AlertEvent]) -> Counter[tuple[str, str, str]]:
    """Count what began and what ended, by rule and meter."""
    return Counter((event.rule, event.meter, event.state) for event in events if event.state != "updated")


def test_the_story_is_worth_telling() -> None:
    """Two overloads, one leak, one silence of each meter, all with their ends."""
    begun = Counter({key[:2]: count for key, count in lives(told({})).items() if key[2] == "raised"})
    assert begun == {
        ("overload", "main"): 2, ("water_leak", "water"): 1,
        ("meter_offline", "main"): 1, ("meter_offline", "water"): 1,
    }  # fmt: skip
    assert all(count == 2 for key, count in lives(told({})).items() if key[:2] == ("overload", "main"))


STEPS = {
    "an hour back": -HOUR,
    "thirty days ahead": 30 * DAY,
    "thirty days back": -30 * DAY,
    "two hours ahead": 2 * HOUR,
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("at", [15, 33, 40, 55, 75, 120, 200, 350, 390, 420, 445, 460, 475, 500, 518, 530, 550])
def test_a_step_of_the_clock_tells_nothing_twice_and_loses_nothing(at: int, step: int) -> None:
    """T14 of T2: wherever in the story the clock is set, the same alerts begin and end as on a right clock."""
    assert lives(told({at: step})) == lives(told({}))


@pytest.mark.parametrize("at", [33, 120, 350, 420, 460])
def test_a_clock_that_was_ahead_for_a_while_leaves_no_trace(at: int) -> None:
    """T14: ahead by thirty days and back again a little later, in the midst of an alert or between two."""
    assert lives(told({at: 30 * DAY, at + 12: -30 * DAY})) == lives(told({}))


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_has_a_night_each_day(zone: str) -> None:
    """T6: each date of the place has one night, from its midnight to its five o'clock, 365 in a year."""
    place = ZoneInfo(zone)
    night_of = nights(place, 0, 5 * 3600)
    moment = round(datetime(2027, 1, 1, tzinfo=place).timestamp() * 1000)
    seen, lengths = [], Counter[float]()
    for _ in range(365):
        begin, end = night_of(moment)
        first, last = (datetime.fromtimestamp(at / 1000, place) for at in (begin, end))
        assert (first.hour, first.minute, last.hour, last.minute) == (0, 0, 5, 0)
        seen.append(first.date())
        lengths[(end - begin) / HOUR] += 1
        moment = end
    assert seen == [date(2027, 1, 1) + timedelta(days=n) for n in range(365)]
    change = 0.5 if "Howe" in zone else 1.0
    assert lengths == {5 - change: 1, 5: 363, 5 + change: 1}


@pytest.mark.parametrize("flow", [7, 0])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("month", "day"), [(3, 13), (3, 27), (4, 3), (10, 2), (10, 30), (11, 6)])
def test_the_night_the_clocks_change_tells_a_leak_once(zone: str, month: int, day: int, flow: int) -> None:
    """T14 of T6: a leak through that night is one alert from the night's end on, a healthy home none."""
    place = ZoneInfo(zone)
    rule = WaterLeak(nights(place, 0, 5 * 3600))
    start = round(datetime(2027, month, day, 18, tzinfo=place).timestamp() * 1000)
    watch = Engine({"w": [rule]})
    events: list[AlertEvent] = []
    for n in range(4 * 48):
        begin, end = start + n * 900_000, start + (n + 1) * 900_000
        litres = float(flow) if flow else float(n % 96 < 12)
        events += watch.hear("w", end, 0, {}, [Interval("w", "water_volume_l", begin, end, litres, "good")])
    five = round(datetime(2027, month, day + 1, 5, tzinfo=place).timestamp() * 1000)
    assert [(event.raised, event.severity) for event in events if event.state == "raised"] == [(five, "info")] * bool(
        flow
    )
    assert not [event for event in events if not event.open]
