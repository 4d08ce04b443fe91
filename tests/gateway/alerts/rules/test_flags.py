"""What a meter says of itself: flags go up once, come down for good, and days are told by number."""

import pytest

from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.rules.flags import BatteryLow, Tamper
from gateway.message import ESTIMATED
from tests.support.rule_days import DAY, HOUR, START, Said, alarms, clears, first, found, said

BATTERY = "battery_left_s"
DAY_S = 86_400


def flagged(rule: Tamper | BatteryLow, word: str, course: str, every: int = HOUR) -> list[AlertEvent]:
    """Let an engine hear of a flag: + up, - down."""
    engine = Engine({"m": [rule]})
    heard = enumerate(course)
    return [
        event
        for n, sign in heard
        for event in engine.hear("m", START + n * every, 0, {}, (), [word, "other"] if sign == "+" else ["other"])
    ]


@pytest.mark.parametrize(
    ("rule", "word", "severity"), [(Tamper(), "tamper", "warning"), (BatteryLow(), "battery_low", "info")]
)
@pytest.mark.parametrize(
    ("course", "states"),
    [
        ("---", []),
        ("-+++++", ["raised"]),
        ("+-+-+-+--+", ["raised"]),  # radio meters say it in every other telegram
        ("+--", ["raised"]),
        ("+---", ["raised", "cleared"]),
        ("+---+", ["raised", "cleared"]),  # within the pause
    ],
)
def test_a_flag_is_told_when_it_goes_up(
    rule: Tamper | BatteryLow, word: str, severity: str, course: str, states: list[str]
) -> None:
    """Once, and over with three readings in a row without it."""
    told = flagged(rule, word, course)
    assert [event.state for event in told] == states
    assert {event.severity for event in told} <= {severity}


def test_after_a_day_a_cover_that_opens_again_is_told_again() -> None:
    """Its pause is a day, a battery's a month."""
    assert [event.state for event in flagged(Tamper(), "tamper", "+---+", DAY)].count("raised") == 2
    assert [event.state for event in flagged(BatteryLow(), "battery_low", "+---+", DAY)].count("raised") == 1


@pytest.mark.parametrize(
    ("days", "severity"), [(180.0, None), (179.9, "info"), (30.0, "info"), (29.9, "warning"), (0.0, "warning")]
)
def test_a_battery_that_ends_is_told_by_its_days(days: float, severity: str | None) -> None:
    """Below half a year, urgently below a month; the limits themselves are neither."""
    told = found(BatteryLow(), said([{BATTERY: days * DAY_S}] * 2, DAY))
    assert [finding.severity for _, finding in told][:1] == ([severity] if severity else [])  # type: ignore[union-attr]


def test_a_new_battery_ends_it() -> None:
    """It says so itself."""
    told = found(BatteryLow(), said([{BATTERY: 10.0 * DAY_S}, {BATTERY: 3000.0 * DAY_S}], DAY))
    assert (len(alarms(told)), clears(told)) == (1, [24])
    assert first(told)[1].value == 10 * DAY_S


def test_doubt_and_silence_tell_nothing() -> None:
    """Nor do telegrams without that value."""
    assert found(BatteryLow(), [Said(START, {BATTERY: 5.0}, ESTIMATED), Said(START + 1, {"power_w": 1.0})]) == []


def test_a_flag_that_is_down_says_nothing_of_a_battery_that_told_its_days() -> None:
    """One alert stands, however many readings come without the flag."""
    engine = Engine({"m": [BatteryLow()]})
    told = [event for n in range(9) for event in engine.hear("m", START + n * HOUR, 0, {BATTERY: 100.0 * DAY_S})]
    assert [event.state for event in told] == ["raised"]
