"""The contract of every rule: pure functions from a state and one thing that happened to a new state and a finding.

1. A rule is frozen parameters; all it remembers of one meter is its state, a named tuple of numbers and tuples, so that
   it can be written down and taken up again. The same history gives the same states and findings, whoever runs it.
2. It says what it finds each time it is asked: an `Alarm` while its condition holds, `Clear` once that is surely over
   (hysteresis included), None when nothing is new or known. Raising, updating and closing is `life.py`'s.
3. Times are the meter's own, UTC ms. What is older than the newest is left out by the rule. A gap is unknown: it
   neither raises nor clears. Doubtful readings (`DOUBTFUL` bits) raise nothing.
4. What a rule wants to be asked about it says by the protocols it fits: `JudgesReadings`, `JudgesFlags`,
   `JudgesIntervals`, `JudgesHours`, `JudgesTime`. O(1) each, and the state stays below 2 kB.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from drivers.contract import Number
from gateway.alerts.event import Severity
from gateway.alerts.hours import Hour
from gateway.check import Interval
from gateway.message import ESTIMATED, LOAD_PROFILE, SUSPECT, TIME_REPAIRED

DOUBTFUL = SUSPECT | ESTIMATED | LOAD_PROFILE | TIME_REPAIRED
"""Readings with one of these bits are not what the meter said just now."""


class Alarm(NamedTuple):
    """The condition holds since it was fulfilled at `when`; `size` is what must double before that is news."""

    severity: Severity
    when: int
    value: float
    baseline: float
    unit: str
    quantity: str
    size: float
    evidence: Mapping[str, float]
    points: tuple[tuple[int, float], ...] = ()


class Clear(NamedTuple):
    """The condition is over since `when`."""

    when: int
    evidence: Mapping[str, float]


Finding = Alarm | Clear | None


class Rule(Protocol):
    """What all rules have: the name of contracts 8, the state of a meter never seen, and the pause between alerts."""

    @property
    def name(self) -> str:
        """The rule's name in events."""

    @property
    def start(self) -> tuple[Any, ...]:
        """The state to begin with."""

    @property
    def cooldown(self) -> float:
        """Seconds after an alert's end in which a new one is raised only if it is more severe."""


@runtime_checkable
class JudgesReadings(Rule, Protocol):
    """Asked about each reading with one of the values in `reading_keys` as it comes; about all if there are none."""

    @property
    def reading_keys(self) -> tuple[str, ...]:
        """Keys of the values it judges."""

    def reading(self, state: Any, ts: int, q: int, values: Mapping[str, Number]) -> tuple[Any, Finding]:
        """Take what the meter said at `ts`, with its bits of quality."""


@runtime_checkable
class JudgesIntervals(Rule, Protocol):
    """Asked about checked intervals of the counters in `keys`."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the quantities it judges."""

    def interval(self, state: Any, interval: Interval) -> tuple[Any, Finding]:
        """Take what a counter counted from one moment to another."""


@runtime_checkable
class JudgesFlags(Rule, Protocol):
    """Asked about every reading's flags: what the meter says of itself, in the words of `drivers.contract`."""

    def flags(self, state: Any, ts: int, status: Sequence[str]) -> tuple[Any, Finding]:
        """Take the flags that are up at `ts`; none is none up."""


@runtime_checkable
class JudgesHours(Rule, Protocol):
    """Asked about each full clock hour of the counters in `hour_keys`, in order; unknown hours are left out."""

    @property
    def hour_keys(self) -> tuple[str, ...]:
        """Keys of the quantities it judges."""

    def hour(self, state: Any, hour: Hour) -> tuple[Any, Finding]:
        """Take what a counter counted in one clock hour."""


@runtime_checkable
class JudgesTime(Rule, Protocol):
    """Asked as time goes by without a reading."""

    def tick(self, state: Any, now: int) -> tuple[Any, Finding]:
        """Take the time; the state stays the same unless there is a finding."""

    def due(self, state: Any) -> int | None:
        """Name the next moment at which `tick` may find something."""

    def excuse(self, state: Any, since: int, until: int) -> Any:
        """Leave out a time in which the gateway itself was away."""
