"""Meters whose own clocks are wrong: told from ten seconds on, once a day at most."""

from collections.abc import Iterable
from itertools import pairwise

import pytest

from gateway.alerts.engine import Engine
from gateway.alerts.rules.meter_clock import KEY, MeterClock
from gateway.message import HOLDOVER

START, MINUTE = 1_795_219_200_000, 60_000
DAY = 1440
"""Readings of a minute."""


def told(offsets: Iterable[float], q: int = 0) -> list[tuple[int, str]]:
    """Hear a reading each minute; give the minute and state of each event."""
    engine = Engine({"m": [MeterClock()]})
    events: list[tuple[int, str]] = []
    for n, off in enumerate(offsets):
        events += [(n, event.state) for event in engine.hear("m", START + n * MINUTE, q, {KEY: off})]
    return events


@pytest.mark.parametrize("off", [0.0, 5.0, -10.0])
def test_up_to_ten_seconds_are_nothing(off: float) -> None:
    """T10: no event, however long it lasts."""
    assert told([off] * 3 * DAY) == []


@pytest.mark.parametrize("off", [30.0, -600.0, 8e8])
def test_a_wrong_clock_is_told_once(off: float) -> None:
    """T10: half a minute, ten minutes, or never set: one event while it lasts, one when it is set right."""
    assert told([off] * 3 * DAY + [1.0] * 5) == [(0, "raised"), (3 * DAY, "cleared")]


def test_a_clock_that_comes_and_goes_is_told_once_a_day() -> None:
    """T10: set right each hour and wrong again, three days long, it is raised three times."""
    raised = [n for n, state in told(([20.0] * 30 + [0.0] * 30) * 72) if state == "raised"]
    assert len(raised) == 3
    assert min(b - a for a, b in pairwise(raised)) >= DAY


def test_a_clock_near_the_limit_does_not_come_and_go() -> None:
    """Nine seconds are neither the beginning nor the end."""
    assert told([11.0, 9.0] * DAY) == [(0, "raised")]


def test_who_is_not_sure_of_the_time_judges_nobody() -> None:
    """In holdover our own clock may be the wrong one."""
    assert told([30.0] * DAY, q=HOLDOVER) == []
