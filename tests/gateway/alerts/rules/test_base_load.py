"""A base load that grows: medians of days, days in a row, gaps, and its end."""

import pytest

from gateway.alerts.rules.base_load import BaseLoad
from tests.support.rule_days import DAY, START, alarms, clears, first, found, hours

WH = "energy_import_wh"
RULE = BaseLoad()


def days(base: float | None, count: int) -> list[float | None]:
    """Give days with nights of a base load and evenings above."""
    return [base if base is None else base + (1500 if hour > 16 else 0) for _ in range(count) for hour in range(24)]


@pytest.mark.parametrize(("rise", "told"), [(120, []), (121, [(40 + 8) * 24 + 1])])
def test_a_rise_of_a_week_is_told(rise: float, told: list[float]) -> None:
    """120 W more are allowed; above, the fourth day moves the median and five days in a row tell it."""
    assert alarms(found(RULE, hours(WH, days(100, 40) + days(100 + rise, 14)))) == told


def test_a_home_of_much_may_grow_by_a_third() -> None:
    """Beside a kilowatt 300 W are nothing."""
    assert found(RULE, hours(WH, days(1000, 40) + days(1340, 20))) == []
    assert alarms(found(RULE, hours(WH, days(1000, 40) + days(1360, 20)))) != []


def test_it_says_what_grew() -> None:
    """Watts now and before, for the digest."""
    alarm = first(found(RULE, hours(WH, days(100, 40) + days(300, 14))))[1]
    assert (alarm.severity, alarm.value, alarm.baseline, alarm.unit) == ("info", 300, 100, "W")


def test_four_days_are_not_enough() -> None:
    """Guests for a long weekend change no median for five days."""
    assert found(RULE, hours(WH, days(100, 40) + days(400, 4) + days(100, 14))) == []


def test_four_weeks_must_be_known() -> None:
    """A month of which most is unknown is no base."""
    assert found(RULE, hours(WH, days(100, 12) + days(400, 14))) == []
    assert found(RULE, hours(WH, days(100, 5) + days(None, 30) + days(400, 14))) == []


def test_it_is_over_when_half_is_gone() -> None:
    """Not before the median says so."""
    told = found(RULE, hours(WH, days(100, 40) + days(400, 12) + days(260, 4) + days(150, 8)))
    assert len(alarms(told)) == 1
    assert clears(told) == [(40 + 12 + 4 + 4) * 24 + 1]


def test_an_answer_moves_the_threshold() -> None:
    """Twice the limit."""
    assert found(BaseLoad(factor=2.0), hours(WH, days(100, 40) + days(300, 14))) == []


def test_the_clock_set_back_blinds_nobody() -> None:
    """It begins anew on the clock as it is now."""
    ahead = hours(WH, days(100, 40), START + 60 * DAY)
    assert alarms(found(RULE, [*ahead, *hours(WH, days(400, 14))])) != []
