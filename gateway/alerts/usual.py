"""What is usual in each local hour of each kind of day: learnt from the hours themselves, slowly, one meter's own.

1. A slot's mean follows its hours: evenly while it has seen few, then by `ALPHA`, so that three weeks of working days
   make most of it. What a season changes is followed, what a week changes is not.
2. An hour pulls its mean by four usual deviations at the most: an anomaly does not become the usual.
3. A kind of day that was never seen is as the one most like it: Ramadan as rest, rest as work.
"""

from typing import NamedTuple, TypeVar

from gateway.alerts.calendar import KINDS

SLOTS = 24 * len(KINDS)
ALPHA = 0.06
CLIP = 4.0
MOST = 255
LONG = 10_000
DIGITS = 1
"""A tenth of a Wh or litre an hour is finer than any meter, and keeps the state short."""


class Usual(NamedTuple):
    """Means and counts by slot (`calendar.Place.slot`), the mean deviation of an hour from its mean, and all counts."""

    means: tuple[float, ...] = (0.0,) * SLOTS
    counts: tuple[int, ...] = (0,) * SLOTS
    deviation: float = 0.0
    seen: int = 0


def expected(usual: Usual, slot: int) -> float | None:
    """Give what is usual in a slot, or None where neither it nor one like it was seen yet."""
    for like in range(slot, -1, -24):
        if usual.counts[like]:
            return usual.means[like]
    return None


def learnt(usual: Usual, slot: int, amount: float) -> Usual:
    """Take what a slot's newest hour held."""
    mean, deviation, seen = expected(usual, slot), usual.deviation, usual.seen + 1
    if mean is None:
        mean = amount
    change = amount - mean
    if deviation:
        change = max(-CLIP * deviation, min(CLIP * deviation, change))
    count = min(usual.counts[slot] + 1, MOST)
    deviation += (abs(change) - deviation) * max(ALPHA / 24, 1 / seen)
    mean = round(mean + change * max(ALPHA, 1 / count), DIGITS)
    return Usual(_with(usual.means, slot, mean), _with(usual.counts, slot, count), round(deviation, 2), min(seen, LONG))


T = TypeVar("T")


def _with(row: tuple[T, ...], place: int, value: T) -> tuple[T, ...]:
    return (*row[:place], value, *row[place + 1 :])
