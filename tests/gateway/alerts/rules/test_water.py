"""Water that never stops: stands of the register, at any pace, with gaps, nights and ends."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pytest

from gateway.alerts.night import nights
from gateway.alerts.rule import Alarm, Clear
from gateway.alerts.rules.water import WaterLeak
from gateway.check import Interval, Quality

DAY = 1_795_219_200_000 // 86_400_000 * 86_400_000
"""A midnight in UTC."""
HOUR = 3_600_000
NIGHT = nights(ZoneInfo("UTC"), 0, 5 * 3600)
RULE = WaterLeak(NIGHT)
SURE = WaterLeak(NIGHT, nights=14, one_night_above=1e6)
"""Only W1."""

Step = tuple[int, float | None, Quality]


def intervals(steps: Iterable[Step], start: int = DAY) -> Iterable[Interval]:
    """Make intervals of (milliseconds, litres, quality), one after the other."""
    for length, litres, quality in steps:
        yield Interval("m", "water_volume_l", start, start + length, litres, quality)
        start += length


def run(steps: Iterable[Step], rule: WaterLeak = SURE, start: int = DAY) -> list[tuple[float, Alarm | Clear]]:
    """Judge intervals; give each finding with its hours after the start."""
    state, found = rule.start, list[tuple[float, Alarm | Clear]]()
    for interval in intervals(steps, start):
        state, finding = rule.interval(state, interval)
        if finding is not None:
            found.append(((interval.end - start) / HOUR, finding))
    return found


def flow(hours: float, every: float, litres: float = 1.0, pace: float = 0.25) -> list[Step]:
    """Give intervals of `pace` hours in which the register steps by `litres` each `every` hours."""
    count, per = round(hours / pace), round(every / pace)
    return [(round(pace * HOUR), litres if n % per == per - 1 else 0.0, "good") for n in range(count)]


@pytest.mark.parametrize("pace", [1 / 60, 0.25, 1.0])
@pytest.mark.parametrize("rate", [1, 14, 60])
def test_a_day_without_a_stand_is_a_leak(pace: float, rate: int) -> None:
    """At any pace of readings, a day after the interval of its first step began; the rate is the leak's own."""
    found = run(flow(30, 1.0, rate, pace))
    hours, alarm = found[0]
    assert isinstance(alarm, Alarm)
    assert hours == pytest.approx(25 - pace)
    assert (alarm.severity, alarm.unit) == ("warning", "l/h")
    assert alarm.value == pytest.approx(rate)
    assert alarm.evidence["lost_l"] == pytest.approx(rate * (24 - pace), abs=2)
    assert len(alarm.points) in {22, 23}  # and the hour that is not over


@pytest.mark.parametrize(("every", "leak"), [(1.5, True), (1.75, False)])
def test_an_hour_and_a_half_is_the_longest_stand(every: float, leak: bool) -> None:
    """A litre each 90 minutes is a leak, each 105 is not."""
    assert bool(run(flow(72, every))) is leak


def test_one_stand_a_day_is_a_healthy_home() -> None:
    """Water all day and two hours of rest a night, for a week."""
    assert run([*flow(22, 0.25, 20), *flow(2, 99)] * 7) == []


def test_the_rate_is_the_leak_not_the_use() -> None:
    """Showers and washing hide no leak of 3 l/h, and make it no larger."""
    day = [*flow(7, 1, 3), *flow(2, 0.25, 40), *flow(8, 1, 5), *flow(7, 0.25, 15)]
    alarm = run(day * 2)[0][1]
    assert isinstance(alarm, Alarm)
    assert alarm.value == pytest.approx(3)


def test_a_large_leak_is_critical() -> None:
    """Above 60 l/h, and a smaller one once 20 m³ are gone."""
    alarm = run(flow(30, 0.25, 16))[0][1]
    assert isinstance(alarm, Alarm)
    assert alarm.severity == "critical"
    slow = [(hours, alarm.severity) for hours, alarm in run(flow(500, 0.25, 12.5)) if isinstance(alarm, Alarm)]
    assert slow[0][1] == "warning"
    assert next(hours for hours, severity in slow if severity == "critical") == pytest.approx(400, abs=1)


def test_three_hours_of_standing_are_the_end() -> None:
    """Told once, with the time of the last step and what was lost."""
    found = run([*flow(30, 1, 14), *flow(10, 99)])
    ends = [(hours, finding) for hours, finding in found if isinstance(finding, Clear)]
    assert len(ends) == 1
    assert ends[0][0] == 33
    assert ends[0][1] == Clear(
        DAY + 30 * HOUR, {"stopped_ms": DAY + 30 * HOUR, "lost_l": 14 * 29, "since_ms": DAY + HOUR}
    )


def test_two_hours_of_standing_are_neither() -> None:
    """No end, and no news until a day is full again."""
    found = run([*flow(30, 1), *flow(2, 99), *flow(20, 1)])
    assert not any(isinstance(finding, Clear) for _, finding in found)
    assert max(hours for hours, _ in found) <= 31.5


