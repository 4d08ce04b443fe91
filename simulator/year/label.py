"""What a simulated home says beside its registers: rows, labels, marks."""

from dataclasses import dataclass, field
from typing import NamedTuple

NONE = "none"
"""An alert there is a false one. `may:RULE` says that this one alert is neither asked for nor false."""


class Span(NamedTuple):
    """From one unix second to another."""

    start: int
    end: int

    @property
    def hours(self) -> float:
        """Give its length."""
        return (self.end - self.start) / 3600


class Row(NamedTuple):
    """One value of one meter; `ts` in UTC ms, `key` and base unit as in drivers/quantities.py."""

    ts: int
    meter: str
    key: str
    value: float


@dataclass(frozen=True, slots=True)
class Label:
    """What happened in a home, from one unix second to another, and the alert it should cause."""

    home: str
    kind: str
    start: int
    end: int
    expect: str = NONE
    params: dict[str, object] = field(default_factory=dict)


class Mark(NamedTuple):
    """Something said of a meter at a unix second: away_on, away_off, or a flag of its own."""

    time: int
    meter: str
    word: str


def label_of(meter: str, kind: str, span: Span, expect: str = NONE, **params: object) -> Label:
    """Label what happened at a meter."""
    return Label(meter.partition("-")[0], kind, span.start, span.end, expect, {"meter": meter} | params)
