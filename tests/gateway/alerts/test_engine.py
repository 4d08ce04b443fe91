"""The engine: who is asked, what suppresses what, and that a cut at any point changes nothing."""

import tracemalloc
from collections.abc import Iterable, Sequence

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent, parse
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.silence import Silence
from gateway.check import Checker
from gateway.message import SUSPECT
from tests.support.alert_days import LIMITS, METERS, START, Told, day, engine

WHATS = ["calm", "high", "over", "leak", "quiet", "dip"]
COURSES = st.lists(st.tuples(st.sampled_from(WHATS), st.integers(1, 80)), max_size=8)


class Run:
    """An engine and a check that hear a day; `cut` writes both down and goes on from the text alone."""

    def __init__(self) -> None:
        """Begin anew."""
        self.engine, self.checker = engine(), Checker()
        self.events: list[AlertEvent] = []

    def hear(self, told: Told) -> None:
        """Take one thing that happens."""
        if not told.meter:
            self.events += self.engine.tick(told.ts)
            return
        q, intervals = self.checker.judge(told.meter, told.ts, told.values, (), LIMITS[told.meter])
        self.events += self.engine.hear(told.meter, told.ts, q, told.values, intervals)

    def cut(self) -> None:
        """Forget all but the snapshots."""
        text = orjson.dumps([self.checker.snapshot(), {meter: self.engine.snapshot(meter) for meter in METERS}])
        check, states = orjson.loads(text)
        self.engine, self.checker = engine(), Checker(check)
        for meter, state in states.items():
            assert self.engine.restore(meter, state) == []


def events_of(days: Iterable[Told], cuts: Sequence[int] = ()) -> list[AlertEvent]:
    """Hear a day, cut before the things of these numbers."""
    run = Run()
    for n, told in enumerate(days):
        if n in cuts:
            run.cut()
        run.hear(told)
    return run.events


FULL: list[tuple[str, int]] = [
    ("calm", 20), ("over", 12), ("calm", 20), ("high", 20), ("over", 20), ("leak", 90), ("quiet", 30),
    ("dip", 2), ("calm", 5), ("leak", 80), ("calm", 40),
]  # fmt: skip


def test_a_full_day_tells_what_happened() -> None:
    """Each rule raises and clears, in the order of the day."""
    told = [(event.meter, event.rule, event.state) for event in events_of(day(FULL))]
    assert set(told) >= {
        (meter, rule, state)
        for meter, rule in [("main", "overload"), ("water", "water_leak"), ("main", "meter_offline")]
        for state in ("raised", "cleared")
    }
    assert ("main", "overload", "updated") in told


def test_a_cut_before_every_single_thing_changes_nothing() -> None:
    """The hard form: each reading is heard by an engine that knows the past from text alone."""
    days = list(day(FULL))
    assert events_of(days, range(len(days))) == events_of(days)


@settings(max_examples=60, deadline=None)
@given(COURSES, st.data())
def test_a_cut_anywhere_neither_repeats_nor_forgets(courses: list[tuple[str, int]], data: st.DataObject) -> None:
    """Snapshots at any points give the events of the uncut run, to the last number."""
    days = list(day(courses))
    cuts = data.draw(st.sets(st.integers(0, max(0, len(days) - 1)), max_size=5))
    assert events_of(days, sorted(cuts)) == events_of(days)


@settings(max_examples=30, deadline=None)
@given(COURSES)
def test_every_life_is_in_order(courses: list[tuple[str, int]]) -> None:
    """Numbers rise by one, each alert begins raised and ends once, one is open per meter and rule, all parse."""
    lives: dict[str, list[AlertEvent]] = {}
    opened: dict[tuple[str, str], str] = {}
    for event in events_of(day(courses)):
        assert parse(orjson.loads(event.encode())) == event
        lives.setdefault(event.id, []).append(event)
        key = event.meter, event.rule
        assert opened.get(key, event.id) == event.id
        if event.open:
            opened[key] = event.id
        else:
            del opened[key]
    for events in lives.values():
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.state for event in events].index("raised") == 0
        assert all(event.open for event in events[:-1])