@pytest.mark.parametrize(
    ("gap", "leak"),
    [
        ((2 * HOUR, 2.0, "catch_up"), False),
        ((HOUR, 1.0, "catch_up"), True),
        ((HOUR, None, "reset"), False),
        ((HOUR, 1.0, "suspect"), False),
    ],
)
def test_a_gap_whose_course_is_unknown_starts_the_day_anew(gap: Step, leak: bool) -> None:
    """Two hours in one sum may hide a stand, one hour may not."""
    assert bool(run([*flow(12, 1), gap, *flow(13, 1)])) is leak


def test_a_register_that_did_not_move_stood_still() -> None:
    """Ten hours unread and unmoved end a leak."""
    found = run([*flow(30, 1), (10 * HOUR, 0.0, "catch_up")])
    assert isinstance(found[-1][1], Clear)


def test_an_unknown_gap_ends_nothing() -> None:
    """Water may have flowed all the time."""
    found = run([*flow(30, 1), (10 * HOUR, None, "reset"), *flow(2, 1)])
    assert not any(isinstance(finding, Clear) for _, finding in found)


def test_a_night_without_a_stand_is_told_at_its_end() -> None:
    """At five in the morning, as info; in time it becomes W1's warning."""
    found = run([*flow(36, 0.5, 7)], RULE, DAY + 20 * HOUR)
    assert [(hours, alarm.severity) for hours, alarm in found[:2] if isinstance(alarm, Alarm)] == [
        (9, "info"),
        (24.25, "warning"),
    ]
    assert found[0][1].evidence["longest_stand_s"] == 3600


@pytest.mark.parametrize(("every", "told"), [(0.75, True), (1.0, False)])
def test_an_hour_is_the_longest_stand_of_a_night(every: float, told: bool) -> None:
    """Less than an hour, that is."""
    found = run(flow(10, every), RULE, DAY + 20 * HOUR)
    assert bool(found) is told


def test_a_night_must_be_known_from_its_begin() -> None:
    """Whoever starts at one o'clock waits for the next night."""
    assert run(flow(5, 0.5), RULE, DAY + HOUR) == []
    assert run([*flow(6, 0.5), (HOUR, None, "reset"), *flow(5, 0.5)], RULE, DAY + 20 * HOUR) == []


def test_a_cautious_home_waits_for_the_second_night() -> None:
    """Unless the first is beyond doubt."""
    careful = WaterLeak(NIGHT, nights=2, sure_after=7 * 86_400)
    start = DAY + 20 * HOUR
    nightly = [*flow(10, 0.5), *flow(14, 99), *flow(10, 0.5)]
    assert [hours for hours, finding in run(nightly, careful, start) if isinstance(finding, Alarm)] == [33]
    assert [hours for hours, finding in run(flow(10, 0.5, 11), careful, start)] == [9]


def test_nights_follow_the_clocks_of_the_place() -> None:
    """Midnight to five in Riyadh; in Berlin the night of the change has an hour less, and one that spans midnight."""
    riyadh = nights(ZoneInfo("Asia/Riyadh"), 0, 5 * 3600)
    assert riyadh(DAY) == (DAY - 3 * HOUR, DAY + 2 * HOUR)
    assert riyadh(DAY + 2 * HOUR) == (DAY + 21 * HOUR, DAY + 26 * HOUR)
    berlin = nights(ZoneInfo("Europe/Berlin"), 0, 5 * 3600)
    spring = 1_806_188_400_000  # 2027-03-28 00:00 in Berlin
    assert berlin(spring) == (spring, spring + 4 * HOUR)
    late = nights(ZoneInfo("UTC"), 22 * 3600, 5 * 3600)
    assert late(DAY) == (DAY - 2 * HOUR, DAY + 5 * HOUR)


def test_the_clock_set_back_begins_anew() -> None:
    """Intervals that lie before the known ones are no step back into the leak."""
    state = SURE.start
    for interval in [*intervals(flow(20, 1)), *intervals(flow(20, 1), DAY - 5 * HOUR)]:
        state, finding = SURE.interval(state, interval)
        assert finding is None


def test_a_leak_found_on_a_clock_ahead_has_no_negative_age() -> None:
    """T14: thirty days back, and what is told of the leak still makes sense."""
    ahead = DAY + 30 * 24 * HOUR
    state, told = SURE.start, list[Alarm | Clear]()
    for interval in [*intervals(flow(30, 1, 14), ahead), *intervals([*flow(30, 1, 14), *flow(10, 99)])]:
        state, finding = SURE.interval(state, interval)
        told += [finding] if finding is not None else []
    assert {type(finding) for finding in told} == {Alarm, Clear}
    assert all(finding.evidence["lost_l"] >= 0 for finding in told)
    assert all(finding.evidence["hours"] >= 0 for finding in told if isinstance(finding, Alarm))
