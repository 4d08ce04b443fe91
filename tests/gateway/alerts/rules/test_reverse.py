"""What flows the wrong way: falls of the main register, rises of the other, and what is noise."""

from collections.abc import Iterable

import pytest

from gateway.alerts.rule import Alarm
from gateway.alerts.rules.reverse import ReverseFlow
from gateway.message import ESTIMATED, LOAD_PROFILE, SUSPECT
from tests.support.rule_days import DAY, QUARTER, START, Said, alarms, clears, events, first, found, intervals, said

L, WH, OUT = "water_volume_l", "energy_import_wh", "energy_export_wh"
RULE = ReverseFlow()


def shown(values: Iterable[float], key: str = L, q: int = 0) -> list[Said]:
    """Let a main register show these values, a quarter of an hour apart."""
    return said([{key: value} for value in values], QUARTER, q=q)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([100, 98, 98], True),  # two litres back, and they stay
        ([100, 90, 97], True),  # and something was used meanwhile
        ([100, 98, 98.5], False),  # it may be on its way back
        ([100, 98.1, 98.1], False),  # less than two
        ([100, 99, 100, 99, 100], False),  # a step that trembles
        ([100, 90, 100, 90, 101], False),  # one broken telegram, twice
        ([5000, 3999, 3999], False),  # another register
        ([5000, 4000, 4000], True),  # the most that is still this one
        ([100, 100, 100], False),
    ],
)
def test_a_fall_that_stays_is_told(values: list[float], told: bool) -> None:
    """With the second reading below, and only within what can have flowed back."""
    assert bool(alarms(found(RULE, shown(values)))) is told


def test_it_says_how_much_fell() -> None:
    """In the register's own unit; the check's word that it is suspect is no reason to be silent."""
    alarm = first(found(RULE, shown([10_000, 9_400, 9_300], WH, SUSPECT)))[1]
    assert (alarm.severity, alarm.value, alarm.unit, alarm.quantity) == ("warning", 700, "Wh", WH)


@pytest.mark.parametrize("q", [ESTIMATED, LOAD_PROFILE])
def test_what_is_old_or_guessed_tells_nothing(q: int) -> None:
    """A row of a load profile is older than the register."""
    assert found(RULE, shown([100, 90, 90], q=q)) == []


def test_a_telegram_that_came_twice_or_late_proves_nothing() -> None:
    """A fall is proven by a newer reading only."""
    rows = shown([100, 110, 120, 130])
    broken = rows[3]._replace(values={L: 90})
    assert found(RULE, [*rows[:3], broken, broken, *shown([0, 0, 0, 0, 131])[4:]]) == []
    assert found(RULE, [*rows, rows[1], rows[0], rows[1]]) == []


def test_it_is_over_after_a_day() -> None:
    """Not an hour before."""
    told = found(RULE, shown([100, 90, 90, *[90 + n for n in range(100)]]))
    assert clears(told) == [24.5]


def test_a_day_of_falls_is_told_once() -> None:
    """The register falls again at noon: the alert stands already."""
    values = [100.0, 90, 90, *[90 + n for n in range(40)], 120, 120, *[120 + n for n in range(40)]]
    assert [event.state for event in events(RULE, shown(values))] == ["raised"]


@pytest.mark.parametrize(("each", "told"), [(49.9, False), (50.0, True)])
def test_export_without_panels_is_told_by_the_day(each: float, told: bool) -> None:
    """Two hundred watt-hours a day, however they come; with panels it is what they are for."""
    amounts = [0.0] * 40 + [each] * 4 + [0.0] * 8
    assert bool(alarms(found(RULE, intervals(OUT, amounts)))) is told
    assert found(ReverseFlow(pv=True), intervals(OUT, amounts)) == []


def test_a_little_each_day_is_noise() -> None:
    """It does not add up over days."""
    assert found(RULE, intervals(OUT, ([0.0] * 40 + [150.0] + [0.0] * 55) * 5)) == []


def test_a_register_of_water_that_runs_back_is_told() -> None:
    """From two litres on."""
    assert found(RULE, intervals("water_volume_reverse_l", [0.0, 1.0, 0.0])) == []
    assert alarms(found(RULE, intervals("water_volume_reverse_l", [0.0, 1.0, 1.0]))) == [0.75]


def test_the_clock_set_back_keeps_no_alert_for_a_month() -> None:
    """What was told on a clock ahead is over as soon as it flows forward."""
    ahead = said([{L: value} for value in (100, 90, 90)], QUARTER, START + 30 * DAY)
    told = found(RULE, [*ahead, *shown([91, 92])])
    assert isinstance(told[0][1], Alarm)
    assert clears(told) == [0.0]
