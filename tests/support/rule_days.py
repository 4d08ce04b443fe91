"""Days of one rule: makes intervals, hours and readings, and gives what the rule finds in them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.alerts.calendar import Calendar
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.hours import Hour
from gateway.alerts.rule import Alarm, Clear
from gateway.check import Interval

START = 1_795_219_200_000 // 86_400_000 * 86_400_000
"""A midnight in UTC, on a Saturday."""
MINUTE, QUARTER, HOUR, DAY = 60_000, 900_000, 3_600_000, 86_400_000
UTC = Calendar()

Finding = tuple[float, Alarm | Clear]
"""Hours after the start, and what was found."""


class Said(NamedTuple):
    """What a meter said at a moment (UTC ms), with its bits of quality."""

    ts: int
    values: Mapping[str, float]
    q: int = 0


def hours(key: str, amounts: Iterable[float | None], start: int = START, calendar: Calendar = UTC) -> list[Hour]:
    """Make full hours, one after the other; None is one that nobody knows."""
    begins = ((start + n * HOUR, amount) for n, amount in enumerate(amounts))
    return [Hour(key, begin, amount, calendar.place(begin)) for begin, amount in begins if amount is not None]


def intervals(key: str, amounts: Iterable[float | None], length: int = QUARTER, start: int = START) -> list[Interval]:
    """Make intervals of one length, one after the other; None is a register that was replaced."""
    return [
        Interval("m", key, start + n * length, start + (n + 1) * length, amount, "reset" if amount is None else "good")
        for n, amount in enumerate(amounts)
    ]


def said(rows: Iterable[Mapping[str, float]], every: int = MINUTE, start: int = START, q: int = 0) -> list[Said]:
    """Make readings, one after the other."""
    return [Said(start + n * every, values, q) for n, values in enumerate(rows)]


def found(rule: Any, things: Iterable[Hour | Interval | Said], since: int = START) -> list[Finding]:
    """Judge things in their order; give each finding with its hours after `since`."""
    state, told = rule.start, list[Finding]()
    for thing in things:
        if isinstance(thing, Hour):
            at, (state, finding) = thing.end, rule.hour(state, thing)
        elif isinstance(thing, Interval):
            at, (state, finding) = thing.end, rule.interval(state, thing)
        else:
            at, (state, finding) = thing.ts, rule.reading(state, thing.ts, thing.q, thing.values)
        if finding is not None:
            told.append(((at - since) / HOUR, finding))
    return told


def alarms(told: Iterable[Finding]) -> list[float]:
    """Give when an alarm was found that none preceded: as often as somebody would be told without a cool-down."""
    begun, standing = list[float](), False
    for at, finding in told:
        begun += [at] if isinstance(finding, Alarm) and not standing else []
        standing = isinstance(finding, Alarm)
    return begun


def first(told: Iterable[Finding]) -> tuple[float, Alarm]:
    """Give the first alarm with its hours."""
    return next((at, finding) for at, finding in told if isinstance(finding, Alarm))


def clears(told: Iterable[Finding]) -> list[float]:
    """Give when something was over."""
    return [at for at, finding in told if isinstance(finding, Clear)]


def events(rule: Any, things: Sequence[Interval | Said], status: Sequence[str] = ()) -> list[AlertEvent]:
    """Let an engine judge things by one rule: with cool-downs, and hours made of intervals."""
    return list(_events(Engine({"m": [rule]}, UTC), things, status))


def _events(engine: Engine, things: Iterable[Interval | Said], status: Sequence[str]) -> Iterator[AlertEvent]:
    for thing in things:
        if isinstance(thing, Interval):
            yield from engine.hear("m", thing.end, 0, {}, [thing], status)
        else:
            yield from engine.hear("m", thing.ts, thing.q, thing.values, (), status)


def states(told: Iterable[AlertEvent]) -> list[tuple[str, str]]:
    """Give what became of each event's alert."""
    return [(event.rule, event.state) for event in told]
