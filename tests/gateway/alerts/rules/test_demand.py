"""More power than was contracted: projections within a window, told in time, once, and over with a good window."""

import pytest

from gateway.alerts.rules.demand import DemandLimit
from gateway.message import SUSPECT
from tests.support.rule_days import DAY, MINUTE, START, Said, alarms, clears, first, found, said

RULE = DemandLimit(5000.0)


def power(watts: list[float], q: int = 0, start: int = START) -> list[Said]:
    """Let a meter show these watts, a minute apart."""
    return said([{"power_w": value} for value in watts], start=start, q=q)


@pytest.mark.parametrize(("watts", "told"), [(5000.0, []), (5010.0, [24 / 60])])
def test_the_window_is_judged_at_two_fifths(watts: float, told: list[float]) -> None:
    """The limit itself is allowed for ever; above it is told 36 minutes before the hour is over."""
    assert alarms(found(RULE, power([watts] * 60))) == told


def test_it_says_what_the_hour_will_be() -> None:
    """The mean, against what was contracted, and when the hour ends."""
    alarm = first(found(RULE, power([8000.0] * 60)))[1]
    assert (alarm.severity, alarm.value, alarm.baseline, alarm.unit) == ("warning", 8000, 5000, "W")
    assert alarm.evidence["ends_ms"] == START + 60 * MINUTE


def test_a_kettle_is_no_projection() -> None:
    """Two minutes of much beside an hour of little."""
    assert found(RULE, power([1000.0] * 30 + [9000.0] * 2 + [1000.0] * 28)) == []


def test_a_good_hour_before_counts() -> None:
    """Twenty minutes of nothing leave room for forty of seven kilowatts."""
    assert found(RULE, power([0.0] * 20 + [7000.0] * 40)) == []
    assert alarms(found(RULE, power([0.0] * 20 + [8000.0] * 40))) != []


def test_each_bad_window_is_told_and_a_good_one_ends_it() -> None:
    """Once a window, and over with the first below."""
    told = found(RULE, power([8000.0] * 120 + [1000.0] * 61))
    assert len(alarms(told)) == 1
    assert clears(told) == [3.0]


@pytest.mark.parametrize("every", [1, 60])
def test_seldom_readings_project_nothing(every: int) -> None:
    """Of a window of which less than half is known nothing is said."""
    rows = [Said(START + n * every * 3 * MINUTE, {"power_w": 9000.0}) for n in range(60)]
    assert found(RULE, rows) == []


def test_doubt_and_export_are_no_demand() -> None:
    """What flows out is not taken."""
    assert found(RULE, power([9000.0] * 60, SUSPECT)) == []
    assert found(RULE, power([-9000.0] * 60)) == []


def test_a_quarter_of_an_hour_is_a_window_too() -> None:
    """As other countries bill."""
    assert alarms(found(DemandLimit(5000.0, window=900.0), power([6000.0] * 14))) == [6 / 60]


def test_the_clock_set_back_blinds_nobody() -> None:
    """A late reading is none, an hour of them is a new beginning."""
    ahead = power([1000.0] * 60, start=START + 30 * DAY)
    assert alarms(found(RULE, [*ahead, *power([8000.0] * 60)])) == [24 / 60]
    late = Said(ahead[-1].ts - MINUTE, {"power_w": 90_000.0})
    assert found(RULE, [*ahead, *[late] * 50]) == []
