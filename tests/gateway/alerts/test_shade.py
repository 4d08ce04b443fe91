"""What a cause explains is not told; what is still true some time after its end is, once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import orjson
import pytest

from drivers.contract import Number
from gateway.alerts.alerting import Alerting
from gateway.alerts.engine import Engine
from gateway.alerts.rule import Alarm, Clear, Finding
from gateway.alerts.shade import HIDES, LINGERS, SETTLES_MS
from gateway.check import Checker
from tests.support.rule_days import DAY, HOUR, MINUTE, START
from tests.support.virtual_time import run_virtually

if TYPE_CHECKING:
    from gateway.alerts.event import AlertEvent


class State(NamedTuple):
    """Whether it was found."""

    told: bool = False


@dataclass(frozen=True)
class Says:
    """A rule that finds what its own value says, once: 1 holds, 0 is over; `name` is one of the catalogue's."""

    name: str
    cooldown: float = 0.0
    start: ClassVar[State] = State()

    @property
    def reading_keys(self) -> tuple[str, ...]:
        """The value is named like the rule."""
        return (self.name,)

    def reading(self, state: State, ts: int, q: int, values: Mapping[str, Number]) -> tuple[State, Finding]:
        """Find it once, as a register that sticks is found."""
        del q
        if self.name not in values or bool(values[self.name]) == state.told:
            return state, None
        if state.told:
            return State(), Clear(ts, {})
        return State(told=True), Alarm("warning", ts, 1.0, 0.0, "l", "", 1.0, {"day_l": 3}, ((ts, 1.0),))


CAUSE, EFFECT = "outage", "voltage_quality"
BOTH = {CAUSE: 1.0, EFFECT: 1.0}


class Meter:
    """One meter with a cause and an effect; `cut` writes all down and goes on from the text alone."""

    def __init__(self, *names: str, cooldown: float = 0.0, cut: bool = False) -> None:
        """Begin anew."""
        self.rules = [Says(name, cooldown) for name in names or (CAUSE, EFFECT)]
        self.engine, self._cut = Engine({"m": self.rules}), cut
        self.told: list[AlertEvent] = []

    def says(self, minutes: float, values: Mapping[str, float]) -> None:
        """Take a reading so long after the start."""
        self._again()
        self.told += self.engine.hear("m", START + round(minutes * MINUTE), 0, values)

    def passes(self, minutes: float) -> None:
        """Let time pass without a reading."""
        self._again()
        self.told += self.engine.tick(START + round(minutes * MINUTE))

    def _again(self) -> None:
        if self._cut:
            text = orjson.dumps(self.engine.snapshot("m"))
            self.engine = Engine({"m": self.rules})
            assert self.engine.restore("m", orjson.loads(text)) == []

    def steps(self) -> list[tuple[str, str, float]]:
        """Give what was told: rule, state, and minutes after the start."""
        return [(event.rule, event.state, (event.at - START) / MINUTE) for event in self.told]


@pytest.mark.parametrize("cut", [False, True])
def test_an_effect_that_is_still_true_is_told_once_the_cause_has_settled(cut: bool) -> None:
    """Though its rule found it once only, and over a restart at any point; it began when it began."""
    meter = Meter(cut=cut)
    meter.says(0, {CAUSE: 1})
    meter.says(1, BOTH)
    meter.says(30, {CAUSE: 0, EFFECT: 1})
    meter.says(39, {EFFECT: 1})
    assert meter.steps() == [(CAUSE, "raised", 0), (CAUSE, "cleared", 30)]
    meter.says(40, {EFFECT: 1})
    meter.says(41, {EFFECT: 1})
    assert meter.steps()[2:] == [(EFFECT, "raised", 40)]
    assert meter.told[-1].raised == START + MINUTE
    assert meter.told[-1].evidence == {"day_l": 3}
    assert meter.told[-1].points == [(START + MINUTE, 1.0)]


@pytest.mark.parametrize("cut", [False, True])
def test_an_effect_that_ends_with_its_cause_is_never_told(cut: bool) -> None:
    """Neither at the cause's end nor later, whether it ended before it, with it, or while all settled."""
    for minutes in (20, 30, 39):
        meter = Meter(cut=cut)
        meter.says(0, BOTH)
        for minute in sorted({minutes, 30}):
            meter.says(minute, {CAUSE: float(minute < 30), EFFECT: float(minute < minutes)})
        meter.says(60, {EFFECT: 0})
        meter.passes(24 * 60 - 1)
        assert {event.rule for event in meter.told} == {CAUSE}, minutes


