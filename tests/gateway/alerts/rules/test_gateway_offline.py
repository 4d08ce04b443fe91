"""Gateways that are gone: what is an absence, when it is told, when it is over, and when it is one of many."""

from collections.abc import Iterable

import pytest

from gateway.alerts.rule import Alarm, Clear
from gateway.alerts.rules.gateway_offline import (
    CAME,
    KEY,
    LEFT,
    LOST,
    WELL,
    Fleet,
    GatewayOffline,
    GatewaysOffline,
    LateReadings,
    State,
    away,
)

START = 1_795_219_200_000
MINUTE = 60_000
RULE = GatewayOffline()


def judged(
    signs: Iterable[tuple[float, int]], until: float, rule: GatewayOffline | LateReadings = RULE
) -> list[tuple[float, str]]:
    """Hear signs at these minutes, with a look each half minute between; give what was found at which minute."""
    state, found, steps = rule.start, [], dict(signs)
    for half in range(round(until * 2) + 1):
        now = START + half * MINUTE // 2
        findings = []
        if half / 2 in steps:
            state, finding = rule.reading(state, now, 0, {KEY: steps[half / 2]})
            findings.append(finding)
        state, finding = rule.tick(state, now)
        findings.append(finding)
        found += [(half / 2, type(finding).__name__) for finding in findings if finding is not None]
    return found


def beats(start: int, end: int) -> list[tuple[float, int]]:
    """Be well each minute."""
    return [(float(minute), WELL) for minute in range(start, end)]


@pytest.mark.parametrize(
    ("signs", "found"),
    [
        ([(0, CAME), *beats(0, 120)], []),
        ([(0, CAME), *beats(0, 20), (20, LOST)], [(25.0, "Alarm")]),
        ([(0, CAME), *beats(0, 20)], [(27.0, "Alarm")]),
        ([(0, CAME), *beats(0, 20), (20, LEFT)], [(50.0, "Alarm")]),
        ([(0, CAME), *beats(0, 20), (20, LEFT), (45, CAME), *beats(46, 120)], []),
        ([(0, CAME), *beats(0, 20), (20, LOST), (24, CAME), *beats(25, 120)], []),
        ([(0, CAME), *beats(0, 20), (20, LOST), (40, CAME), *beats(41, 120)], [(25.0, "Alarm"), (70.0, "Clear")]),
        ([(0, CAME), *beats(0, 20), (20, LOST), (40, CAME), (50, LOST), (60, CAME), *beats(61, 120)],
         [(25.0, "Alarm"), (90.0, "Clear")]),
        ([(0, CAME), *beats(0, 20), (20, LOST), *beats(40, 50), *beats(60, 120)],
         [(25.0, "Alarm"), (90.0, "Clear")]),
        ([(0, CAME)], []),
        ([(0, CAME), (20, LOST), (40, CAME)], [(25.0, "Alarm"), (70.0, "Clear")]),
        ([(0, LOST)], []),
        ([(0, LEFT)], []),
        ([(0, CAME), *beats(0, 20), (20, LEFT), (21, WELL)], [(50.0, "Alarm")]),
        ([(0, CAME), *beats(0, 20), (20, LOST), (24, LOST)], [(25.0, "Alarm")]),
    ],
    ids=["well", "will", "silence", "shut down", "maintenance", "a short cut", "back", "comes and goes",
         "two starts of health", "one without health", "back without health", "never seen", "never seen, shut down",
         "a kept health is no return", "a will told twice"],
)  # fmt: skip
def test_what_is_an_absence(signs: list[tuple[float, int]], found: list[tuple[float, str]]) -> None:
    """Five minutes after the will or three missed minutes, half an hour after a shutdown; over after half an hour."""
    assert judged(signs, 125) == found


def test_customers_are_told_after_six_hours() -> None:
    """And a gateway that is back by then made nobody worry."""
    signs = [(0, CAME), *beats(0, 20), (20, LOST)]
    assert judged(signs, 500, LateReadings()) == [(380.0, "Alarm")]
    assert judged([*signs, (370, CAME), *beats(371, 500)], 500, LateReadings()) == []


def test_the_event_says_since_when() -> None:
    """When it began, not when it was told; at its end when it came back."""
    state = State(CAME, START, START, regular=True)
    state, _ = RULE.reading(state, START + MINUTE, 0, {KEY: LOST})
    assert RULE.due(state) == START + 6 * MINUTE
    state, alarm = RULE.tick(state, START + 60 * MINUTE)
    assert isinstance(alarm, Alarm)
    assert (alarm.severity, alarm.when, alarm.value) == ("warning", START + 6 * MINUTE, 300.0)
    assert alarm.evidence == {"since_ms": START + MINUTE}
    for minute in range(100, 131):
        state, clear = RULE.reading(state, START + minute * MINUTE, 0, {KEY: WELL})
    assert clear == Clear(START + 100 * MINUTE, {"since_ms": START + MINUTE, "back_ms": START + 100 * MINUTE})
    assert state == State(WELL, START + 130 * MINUTE, START + 130 * MINUTE, regular=True)


@pytest.mark.parametrize("sign", [WELL, LOST, LEFT])
def test_time_in_which_nobody_listened_does_not_count(sign: int) -> None:
    """What is not told yet is counted from when the hub hears again; what was told stays told."""
    state = State(sign, START, START, regular=True)
    due, hours = RULE.due(state), 100 * MINUTE
    assert due is not None
    later = RULE.excuse(state, START, START + hours)
    assert RULE.due(later) == due + hours
    assert RULE.excuse(state, 0, START + hours).counted == START + hours
    assert later.since == (START + hours if sign == WELL else START)
    told = state._replace(told=True)
    assert RULE.excuse(told, START, START + hours).told
    assert RULE.due(RULE.excuse(told, START, START + hours)) is None


def test_who_is_away() -> None:
    """Gone without a word at once, silent after three minutes; one that was shut down once that was told."""
    now = START + 4 * MINUTE
    assert away(State(LOST, START, START), START)
    assert away(State(WELL, START, START, regular=True), now)
    assert not away(State(WELL, START, START, regular=True), START + 3 * MINUTE)
    assert not away(State(CAME, START, START), now)
    assert not away(State(LEFT, START, START), now)
    assert away(State(LEFT, START, START, told=True), now)


@pytest.mark.parametrize(
    ("missing", "known", "due", "told", "found"),
    [
        (4, 10, START, False, Alarm), (3, 10, START, False, type(None)), (9, 9, START, False, type(None)),
        (4, 10, None, False, type(None)), (8, 10, None, True, Alarm), (2, 10, None, True, type(None)),
        (1, 10, None, True, Clear), (0, 100, None, False, type(None)), (31, 100, START, False, Alarm),
    ],
)  # fmt: skip
def test_when_many_are_one(missing: int, known: int, due: int | None, told: bool, found: type) -> None:
    """More than three in ten, of ten at least, once the first is to be told; until half of that."""
    fleet, finding = GatewaysOffline().judge(Fleet(told), missing, known, due, START + MINUTE)
    assert isinstance(finding, found)
    if isinstance(finding, Alarm):
        assert (finding.value, finding.baseline, finding.when) == (missing, known, due or START + MINUTE)
    assert fleet.told == (isinstance(finding, Alarm) or (told and finding is None))
