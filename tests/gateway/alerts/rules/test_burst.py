"""A burst: flow over half an hour and ten minutes, the home's own most, habits of the garden, gaps, and its end."""

from collections.abc import Sequence

import pytest

from gateway.alerts.rule import Alarm
from gateway.alerts.rules.burst import WaterBurst
from gateway.check import Interval
from tests.support.rule_days import (
    DAY,
    HOUR,
    MINUTE,
    QUARTER,
    START,
    UTC,
    alarms,
    clears,
    events,
    first,
    found,
    intervals,
)

KEY = "water_volume_l"
RULE = WaterBurst(UTC)


def minutes(flow: Sequence[float], start: int = START, length: int = MINUTE) -> list[Interval]:
    """Make intervals of a meter that is read each minute, from litres a minute."""
    return intervals(KEY, flow, length, start)


def quarters(flow: Sequence[float], start: int = START) -> list[Interval]:
    """Make quarters of an hour from litres a minute."""
    return intervals(KEY, [15 * litres for litres in flow], QUARTER, start)


@pytest.mark.parametrize(("flow", "told"), [(11.99, []), (12.0, [0.5])])
def test_half_an_hour_of_much_is_a_warning(flow: float, told: list[float]) -> None:
    """Twelve litres a minute, at the end of the thirtieth minute and not before."""
    assert alarms(found(RULE, minutes([flow] * 60))) == told


@pytest.mark.parametrize(("flow", "severity", "after"), [(19.9, "warning", 0.5), (20.0, "critical", 1 / 6)])
def test_ten_minutes_of_very_much_are_critical(flow: float, severity: str, after: float) -> None:
    """Twenty litres a minute are a broken pipe."""
    at, alarm = first(found(RULE, minutes([flow] * 60)))
    assert at == pytest.approx(after)
    assert alarm.severity == severity
    assert (alarm.value, alarm.unit) == (round(flow * 60), "l/h")


@pytest.mark.parametrize(("length", "after"), [(MINUTE, 0.5), (QUARTER, 0.5), (HOUR, 1.0)])
def test_any_pace_of_readings_finds_it(length: int, after: float) -> None:
    """As late as it is coarse."""
    flow = [16.0 * length / MINUTE] * (2 * HOUR // length)
    assert alarms(found(RULE, minutes(flow, length=length))) == [after]


def test_a_bath_is_no_burst() -> None:
    """A quarter of an hour of fifteen litres a minute, with pauses."""
    assert found(RULE, minutes(([15.0] * 15 + [0.0] * 30) * 10)) == []


def test_it_is_over_after_a_quarter_of_almost_nothing() -> None:
    """In the mean below two litres a minute; what was lost is said."""
    told = found(RULE, minutes([0.0] * 30 + [25.0] * 60 + [2.5] * 30 + [1.0] * 30))
    assert clears(told) == [pytest.approx(130 / 60)]
    assert told[-1][1].evidence["lost_l"] == pytest.approx(25 * 60 + 2.5 * 30 + 10, abs=30)


def test_a_home_that_takes_more_has_its_own_limit() -> None:
    """One and a half times the most of four weeks, which it took in a night once."""
    pool = [0.0] * 12 + [11.0] * 4 + [0.0] * 80
    assert alarms(found(RULE, quarters(pool + [0.0] * 60 + [16.0] * 4))) == []
    assert alarms(found(RULE, quarters(pool + [0.0] * 60 + [17.0] * 4))) == [24 + 15.5]


def test_what_flows_at_its_time_each_day_is_a_habit() -> None:
    """Two nights are told, the third is known; at another time it is told again."""
    water = WaterBurst(UTC, above=8.0)
    night = [0.0] * 8 + [9.0] * 6 + [0.0] * 82
    assert alarms(found(water, quarters(night * 6))) == [2.5, 26.5]
    noon = [0.0] * 48 + [13.6] * 6 + [0.0] * 42
    assert alarms(found(water, quarters(night * 6 + noon))) == [2.5, 26.5, 6 * 24 + 12.5]


def test_habits_straddle_midnight_and_wander_a_little() -> None:
    """Three quarters of an hour to either side are the same time."""
    water = WaterBurst(UTC, above=8.0)
    flow = [0.0] * (96 * 6)
    for day, begin in enumerate((94, 97, 96, 94)):
        flow[day * 96 + begin : day * 96 + begin + 4] = [9.0] * 4
    assert len(alarms(found(water, quarters(flow)))) == 2


def test_a_week_without_it_is_forgotten() -> None:
    """Last summer's sprinkler is no habit."""
    water = WaterBurst(UTC, above=8.0)
    night = [0.0] * 8 + [9.0] * 6 + [0.0] * 82
    told = alarms(found(water, quarters(night * 3 + [0.0] * 96 * 40 + night)))
    assert told[-1] == 43 * 24 + 2.5


@pytest.mark.parametrize("quality", ["suspect", "reset"])
def test_what_is_doubtful_or_unknown_is_no_flow(quality: str) -> None:
    """The half hour starts anew."""
    flow = quarters([16.0, 16.0, 16.0, 16.0])
    amount = None if quality == "reset" else 240.0
    flow[1] = flow[1]._replace(quality=quality, amount=amount)  # type: ignore[arg-type]
    assert alarms(found(RULE, flow)) == [1.0]


def test_a_catch_up_has_no_known_flow() -> None:
    """Ten cubic metres in eleven hours unread may have been a garden; an end nobody saw is none."""
    gap = Interval("m", KEY, START, START + 11 * HOUR, 10_000.0, "catch_up")
    assert found(RULE, [gap, *quarters([0.0] * 8, START + 11 * HOUR)]) == []
    flow = [*quarters([16.0] * 4), Interval("m", KEY, START + HOUR, START + 3 * HOUR, 0.0, "catch_up")]
    assert isinstance(found(RULE, flow)[-1][1], Alarm)


def test_the_clock_set_back_blinds_nobody() -> None:
    """A burst on the clock as it is now is told, though a month that never was lies ahead."""
    assert alarms(found(RULE, [*quarters([0.0] * 96, START + 30 * DAY), *quarters([16.0] * 4)])) == [0.5]


def test_each_burst_is_told() -> None:
    """There is no pause between two of them."""
    told = events(RULE, quarters([16.0] * 4 + [0.0] * 4 + [25.0] * 4 + [0.0] * 4))
    assert [(event.state, event.severity) for event in told if event.state != "updated"] == [
        ("raised", "warning"), ("cleared", "warning"), ("raised", "critical"), ("cleared", "critical"),
    ]  # fmt: skip
