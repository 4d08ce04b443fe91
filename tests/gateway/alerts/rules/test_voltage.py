"""Voltage outside of its band, and a phase that is gone: two readings, hysteresis, places, gaps."""

from collections.abc import Iterable, Sequence

import pytest

from gateway.alerts.rules.voltage import PhaseFault, VoltageQuality
from gateway.message import ESTIMATED, SUSPECT
from tests.support.rule_days import DAY, HOUR, MINUTE, START, Said, alarms, clears, events, first, found, said

RULE, PHASE = VoltageQuality(), PhaseFault()
GOOD = [230.0] * 3


def volts(values: Iterable[float], key: str = "voltage_l1_v", q: int = 0) -> list[Said]:
    """Let one phase show these volts, a minute apart."""
    return said([{key: value} for value in values], q=q)


def phases(rows: Iterable[Sequence[float]], every: int = MINUTE, start: int = START) -> list[Said]:
    """Let three phases show these volts."""
    return said(
        [dict(zip(("voltage_l1_v", "voltage_l2_v", "voltage_l3_v"), row, strict=True)) for row in rows], every, start
    )


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ([207.0] * 9, False),  # a tenth below, exactly
        ([206.9] * 2, True),
        ([206.9, 230, 206.9, 230], False),  # a reading each is no dip
        ([253.0] * 9, False),
        ([253.1] * 2, True),
        ([207.5, 206.9, 208, 208], False),  # back within the band, not by 2 %: neither
        ([115.0] * 2, True),
        ([114.9] * 9, False),  # half of it is a phase that is gone
    ],
)
def test_two_readings_outside_are_told(seen: list[float], told: bool) -> None:
    """Beyond a tenth of 230 V, in two readings."""
    assert bool(alarms(found(RULE, volts([*GOOD, *seen])))) is told


def test_it_is_over_once_it_is_back_by_two_hundredths() -> None:
    """208 V are not enough, 212 V are."""
    told = found(RULE, volts([*GOOD, 200, 200, 208, 208, 211.5, 212]))
    assert clears(told) == [8 / 60]


def test_five_minutes_are_a_warning() -> None:
    """And so is the fourth dip of a day."""
    long = [finding.severity for _, finding in found(RULE, volts([*GOOD, *[200] * 8]))]  # type: ignore[union-attr]
    assert long[0] == "info"
    assert long[-1] == "warning"
    often = events(RULE, volts([*GOOD, *[200, 200, 230] * 4]))
    assert [(event.state, event.severity) for event in often] == [
        ("raised", "info"), ("cleared", "info"), ("raised", "warning"), ("cleared", "warning"),
    ]  # fmt: skip


@pytest.mark.parametrize(("usual", "low"), [(127.0, 110.0), (120.0, 114.2), (225.0, 200.0), (240.0, 206.0)])
def test_the_place_is_learnt(usual: float, low: float) -> None:
    """127 or 230 V, whichever is nearer; a configured one is obeyed."""
    assert alarms(found(RULE, volts([usual] * 3 + [low] * 2))) == [4 / 60]
    assert alarms(found(VoltageQuality(nominal=240.0), volts([240.0] * 3 + [215.9] * 2))) == [4 / 60]


def test_a_gap_is_unknown() -> None:
    """Before it and after it low: what was between nobody knows."""
    low = [Said(START + n * 20 * MINUTE, {"voltage_v": 200.0}) for n in range(4)]
    assert found(RULE, low) == []


@pytest.mark.parametrize("q", [SUSPECT, ESTIMATED])
def test_doubtful_readings_tell_nothing(q: int) -> None:
    """Neither of the voltage nor of phases."""
    assert found(RULE, volts([200] * 9, q=q)) == []
    assert found(PHASE, [row._replace(q=q) for row in phases([(0, 230, 230)] * 9)]) == []


def test_the_worst_phase_is_told() -> None:
    """By its key."""
    alarm = first(found(RULE, phases([(230, 231, 229)] * 2 + [(228, 199, 205)] * 2)))[1]
    assert (alarm.quantity, alarm.value, alarm.baseline) == ("voltage_l2_v", 199, 230)


@pytest.mark.parametrize("rule", [RULE, PHASE])
def test_the_clock_set_back_blinds_nobody(rule: VoltageQuality | PhaseFault) -> None:
    """An hour of dips on the clock as it is now is told; a single late reading changes nothing."""
    ahead = phases([(230, 230, 230)] * 3, MINUTE, START + 30 * DAY)
    low = (200, 230, 230) if rule is RULE else (0, 230, 230)
    assert alarms(found(rule, [*ahead, *phases([low] * 3)])) == [1 / 60]
    late = Said(START + 30 * DAY - MINUTE, dict(ahead[0].values) | {"voltage_l1_v": float(low[0])})
    assert found(rule, [*ahead, late, *phases([(230, 230, 230)] * 3, MINUTE, START + 30 * DAY + HOUR)]) == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ((114.9, 230, 230), True),
        ((115.0, 230, 230), False),
        ((0, 0, 230), True),
        ((0, 0, 0), False),  # the whole house
        ((0, 183, 183), False),  # no phase is there as it should be
        ((60, 127, 127), True),  # the other half of the world
    ],
)
def test_a_phase_that_is_gone_beside_one_that_is_there(row: tuple[float, ...], told: bool) -> None:
    """For a minute."""
    assert bool(alarms(found(PHASE, phases([row] * 3)))) is told


def test_a_minute_is_not_fifty_seconds() -> None:
    """A phase that comes back in between begins anew."""
    gone, there = (0, 230, 230), (230, 230, 230)
    assert alarms(found(PHASE, phases([gone] * 6, 10_000))) == []
    assert alarms(found(PHASE, phases([gone] * 7, 10_000))) == [1 / 60]
    assert alarms(found(PHASE, phases([gone] * 6 + [there] + [gone] * 6, 10_000))) == []
    assert clears(found(PHASE, phases([gone] * 7 + [there], 10_000))) == [7 / 360]


def test_six_hours_pass_before_it_is_told_again() -> None:
    """A loose clamp comes and goes."""
    gone, there = (0, 230, 230), (230, 230, 230)
    told = events(PHASE, phases([*[gone] * 3, *[there] * 57] * 8))
    assert [event.state for event in told].count("raised") == 2


def test_a_meter_of_one_phase_is_not_judged() -> None:
    """It has nothing to compare."""
    assert found(PHASE, volts([0.0] * 9)) == []
