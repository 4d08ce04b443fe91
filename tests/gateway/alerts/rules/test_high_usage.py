"""High use: against each home's own usual and its own rare days, in three hours of electricity and a day of water."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from gateway.alerts.rules.high_usage import HighUsage, HighWaterDay
from tests.support.rule_days import DAY, HOUR, START, alarms, clears, events, first, found, hours, intervals

WH, LITRES = "energy_import_wh", "water_volume_l"
RULE = HighUsage()
CALM = [500.0] * 24


def home(day: Sequence[float | None], days: int = 20) -> list[float | None]:
    """Give calm days, then this one."""
    return [*CALM * days, *day]


@pytest.mark.parametrize(("more", "told"), [(500, []), (501, [20 * 24 + 3])])
def test_three_hours_must_be_above_the_limit(more: float, told: list[float]) -> None:
    """1,500 Wh above the usual are allowed; a little more is told at the end of the third hour."""
    assert alarms(found(RULE, hours(WH, home([500 + more] * 3)))) == told


def test_it_says_how_much_and_against_what() -> None:
    """What was used, what is usual, the hours, and a warning once it is a twentieth of a usual week."""
    at, alarm = first(found(RULE, hours(WH, home([1500.0] * 4))))
    assert (at, alarm.severity, alarm.value, alarm.baseline, alarm.unit) == (20 * 24 + 2, "info", 3500, 1500, "Wh")
    assert [amount for _, amount in alarm.points] == [500, 1500, 1500]
    assert alarm.evidence == {"above_wh": 2000, "limit_wh": 1500, "hours": 3}
    assert first(found(RULE, hours(WH, home([9000.0]))))[1].severity == "warning"


def test_it_is_over_at_half() -> None:
    """The window empties hour by hour; a little below the limit is no end."""
    told = found(RULE, hours(WH, home([1001, 1001, 1001, 500, 500, 500])))
    assert clears(told) == [20 * 24 + 5]


@pytest.mark.parametrize(("day", "told"), [(13, []), (14, [14 * 24 + 1])])
def test_two_weeks_are_learnt(day: int, told: list[float]) -> None:
    """Whatever is used until then."""
    assert alarms(found(RULE, hours(WH, home([9000], day)))) == told


def test_the_cool_down_lasts_twelve_hours() -> None:
    """Twice in a morning is told once, the next day's again."""
    day = [*[1100.0] * 3, *[500.0] * 5, *[1100.0] * 3, *[500.0] * 13, *[1200.0] * 3]
    quarters = [amount / 4 for amount in [*CALM * 20, *day] for _ in range(4)]
    told = [event.state for event in events(RULE, intervals(WH, quarters))]
    assert told == ["raised", "cleared", "raised"]


def test_a_gap_is_unknown() -> None:
    """Three hours in a row are judged, and an hour that nobody knows is none of them."""
    assert found(RULE, hours(WH, home([1400, None, 1400, 1400]))) == []


def test_nobody_at_home_and_a_stuck_meter_teach_nothing() -> None:
    """After two weeks without any use the ordinary is not high."""
    assert found(RULE, hours(WH, [*CALM * 20, *[0.0] * 24 * 14, *CALM * 5])) == []
    away = HighUsage(away=True)
    assert found(away, hours(WH, home([9000] * 6))) == []


def test_who_leaves_ends_it() -> None:
    """An alert that stands when away mode is switched on is over."""
    state = RULE.start
    for hour in hours(WH, home([9000] * 3)):
        state, _ = RULE.hour(state, hour)
    (later,) = hours(WH, [100], START + 483 * HOUR)
    assert HighUsage(away=True).hour(state, later)[1] is not None


def test_a_known_hour_of_the_week_is_normal() -> None:
    """What the customer called normal then is not told; at another hour it is."""
    day = [500.0] * 6 + [3000.0] * 3 + [500.0] * 15
    place = hours(WH, home(day))[20 * 24 + 6].place
    known = frozenset(range(place.week_hour, place.week_hour + 3))
    assert found(HighUsage(known=known), hours(WH, home(day))) == []
    other = frozenset(hour + 6 for hour in known)
    assert alarms(found(HighUsage(known=other), hours(WH, home(day)))) != []


def test_an_answer_moves_the_threshold() -> None:
    """Not useful: a quarter above."""
    day: list[float | None] = [1100] * 3
    assert alarms(found(RULE, hours(WH, home(day)))) != []
    assert alarms(found(HighUsage(factor=1.25), hours(WH, home(day)))) == []


def test_the_clock_set_back_blinds_nobody() -> None:
    """Thirty days that were on a clock ahead do not have to pass again."""
    ahead = hours(WH, home([]), START + 30 * DAY)
    assert alarms(found(RULE, [*ahead, *hours(WH, [*CALM, *[2000.0] * 3])])) == [26.0]


def test_a_season_that_comes_is_not_told_day_by_day() -> None:
    """Everything takes a twelfth more each day for three weeks: what the last days were is no news."""
    day = [300.0] * 8 + [1200.0] * 10 + [300.0] * 6
    season = [amount * (1 + 0.08 * n) for n in range(1, 21) for amount in day]
    assert len(alarms(found(RULE, hours(WH, day * 30 + season)))) <= 3


@pytest.mark.parametrize("seed", range(3))
def test_a_lively_home_is_told_about_its_budget(seed: int) -> None:
    """However it lives: some, and no more than four in eight weeks, give or take what chance is in a season."""
    dice = random.Random(seed)
    amounts = list[float]()
    for _ in range(8 * 28):
        day = [dice.uniform(200, 900) for _ in range(24)]
        for _ in range(dice.randint(0, 3)):
            at, size = dice.randrange(22), dice.expovariate(1 / 2500)
            day[at : at + 2] = [amount + size for amount in day[at : at + 2]]
        amounts += day[:24]
    told = alarms(found(RULE, hours(WH, amounts)))
    assert all(b - a >= 1 for a, b in pairwise(told))
    assert 4 <= len(told) <= 24


@pytest.mark.parametrize(("more", "told"), [(150, []), (151, [20 * 24 + 12])])
def test_water_is_judged_by_the_day(more: float, told: list[float]) -> None:
    """A hundred and fifty litres more than usual in a day are allowed."""
    day = [10.0] * 11 + [10.0 + more] + [10.0] * 12
    assert alarms(found(HighWaterDay(), hours(LITRES, [10.0] * 24 * 20 + day))) == told


def test_a_high_day_of_water_is_over_a_day_later() -> None:
    """When the window has let it go."""
    day = [10.0] * 11 + [400.0] + [10.0] * 40
    assert clears(found(HighWaterDay(), hours(LITRES, [10.0] * 24 * 20 + day))) == [20 * 24 + 36]
