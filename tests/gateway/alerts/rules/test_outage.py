"""A power cut: a last gasp, or a register that stood still in a silence; and what is no power cut."""

import pytest

from gateway.alerts.engine import Engine
from gateway.alerts.rule import Alarm, Clear
from gateway.alerts.rules.outage import Outage
from gateway.check import Interval
from tests.support.rule_days import DAY, HOUR, QUARTER, START, UTC, intervals, states

WH = "energy_import_wh"
RULE = Outage(UTC)


def engine(rule: Outage = RULE, days: int = 10, base: float = 25.0) -> Engine:
    """Make an engine whose home took so many Wh each quarter of an hour, and twice that in the evening."""
    made = Engine({"m": [rule]}, UTC)
    for interval in intervals(WH, ([base] * 64 + [2 * base] * 32) * days):
        made.hear("m", interval.end, 0, {}, [interval])
    return made


def after(silence: int, amount: float | None, rule: Outage = RULE, *, days: int = 10, base: float = 25.0) -> list[str]:
    """Give what is told when a register has counted so much in a silence of so many ms."""
    home, start = engine(rule, days, base), START + days * DAY
    gap = Interval("m", WH, start, start + silence, amount, "catch_up")
    next_ = Interval("m", WH, start + silence, start + silence + QUARTER, base, "good")
    told = home.hear("m", gap.end, 0, {}, [gap]) + home.hear("m", next_.end, 0, {}, [next_])
    return [event.state for event in told]


@pytest.mark.parametrize(
    ("hours", "amount", "told"),
    [
        (5, 0.0, True),
        (5, 40.0, True),  # the minutes before and after it
        (5, 500.0, False),  # a home with power, whose cable fell out
        (5, 400.0, False),
        (0.5, 0.0, False),  # two usual gaps are no silence
        (0.75, 0.0, True),
    ],
)
def test_a_silence_in_which_nothing_was_used_was_a_power_cut(hours: float, amount: float, told: bool) -> None:
    """Against what the home takes when least runs; told with its end, since it is over."""
    assert after(round(hours * HOUR), amount) == (["raised", "cleared"] if told else [])


def test_it_says_from_when_to_when() -> None:
    """From the last reading before to the first after."""
    home, start = engine(), START + 10 * DAY
    gap = Interval("m", WH, start, start + 5 * HOUR, 0.0, "catch_up")
    (raised,) = home.hear("m", gap.end, 0, {}, [gap])
    (cleared,) = home.hear("m", gap.end + QUARTER, 0, {}, [])
    assert (raised.raised, raised.severity, raised.value) == (start, "info", 18_000)
    assert (cleared.cleared, cleared.evidence["lasted_s"]) == (start + 5 * HOUR, 18_000)


def test_where_nothing_runs_nothing_is_known() -> None:
    """A holiday home of 10 W, a roof that feeds it, a week not yet seen, a new register."""
    assert after(5 * HOUR, 0.0, base=2.5) == []
    assert after(5 * HOUR, 0.0, Outage(UTC, pv=True)) == []
    assert after(5 * HOUR, 0.0, days=5) == []
    assert after(5 * HOUR, None) == []


def test_a_last_gasp_is_told_after_its_dwell() -> None:
    """A minute without another word, not before; the first word after it is the end."""
    home = Engine({"m": [RULE]})
    home.hear("m", START, 0, {}, (), ["power_fail"])
    assert home.due("m") == START + 60_000
    assert home.tick(START + 59_999) == []
    (event,) = home.tick(START + 60_000)
    assert (event.rule, event.severity, event.raised) == ("outage", "critical", START + 60_000)
    (cleared,) = home.hear("m", START + HOUR, 0, {})
    assert (cleared.state, cleared.cleared, cleared.evidence["lasted_s"]) == ("cleared", START + HOUR, 3600)


def test_a_meter_that_speaks_on_is_not_dark() -> None:
    """Its battery or its second phase carries it."""
    home = Engine({"m": [RULE]})
    home.hear("m", START, 0, {}, (), ["power_fail"])
    home.hear("m", START + 30_000, 0, {})
    assert home.due("m") is None
    assert home.tick(START + 90_000) == []


def test_while_the_gateway_was_away_a_meter_may_have_come_back() -> None:
    """So its last gasp says nothing any more; a cut that was told stays."""
    home = Engine({"m": [RULE]})
    home.hear("m", START, 0, {}, (), ["power_fail"])
    home.excuse(START + 1000, START + HOUR)
    assert home.tick(START + HOUR) == []


def test_both_words_are_one_alert() -> None:
    """A gasp, then a register that stood still."""
    home, start = engine(), START + 10 * DAY
    told = home.hear("m", start, 0, {}, (), ["power_fail"]) + home.tick(start + 60_000)
    gap = Interval("m", WH, start, start + 5 * HOUR, 0.0, "catch_up")
    told += home.hear("m", gap.end, 0, {}, [gap])
    assert states(told) == [("outage", "raised"), ("outage", "cleared")]


def test_a_flag_that_stays_up_is_one_gasp() -> None:
    """The dwell counts from the first."""
    state = RULE.start
    for n in range(3):
        state, finding = RULE.flags(state, START + n * 1000, ["power_fail"])
        assert finding is None
    assert isinstance(RULE.tick(state, START + 60_000)[1], Alarm)
    assert RULE.tick(state, START + 59_000) == (state, None)
    assert not isinstance(RULE.flags(state, START + 5000, [])[1], Clear)
