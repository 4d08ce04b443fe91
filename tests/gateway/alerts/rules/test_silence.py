"""A silent meter: its own period, a floor of a quarter of an hour, two readings to come back."""

import pytest

from gateway.alerts.rule import Alarm, Clear
from gateway.alerts.rules.silence import UNLEARNT_MS, Silence, State

START = 1_795_219_200_000
RULE = Silence()


def after(*times: float) -> State:
    """Hear readings so many seconds after the start."""
    state = RULE.start
    for time in times:
        state, _ = RULE.reading(state, START + round(time * 1000), 0, {})
    return state


@pytest.mark.parametrize(("period", "limit"), [(1, 900), (60, 900), (900, 4500), (43_200, 216_000)])
def test_five_periods_but_a_quarter_of_an_hour_at_least(period: int, limit: int) -> None:
    """Raised exactly when the limit has passed, named by that moment, however late somebody looks."""
    state = after(*range(0, 10 * period, period))
    due = START + (9 * period + limit) * 1000
    assert RULE.due(state) == due
    assert RULE.tick(state, due - 1) == (state, None)
    _, alarm = RULE.tick(state, due + 77_000)
    assert isinstance(alarm, Alarm)
    assert (alarm.when, alarm.value, alarm.baseline, alarm.unit) == (due, limit, limit, "s")
    assert alarm.evidence["last_ms"] == START + 9 * period * 1000


def test_a_meter_with_two_readings_is_given_time() -> None:
    """Until a period is learnt, the slowest meters there are set the limit."""
    assert RULE.due(after(0, 1)) == START + 1000 + UNLEARNT_MS
    assert RULE.due(RULE.start) is None


def test_two_readings_at_once_make_no_fast_meter() -> None:
    """Asked twice when it was installed, then every hour: the hour is its period from the third gap on."""
    for count in range(3, 8):
        state = after(0, 0.5, *range(3600, count * 3600, 3600))
        assert (RULE.due(state) or 0) >= state.heard + 5 * 3_600_000


def test_it_is_back_with_the_second_reading() -> None:
    """One reading in an hour is a loose contact."""
    state, _ = RULE.tick(after(0, 60, 120, 180, 240), START + 86_000_000)
    state, finding = RULE.reading(state, START + 86_100_000, 0, {})
    assert finding is None
    state, finding = RULE.reading(state, START + 86_160_000, 0, {})
    assert isinstance(finding, Clear)
    assert finding.when == START + 86_160_000
    assert finding.evidence == {"last_ms": START + 240_000, "back_ms": START + 86_100_000}
    assert RULE.reading(state, START + 86_220_000, 0, {})[1] is None


def test_a_day_of_silence_is_told_once_more() -> None:
    """Then customers are told; after that there is nothing to wait for."""
    state = after(0, 60, 120, 180)
    state, alarm = RULE.tick(state, START + 180_000 + 900_000)
    assert isinstance(alarm, Alarm)
    due = RULE.due(state)
    assert due == START + 180_000 + 86_400_000
    state, later = RULE.tick(state, due)
    assert isinstance(later, Alarm)
    assert later.size >= 2 * alarm.size
    assert RULE.due(state) is None
    assert RULE.tick(state, due + 10**9)[1] is None


def test_one_long_gap_does_not_hide_the_next() -> None:
    """After a night of silence a meter of a quarter-hour is found silent within two and a half hours again."""
    times = [n * 900 for n in range(20)]
    state = after(*times, times[-1] + 36_000)
    due = RULE.due(state)
    assert due is not None
    assert due - state.heard <= 9_000_000


def test_a_meter_that_slows_down_is_believed_within_a_few_readings() -> None:
    """From each minute to each hour: at most six alarms."""
    state, alarms, now = after(*range(0, 6000, 60)), 0, START + 6_000_000
    for _ in range(24):
        now += 3_600_000
        state, finding = RULE.tick(state, now - 1)
        alarms += isinstance(finding, Alarm)
        state, _ = RULE.reading(state, now, 0, {})
    assert alarms <= 6
    assert RULE.tick(state, now + 3_600_000)[1] is None


def test_no_meter_is_blamed_for_the_gateway_s_own_absence() -> None:
    """The silence before it counts, the absence does not."""
    state = after(0, 60, 120, 180)
    down, up = START + 240_000, START + 10_000_000
    state = RULE.excuse(state, down, up)
    assert RULE.due(state) == up - 60_000 + 900_000


def test_a_meter_never_heard_is_waited_for_from_the_first_start_on() -> None:
    """One that never spoke since the gateway runs is silent too, after the longest limit."""
    state = RULE.excuse(RULE.start, 0, START)
    assert RULE.due(state) == START + UNLEARNT_MS


def test_a_late_reading_changes_nothing_and_a_clock_set_back_does() -> None:
    """A minute late is late, a day back is another clock."""
    state = after(0, 60, 120, 180)
    assert RULE.reading(state, START + 120_000, 0, {}) == (state, None)
    state, _ = RULE.reading(state, START - 86_400_000, 0, {})
    assert state.heard == START - 86_400_000


def test_a_clock_set_back_makes_nobody_silent() -> None:
    """T14: who spoke on the new clock was just heard; who did not has been silent as long as before."""
    state = after(0, 60, 120, 180)
    now, hour = START + 200_000, 3_600_000
    spoke, _ = RULE.reading(state, now - hour - 5000, 0, {})
    assert RULE.excuse(spoke, now, now - hour).heard == now - hour - 5000
    assert RULE.excuse(state, now, now - hour).heard == now - hour - 20_000
