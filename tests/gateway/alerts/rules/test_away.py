"""What flows while nobody is at home: leaving, what is taken anyway, limits, and its end."""

import pytest

from gateway.alerts.rules.away import FlowWhileAway
from gateway.check import Interval
from tests.support.rule_days import DAY, HOUR, QUARTER, START, alarms, clears, events, first, found, intervals

WATER, GAS = "water_volume_l", "gas_volume_l"
RULE = FlowWhileAway(away=True)


def days(*litres: float, at: int = 12) -> list[float]:
    """Give days of quarter-hours with so many litres each, at noon."""
    return [amount if hour == 4 * at else 0.0 for amount in litres for hour in range(96)]


@pytest.mark.parametrize(
    ("key", "litres", "told"), [(WATER, 5.0, False), (WATER, 5.1, True), (GAS, 50.0, False), (GAS, 51.0, True)]
)
def test_a_little_is_allowed(key: str, litres: float, told: bool) -> None:
    """Five litres of water, fifty of gas in a day; more is told with the reading that shows it."""
    assert alarms(found(RULE, intervals(key, days(litres)))) == ([12.25] if told else [])


def test_gas_is_critical() -> None:
    """A tap is a nuisance, gas in an empty home is not."""
    assert first(found(RULE, intervals(GAS, days(500))))[1].severity == "critical"
    alarm = first(found(RULE, intervals(WATER, days(500))))[1]
    assert (alarm.severity, alarm.value, alarm.unit) == ("warning", 500, "l")


def test_the_hour_of_leaving_counts_for_nothing() -> None:
    """The customer says that they are away, and takes a last shower."""
    assert found(RULE, intervals(WATER, [0.0, 30.0, 30.0, 0.0, 0.0, *[0.0] * 90])) == []
    assert alarms(found(RULE, intervals(WATER, [0.0] * 5 + [30.0, *[0.0] * 90]))) == [1.5]


def test_what_is_taken_anyway_is_learnt_on_the_first_day() -> None:
    """An ice maker of four litres a day: nine are allowed from then on, and a leak is not."""
    assert found(RULE, intervals(WATER, days(4, 9, 9.9, 10))) == []
    assert alarms(found(RULE, intervals(WATER, days(4, 9, 10.1)))) == [2 * 24 + 12.25]


def test_a_leak_of_the_first_day_is_no_habit() -> None:
    """It is told, and the next day again: what it teaches is bounded."""
    told = found(RULE, intervals(WATER, days(400, 400)))
    assert len(alarms(told)) == 2


def test_somebody_at_home_may_use_what_they_want() -> None:
    """The rule is silent without away mode, and over once they are back."""
    home = FlowWhileAway(away=False)
    assert found(home, intervals(WATER, days(500, 500))) == []
    state = RULE.start
    for interval in intervals(WATER, days(500)[:60]):
        state, _ = RULE.interval(state, interval)
    state, finding = home.interval(state, intervals(WATER, [1.0], QUARTER, START + DAY)[0])
    assert finding is not None
    assert state == home.start


def test_three_hours_without_flow_end_it() -> None:
    """And a new one within six is not told again."""
    assert clears(found(RULE, intervals(WATER, days(500)))) == [12.25 + 3]
    leak = [0.0] * 8 + [30.0] + [0.0] * 15 + [30.0] + [0.0] * 30 + [30.0]
    assert [event.state for event in events(RULE, intervals(WATER, leak))] == [
        "raised", "cleared", "raised",
    ]  # fmt: skip


def test_doubt_is_no_flow() -> None:
    """A suspect rise is none, nor is a new register."""
    odd = Interval("m", WATER, START + 2 * HOUR, START + 3 * HOUR, 900.0, "suspect")
    new = Interval("m", WATER, START + 3 * HOUR, START + 4 * HOUR, None, "reset")
    assert found(RULE, [*intervals(WATER, [0.0] * 8), odd, new]) == []


def test_the_clock_set_back_blinds_nobody() -> None:
    """Away since a time that lies ahead is away since now."""
    assert (
        alarms(found(RULE, [*intervals(WATER, days(0), QUARTER, START + 30 * DAY), *intervals(WATER, days(90))])) != []
    )