def test_what_begins_while_all_settles_is_explained_too() -> None:
    """Power that comes back swings; an effect that begins later is told at once."""
    meter = Meter()
    meter.says(0, {CAUSE: 1})
    meter.says(30, {CAUSE: 0})
    meter.says(31, {EFFECT: 1})
    meter.says(32, {EFFECT: 0})
    meter.says(50, {EFFECT: 1})
    assert meter.steps()[2:] == [(EFFECT, "raised", 50)]


def test_the_time_alone_tells_what_is_still_true() -> None:
    """Without a reading it is told by the moment that `due` names, and then nothing more is due for it."""
    meter = Meter()
    meter.says(0, BOTH)
    meter.says(30, {CAUSE: 0})
    assert meter.engine.due("m") == START + 30 * MINUTE + SETTLES_MS
    meter.passes(39.99)
    assert len(meter.told) == 2
    meter.passes(40)
    assert meter.steps()[2:] == [(EFFECT, "raised", 40)]
    assert meter.engine.due("m") == START + 30 * MINUTE + DAY


def test_a_rest_between_two_alerts_of_the_cause_does_not_lengthen_the_shade() -> None:
    """The pause of a rule is about its own alerts."""
    meter = Meter(cooldown=6 * 3600.0)
    meter.says(0, BOTH)
    meter.says(30, {CAUSE: 0})
    meter.says(41, {EFFECT: 1})
    assert meter.steps()[2:] == [(EFFECT, "raised", 41)]


def test_what_waits_at_a_meter_that_falls_silent_is_forgotten_after_a_day() -> None:
    """What was so a day ago says nothing of now."""
    meter = Meter()
    meter.says(0, BOTH)
    meter.passes(24 * 60)
    meter.passes(48 * 60)
    assert meter.steps() == [(CAUSE, "raised", 0), (CAUSE, "expired", 24 * 60)]


def test_a_day_of_much_water_waits_until_the_leak_is_out_of_its_sum() -> None:
    """Its rule adds up a day, so that the leaked water would be told as use for a day after the repair."""
    meter = Meter("water_leak", "high_water_day")
    meter.says(0, {"water_leak": 1, "high_water_day": 1})
    meter.says(60, {"water_leak": 0})
    for hour in range(2, 25):
        meter.says(60 * hour, {"high_water_day": 1})
    assert len(meter.told) == 2
    meter.says(25 * 60, {"high_water_day": 1})
    assert meter.steps()[2:] == [("high_water_day", "raised", 25 * 60)]


def test_a_clock_that_was_set_back_hides_nothing_for_years() -> None:
    """A moment before the cause's end is none that the cause explains."""
    meter = Meter()
    meter.says(0, {CAUSE: 1})
    meter.says(30, {CAUSE: 0})
    meter.says(-9_000_000, {EFFECT: 1})
    assert meter.steps()[-1][0] == EFFECT


def test_every_span_belongs_to_an_effect() -> None:
    """One misspelt would be left out without a word."""
    assert LINGERS.keys() <= frozenset[str]().union(*HIDES.values())
    assert max(LINGERS.values()) <= 24 * HOUR


class Paper:
    """A journal that keeps nothing."""

    def add_event(self, body: bytes) -> None:
        """Take an event."""

    def keep(self, states: Mapping[str, Any], *, all: bool = False) -> None:  # noqa: A002  as the journal has it
        """Take states."""


def test_a_running_gateway_tells_it_in_time() -> None:
    """With nothing but the clock to wake it, ten minutes after the power is back, within one look."""

    async def hours() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        engine = Engine({"m": [Says(CAUSE), Says(EFFECT)]})
        heard: list[tuple[str, float]] = []
        alerting = Alerting(engine, Paper(), lambda: START + round(loop.time() * 1000), Checker())  # type: ignore[arg-type]
        alerting.listeners.append(lambda event: heard.append((event.rule, loop.time())))
        task = asyncio.create_task(alerting.run())
        begun = loop.time()
        alerting.hear("m", START + round(begun * 1000), 0, BOTH, ())
        await asyncio.sleep(1800)
        alerting.hear("m", START + round(loop.time() * 1000), 0, {CAUSE: 0}, ())
        await asyncio.sleep(3600)
        task.cancel()
        return [(rule, at - begun) for rule, at in heard]

    (_, first), (_, over), (effect, at) = run_virtually(hours())
    assert (first, over, effect) == (0, 1800, EFFECT)
    assert 2400 <= at <= 2410.1
