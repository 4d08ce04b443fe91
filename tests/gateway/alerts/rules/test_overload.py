"""Overload: dwell and hysteresis by the reading's own time, gaps unknown, doubtful readings silent."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.alerts.rules.overload import Overload
from gateway.message import ESTIMATED, METER_FLAG, SUSPECT

START = 1_795_219_200_000
RULE = Overload(rating_a=63.0)


def run(amps: Iterable[float], every: float = 10, rule: Overload = RULE, key: str = "current_l1_a") -> list[Finding]:
    """Judge readings `every` seconds apart."""
    state, findings = rule.start, []
    for n, value in enumerate(amps):
        state, finding = rule.reading(state, START + round(n * every * 1000), 0, {key: value})
        findings.append(finding)
    return findings


def first(findings: list[Finding], kind: type = Alarm) -> Any:
    """Give number and finding of the first of a kind, or None."""
    return next(((n, finding) for n, finding in enumerate(findings) if isinstance(finding, kind)), None)


def test_above_the_rating_for_a_minute_is_critical() -> None:
    """Not after 50 s, but after 60 s; the evidence says since when, how much and how high."""
    n, alarm = first(run([70, 71, 72, 70, 70, 70, 70]))
    assert n == 6
    assert alarm.severity == "critical"
    assert (alarm.when, alarm.value, alarm.baseline, alarm.unit) == (START + 60_000, 70, 63.0, "A")
    assert alarm.quantity == "current_l1_a"
    assert alarm.evidence == {"limit_a": 63.0, "since_ms": START, "peak_a": 72}
    assert alarm.points[0] == (START, 70)
    assert len(alarm.points) == 7


def test_above_nine_tenths_for_five_minutes_is_a_warning() -> None:
    """58 A on 63 A is no danger at once."""
    findings = run([58.0] * 40)
    n, alarm = first(findings)
    assert (n, alarm.severity) == (30, "warning")
    assert alarm.evidence["limit_a"] == pytest.approx(56.7)


@pytest.mark.parametrize("amps", [63.0, 56.7, 10.0, -56.0])
def test_at_or_below_a_limit_is_not_above_it(amps: float) -> None:
    """Exactly the rating is allowed for ever, exactly nine tenths never warns."""
    alarms = [finding for finding in run([amps] * 100) if isinstance(finding, Alarm)]
    assert {alarm.severity for alarm in alarms} == ({"warning"} if amps == 63.0 else set())


def test_a_dip_starts_the_dwell_anew() -> None:
    """Fifty seconds, a moment below, fifty seconds: nothing."""
    assert first(run([70] * 6 + [50] + [70] * 6)) is None


def test_export_counts_like_import() -> None:
    """A fuse knows no direction."""
    assert first(run([-70.0] * 7))[0] == 6


def test_it_is_over_below_eight_tenths() -> None:
    """52 A is not yet, 50 A is, after ten seconds; the end is when it fell."""
    findings = run([70] * 8 + [52] * 20 + [50, 50])
    n, clear = first(findings, Clear)
    assert n == 29
    assert clear.when == START + 280_000
    assert clear.evidence == {"peak_a": 70, "since_ms": START}


def test_one_low_sample_is_no_end() -> None:
    """A cycling load goes on."""
    assert first(run([70] * 8 + [10] + [70] * 5), Clear) is None


def test_a_gap_is_unknown() -> None:
    """Two minutes without a reading: the dwell starts anew, and nothing is cleared."""
    findings = run([70, 70, 70, 20], every=120)
    assert findings == [None] * 4


def test_a_poll_a_minute_is_enough() -> None:
    """The coarsest interval of the catalogue: two readings a minute apart are a minute."""
    assert first(run([70, 70], every=60))[0] == 1


@pytest.mark.parametrize("q", [SUSPECT, ESTIMATED])
def test_a_doubtful_reading_raises_nothing(q: int) -> None:
    """Flagged data neither raises nor clears."""
    state = RULE.start
    for n in range(20):
        state, finding = RULE.reading(state, START + n * 10_000, q, {"current_l1_a": 100})
        assert finding is None


def test_a_flag_of_the_meter_is_no_doubt() -> None:
    """A low battery changes no current."""
    state, finding = RULE.start, None
    for n in range(7):
        state, finding = RULE.reading(state, START + n * 10_000, METER_FLAG, {"current_l1_a": 100})
    assert isinstance(finding, Alarm)


@pytest.mark.parametrize(
    ("values", "amps", "key"),
    [
        ({"current_l1_a": 10, "current_l2_a": -80, "current_l3_a": 5}, 80, "current_l2_a"),
        ({"current_a": 70}, 70, "current_a"),
        ({"power_l1_w": 1000, "power_l3_w": -16_100.0}, 70, "current_l3_a"),
        ({"power_l2_w": 16_100, "voltage_l2_v": 115}, 140, "current_l2_a"),
        ({"power_l2_w": 16_100, "voltage_l2_v": 0}, 140, "current_l2_a"),
        ({"current_l1_a": 70, "power_l1_w": 1}, 70, "current_l1_a"),
    ],
)
def test_where_the_current_comes_from(values: Mapping[str, float], amps: float, key: str) -> None:
    """The busiest phase counts; without currents, power and voltage of each phase."""
    state, finding = RULE.start, None
    for n in range(7):
        state, finding = RULE.reading(state, START + n * 10_000, 0, values)
    assert isinstance(finding, Alarm)
    assert finding.value == pytest.approx(amps)
    assert finding.quantity == key


@pytest.mark.parametrize(
    "values", [{"power_w": 90_000}, {"current_n_a": 90}, {"current_a": 1e9}, {"current_l1_a": float("nan")}, {}]
)
def test_what_says_nothing_of_a_phase_is_not_judged(values: Mapping[str, float]) -> None:
    """A total power, the neutral, and nonsense."""
    state = RULE.start
    for n in range(20):
        state, finding = RULE.reading(state, START + n * 10_000, 0, values)
        assert finding is None


def test_the_clock_set_back_blinds_nobody() -> None:
    """An hour back is a new beginning, not an hour of late readings."""
    state = RULE.start
    for n in range(3):
        state, _ = RULE.reading(state, START + n * 10_000, 0, {"current_a": 70})
    finding = None
    for n in range(7):
        state, finding = RULE.reading(state, START - 3_600_000 + n * 10_000, 0, {"current_a": 70})
    assert isinstance(finding, Alarm)


@given(st.lists(st.floats(0, 120), max_size=60), st.sampled_from([1, 10, 60]))
def test_an_alarm_needs_a_whole_minute_above(amps: list[float], every: int) -> None:
    """Whatever the course: each critical alarm stands on a minute of readings above the rating."""
    for n, finding in enumerate(run(amps, every)):
        if isinstance(finding, Alarm) and finding.severity == "critical":
            minute = amps[max(0, n - 60 // every) : n + 1]
            assert min(minute) > 63
