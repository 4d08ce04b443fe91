"""Gas that never stops, and gas that burns on: hours in a row, pilots, evenness, habits, gaps and ends."""

import pytest

from gateway.alerts.rules.gas import GasContinuous, GasLongUse
from tests.support.rule_days import DAY, START, alarms, clears, events, first, found, hours, intervals

KEY = "gas_volume_l"
RULE, LONG = GasContinuous(), GasLongUse()


@pytest.mark.parametrize(("count", "told"), [(47, []), (48, [48])])
def test_two_days_without_an_hour_of_rest_are_told(count: int, told: list[float]) -> None:
    """At the end of the forty-eighth hour; one litre an hour is enough."""
    assert alarms(found(RULE, hours(KEY, [1.0] * count + [0.0]))) == told


def test_it_is_critical_and_says_how_much() -> None:
    """The mean of those hours, and the least of one: that is the leak."""
    alarm = first(found(RULE, hours(KEY, [10.0, 100.0] * 24)))[1]
    assert (alarm.severity, alarm.value, alarm.unit) == ("critical", 55, "l/h")
    assert (alarm.evidence["least_l"], alarm.evidence["hours"]) == (10, 48)


def test_an_hour_of_rest_begins_anew() -> None:
    """A home that is well has some each day."""
    assert found(RULE, hours(KEY, ([50.0] * 46 + [0.0]) * 5)) == []


@pytest.mark.parametrize(("litres", "told"), [(12.0, False), (12.1, True)])
def test_a_pilot_flame_is_known(litres: float, told: bool) -> None:
    """What the installer found burns always; exactly that is no leak."""
    assert bool(alarms(found(GasContinuous(pilot=12.0), hours(KEY, [litres] * 60)))) is told


def test_three_hours_of_rest_end_it() -> None:
    """Two do not; the end is when it stopped, and the next one is told at once."""
    assert clears(found(RULE, hours(KEY, [9.0] * 50 + [0.0, 0.0] + [9.0] * 3))) == []
    assert clears(found(RULE, hours(KEY, [9.0] * 50 + [0.0] * 3))) == [53]
    quarters = [2.0] * 200 + [0.0] * 16 + [2.0] * 200
    states = [event.state for event in events(RULE, intervals(KEY, quarters)) if event.state != "updated"]
    assert states == ["raised", "cleared", "raised"]


def test_an_unknown_hour_neither_goes_on_nor_ends() -> None:
    """A day of silence in between: what is told stays told, what was counted begins anew."""
    assert found(RULE, hours(KEY, [5.0] * 40 + [None] + [5.0] * 40)) == []
    told = found(RULE, hours(KEY, [5.0] * 50 + [None] * 24 + [0.0] * 2 + [5.0]))
    assert clears(told) == []


def test_the_clock_set_back_blinds_nobody() -> None:
    """Neither of the two."""
    ahead = hours(KEY, [0.0] * 24, START + 30 * DAY)
    assert alarms(found(RULE, [*ahead, *hours(KEY, [5.0] * 48)])) == [48]
    assert alarms(found(LONG, [*ahead, *hours(KEY, [200.0] * 6)])) == [5]


@pytest.mark.parametrize(("count", "told"), [(4, []), (5, [5])])
def test_gas_that_burns_evenly_for_more_than_four_hours_is_told(count: int, told: list[float]) -> None:
    """A cooker left on."""
    assert alarms(found(LONG, hours(KEY, [200.0] * count + [0.0]))) == told


@pytest.mark.parametrize(("course", "told"), [([200, 219] * 5, True), ([200, 260] * 5, False), ([49.0] * 20, False)])
def test_even_is_within_a_tenth(course: list[float], told: bool) -> None:
    """Heating comes and goes; what burns less than a pilot flame and a bit is G1's."""
    assert bool(alarms(found(LONG, hours(KEY, course)))) is told


def test_a_home_that_heats_evenly_has_its_own_limit() -> None:
    """Half as long again as it did in four weeks, and never what was told."""
    heating = [300.0] * 4 + [0.0] * 20
    assert alarms(found(LONG, hours(KEY, heating * 3 + [300.0] * 6 + [0.0]))) == []
    assert alarms(found(LONG, hours(KEY, heating * 3 + [300.0] * 7 + [0.0]))) == [3 * 24 + 7]
    long = [300.0] * 8 + [0.0] * 16
    assert len(alarms(found(LONG, hours(KEY, long * 2)))) == 2


def test_five_weeks_later_it_is_forgotten() -> None:
    """What burned in winter is no measure of summer."""
    winter = [300.0] * 4 + [0.0] * 20
    assert alarms(found(LONG, hours(KEY, winter + [0.0] * 24 * 42 + [300.0] * 5))) == [43 * 24 + 5]


def test_another_flow_ends_it() -> None:
    """Twelve hours pass until it is told again, unless it is worse."""
    assert clears(found(LONG, hours(KEY, [200.0] * 6 + [0.0]))) == [7]
    quarters = ([50.0] * 24 + [0.0] * 8) * 2
    assert [event.state for event in events(LONG, intervals(KEY, quarters))] == ["raised", "cleared"]


def test_an_answer_moves_the_threshold() -> None:
    """Twice as long."""
    assert found(GasLongUse(factor=2.0), hours(KEY, [200.0] * 8)) == []
    assert alarms(found(GasLongUse(factor=2.0), hours(KEY, [200.0] * 9))) == [9]


def test_a_gap_begins_anew() -> None:
    """Three hours, one that nobody knows, three hours."""
    assert found(LONG, hours(KEY, [200.0] * 3 + [None] + [200.0] * 3)) == []