@settings(max_examples=30, deadline=None)
@given(COURSES)
def test_how_often_somebody_looks_does_not_matter(courses: list[tuple[str, int]]) -> None:
    """Looking at the time once in five polls gives the same alerts, named by the same moments."""
    seldom = [told for n, told in enumerate(day(courses)) if told.meter or n % 15 == 0]
    last = seldom[-1].ts if seldom else START
    run, rare = Run(), Run()
    for told in [*day(courses), Told(last + 300_000, "", {})]:
        run.hear(told)
    for told in [*seldom, Told(last + 300_000, "", {})]:
        rare.hear(told)
    offline = {event.id for event in run.events if event.rule == "meter_offline"}
    found = {event.id for event in rare.events if event.rule == "meter_offline"}
    assert found <= offline


def test_twice_the_same_reading_is_once() -> None:
    """Duplicates change nothing."""
    days = list(day(FULL))
    doubled = [told for one in days for told in (one, one)]
    assert events_of(doubled) == events_of(days)


def test_a_silent_meter_raises_nothing_else() -> None:
    """Until it is back for good, only its silence stands."""
    watched = Engine({"m": [Overload(63.0, dwell=0), Silence(least=90)]})
    for n in range(5):
        watched.hear("m", START + n * 10_000, 0, {"current_a": 5})
    now = START + 10_000_000
    assert [event.rule for event in watched.tick(now)] == ["meter_offline"]
    assert watched.hear("m", now, 0, {"current_a": 70}) == []
    told = watched.hear("m", now + 10_000, 0, {"current_a": 70})
    assert [(event.rule, event.state) for event in told] == [("meter_offline", "cleared"), ("overload", "raised")]


def test_an_alert_of_a_meter_silent_for_a_day_expires() -> None:
    """What was so a day ago says nothing of now; its silence goes on being told."""
    watched = engine()
    for n in range(10):
        watched.hear("main", START + n * 10_000, 0, {"current_a": 70})
    last = START + 90_000
    before = watched.tick(last + 86_399_999)
    assert [(event.rule, event.state) for event in before] == [("meter_offline", "raised")]
    after = watched.tick(last + 86_400_000)
    assert sorted((event.rule, event.state) for event in after) == [
        ("meter_offline", "updated"),
        ("overload", "expired"),
    ]
    assert watched.tick(last + 10**9) == []


def test_a_rule_that_was_taken_away_leaves_no_alert_open() -> None:
    """Its open alert expires at the next start, and so do those of a meter that is no more."""
    old = engine()
    raised = [event for n in range(10) for event in old.hear("main", START + n * 10_000, 0, {"current_a": 70})]
    state = orjson.loads(orjson.dumps(old.snapshot("main")))
    for now in (Engine({"main": [Silence()]}), Engine({})):
        (event,) = now.restore("main", state)
        assert (event.state, event.id, event.seq) == ("expired", raised[0].id, 2)


def test_doubtful_readings_raise_nothing() -> None:
    """A whole day of them is a day without alerts."""
    watched = engine()
    events = [watched.hear(told.meter, told.ts, SUSPECT, told.values) for told in day(FULL) if told.meter]
    assert not any(events)


def test_the_state_of_a_meter_is_small() -> None:
    """Far below 16 kB, after a long and eventful time, written down and in memory."""
    run = Run()
    for told in day(FULL * 5):
        run.hear(told)
    for meter in METERS:
        size = len(orjson.dumps([run.engine.snapshot(meter), run.checker.snapshot()[meter]]))
        assert size < 2048, (meter, size)
    tracemalloc.start()
    count = 200
    many = Engine({f"m{n}": [Silence(), Overload(63.0)] for n in range(count)})
    for n in range(count):
        many.hear(f"m{n}", START, 0, {"current_a": 70})
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used / count < 16_384


@pytest.mark.parametrize("meter", ["unknown", ""])
def test_what_is_not_watched_is_ignored(meter: str) -> None:
    """Readings of other meters, and looks at them."""
    watched = engine()
    assert watched.hear(meter, START, 0, {"current_a": 70}) == []
    assert watched.tick(START, meter) == []
