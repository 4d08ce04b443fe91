"""A low power factor: quarters in a row, what matters, and its end."""

import pytest

from gateway.alerts.rules.power_factor import LowPowerFactor
from gateway.message import SUSPECT
from tests.support.rule_days import DAY, MINUTE, QUARTER, START, Said, alarms, clears, first, found, said

RULE = LowPowerFactor()
BAD = {"power_w": 1600.0, "apparent_power_va": 2000.0}
GOOD = {"power_w": 1900.0, "apparent_power_va": 2000.0}


def rows(what: dict[str, float], quarters: int) -> list[dict[str, float]]:
    """Give the readings of so many quarters of an hour, three each."""
    return [what] * 3 * quarters


@pytest.mark.parametrize(("quarters", "told"), [(7, []), (8, [2.0])])
def test_two_hours_of_it_are_told(quarters: int, told: list[float]) -> None:
    """Eight quarters in a row, at the end of the last."""
    assert alarms(found(RULE, said(rows(BAD, quarters) + rows(GOOD, 3), 5 * MINUTE))) == told


@pytest.mark.parametrize(
    "values",
    [
        {"power_w": 1700.0, "apparent_power_va": 2000.0},  # 0.85 exactly
        {"power_w": 400.0, "apparent_power_va": 1000.0},  # too little to matter
        {"power_w": 1600.0, "reactive_power_var": 900.0},  # 0.87
        {"power_w": 1600.0},
        {"apparent_power_va": 2000.0},
    ],
)
def test_what_is_not_low_or_not_known_is_not_told(values: dict[str, float]) -> None:
    """However long."""
    assert found(RULE, said(rows(values, 30), 5 * MINUTE)) == []


def test_reactive_power_serves_where_no_apparent_is_told() -> None:
    """1200 W beside 1600 var are 0.6; export counts as import does."""
    alarm = first(found(RULE, said(rows({"power_w": -1200.0, "reactive_power_var": 1600.0}, 9), 5 * MINUTE)))[1]
    assert (alarm.value, alarm.baseline) == (0.6, 0.85)


def test_a_good_quarter_begins_anew() -> None:
    """And as many good ones as bad ones are its end."""
    assert found(RULE, said(rows(BAD, 7) + rows(GOOD, 1) + rows(BAD, 7) + rows(GOOD, 1), 5 * MINUTE)) == []
    told = found(RULE, said(rows(BAD, 9) + rows(GOOD, 9), 5 * MINUTE))
    assert clears(told) == [2.25 + 2]


def test_a_gap_and_doubt_tell_nothing() -> None:
    """Quarters must follow one another."""
    gapped = [Said(START + n * 2 * QUARTER, BAD) for n in range(30)]
    assert found(RULE, gapped) == []
    assert found(RULE, said(rows(BAD, 30), 5 * MINUTE, q=SUSPECT)) == []


def test_the_clock_set_back_blinds_nobody() -> None:
    """One late reading is none, a month back is a new beginning."""
    ahead = said(rows(BAD, 7), 5 * MINUTE, START + 30 * DAY)
    assert alarms(found(RULE, [*ahead, *said(rows(BAD, 9), 5 * MINUTE)])) == [2.0]
    late = Said(ahead[-1].ts - QUARTER, GOOD)
    more = said(rows(BAD, 2), 5 * MINUTE, ahead[-1].ts + 5 * MINUTE)
    assert len(alarms(found(RULE, [*ahead, late, *more]))) == 1
