"""A register that stands still: its own longest stand, its bounds, what proves it, and who is away."""

import pytest

from gateway.alerts.rule import Alarm
from gateway.alerts.rules.zero import ZeroConsumption
from gateway.message import SUSPECT
from tests.support.rule_days import DAY, HOUR, QUARTER, START, Said, alarms, clears, first, found, intervals

WH, LITRES = "energy_import_wh", "water_volume_l"
RULE = ZeroConsumption()


def home(still: float, days: int = 15, litres: float = 1.0) -> list[float]:
    """Give days of quarter-hours with a stand of so many hours each night."""
    quiet = round(still * 4)
    return ([0.0] * quiet + [litres] * (96 - quiet)) * days


@pytest.mark.parametrize(
    ("key", "still", "limit"), [(WH, 0, 6), (WH, 1, 6), (WH, 3, 12), (WH, 14, 48), (LITRES, 8, 72), (LITRES, 20, 80)]
)
def test_four_times_the_longest_stand_is_the_limit(key: str, still: float, limit: int) -> None:
    """Within the bounds of what it judges; told when it is reached, not a reading before."""
    told = found(RULE, intervals(key, home(still) + [0.0] * (limit * 4 - 1)))
    assert told == []
    told = found(RULE, intervals(key, home(still) + [0.0] * (limit * 4 + 8)))
    assert alarms(told) == [15 * 24 + limit]
    assert first(told)[1].severity == "info"


def test_two_weeks_are_learnt() -> None:
    """A home may begin with an empty week."""
    assert found(RULE, intervals(WH, home(0, 10) + [0.0] * 96 * 2)) == []


def test_the_first_step_ends_it() -> None:
    """And what was told does not teach that such stands are ordinary."""
    still = [0.0] * 96
    told = found(RULE, intervals(WH, home(0) + still + [1.0] * 96 + still))
    assert clears(told) == [16 * 24 + 0.25]
    assert alarms(told) == [15 * 24 + 6, 17 * 24 + 6]


def test_power_beside_a_register_that_stands_proves_it_stuck() -> None:
    """After a kilowatt-hour by the meter's own power it is a warning, and told once."""
    begun = START + 15 * DAY
    readings = [Said(begun + n * 60_000, {"power_w": 1000.0}) for n in range(200)]
    told = found(RULE, [*intervals(WH, home(0)), *readings])
    assert [type(finding) for _, finding in told] == [Alarm]
    at, alarm = first(told)
    assert at == pytest.approx(15 * 24 + 1, abs=0.05)
    assert alarm.severity == "warning"
    doubtful = [reading._replace(q=SUSPECT) for reading in readings]
    assert found(RULE, [*intervals(WH, home(0)), *doubtful]) == []


def test_power_that_flows_out_or_while_nobody_looked_proves_nothing() -> None:
    """Export moves another register, and a gap of an hour holds no known energy."""
    begun = START + 15 * DAY
    out = [Said(begun + n * 60_000, {"power_w": -3000.0}) for n in range(200)]
    seldom = [Said(begun + n * HOUR, {"power_w": 3000.0}) for n in range(5)]
    assert found(RULE, [*intervals(WH, home(0)), *out]) == []
    assert found(RULE, [*intervals(WH, home(0)), *seldom]) == []


def test_who_is_away_uses_nothing() -> None:
    """And is not told of it, not even on the day after."""
    away = ZeroConsumption(away=True)
    state = RULE.start
    for interval in intervals(LITRES, home(8)):
        state, _ = RULE.interval(state, interval)
    for interval in intervals(LITRES, [0.0] * 96 * 7, QUARTER, START + 15 * DAY):
        state, finding = away.interval(state, interval)
        assert finding is None
    for interval in intervals(LITRES, [0.0] * 96 * 2, QUARTER, START + 22 * DAY):
        state, finding = RULE.interval(state, interval)
        assert finding is None


def test_another_register_begins_anew() -> None:
    """A stand before a replacement says nothing of the new meter."""
    still = [0.0] * 20
    assert found(RULE, intervals(WH, [*home(0), *still, None, *still])) == []


def test_an_answer_moves_the_threshold() -> None:
    """Half as long again."""
    told = found(ZeroConsumption(factor=1.5), intervals(WH, home(0) + [0.0] * 96))
    assert alarms(told) == [15 * 24 + 9]


def test_gas_is_not_judged() -> None:
    """Nobody heats in summer."""
    assert "gas_volume_l" not in RULE.keys


def test_the_clock_set_back_blinds_nobody() -> None:
    """Thirty days back, and a register that stands is told as ever."""
    ahead = intervals(WH, home(0, 16), QUARTER, START + 30 * DAY)
    assert alarms(found(RULE, [*ahead, *intervals(WH, home(0) + [0.0] * 40)])) == [15 * 24 + 6]
