"""Readings of virtual meters, made of their parts' readings as these come in.

1. Of each part the newest reading counts, and counts once: when the last part has said something new, a reading is made
   and carries that part's time. So a virtual meter is as slow as its slowest part, and a part that is silent makes a
   gap, never a value.
2. All parts' readings lie within `within` of each other, or nothing is made. Powers and flows ask for more: readings of
   one interval, `every`.
3. Quality is carried: the bits of all parts together. Where a part should have said something newer by its own pace,
   the reading is estimated.
4. A difference of registers may fall although neither part does, for they are read one after another and count in
   steps. What falls is left out until it has risen again, so that nobody takes it for a reset. Where a part was reset,
   the fall is true, and is shown for the check to judge like any meter's.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from drivers.contract import Number, Reading
from drivers.decimals import number
from drivers.quantities import Quantity
from gateway.message import ESTIMATED, RESET, ROLLOVER
from gateway.virtual.additive import value_of

LATE = 1.5
"""How many of its own periods old a part's newest reading may be before a newer one is overdue."""

Last = Callable[[str, str], Number | None]
"""Gives a meter's last good register by its key, as the check remembers it."""


@dataclass(frozen=True, slots=True)
class Derived(Reading):
    """A reading that was computed; `q` holds the bits of quality that its parts gave it."""

    q: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One reading of a part; `moment` is when its values were true, in ms since boot, `captured` in UTC if it says."""

    meter: str
    moment: int
    at: int
    values: Mapping[str, Number]
    q: int = 0
    captured: int | None = None


@dataclass(frozen=True)
class Plan:
    """One virtual meter: how much each part counts and how often it is read, by its id; what is computed, and how.

    `paces`, `every` and `within` are in seconds.
    """

    id: str
    name: str
    text: str
    weights: Mapping[str, Fraction]
    paces: Mapping[str, float]
    quantities: tuple[Quantity, ...]
    every: float
    within: float


class Virtuals:
    """All virtual meters of a station; `counts` says how many readings were made, and why others were not."""

    def __init__(self, plans: Iterable[Plan], last: Last) -> None:
        """`last` tells what a register showed last, over restarts too."""
        self.counts: Counter[str] = Counter()
        self._of_part: dict[str, list[_Virtual]] = {}
        for plan in plans:
            virtual = _Virtual(plan, last, self.counts)
            for part in plan.weights:
                self._of_part.setdefault(part, []).append(virtual)

    def hear(self, part: Part) -> Sequence[Derived]:
        """Take a reading of any meter and give those it completes."""
        virtuals = self._of_part.get(part.meter)
        return () if virtuals is None else [made for virtual in virtuals if (made := virtual.hear(part)) is not None]


class _Virtual:
    """One virtual meter and the newest readings of its parts."""

    def __init__(self, plan: Plan, last: Last, counts: Counter[str]) -> None:
        self._plan, self._last, self._counts = plan, last, counts
        self._within = plan.within * 1000
        self._interval = min(plan.within, plan.every) * 1000
        self._newest: dict[str, Part] = {}
        self._pace: dict[str, int] = {}
        self._fresh: set[str] = set()
        self._differs = any(weight < 0 for weight in plan.weights.values())
        self._may_fall: set[str] = set()

    def hear(self, part: Part) -> Derived | None:
        before = self._newest.get(part.meter)
        if before is not None:
            self._pace[part.meter] = part.moment - before.moment
        self._newest[part.meter] = part
        self._fresh.add(part.meter)
        if part.q & (RESET | ROLLOVER):
            self._may_fall.update(row.key for row in self._plan.quantities)
        if len(self._fresh) < len(self._plan.weights):
            return None
        moments = [reading.moment for reading in self._newest.values()]
        spread = max(moments) - min(moments)
        if spread > self._within:
            self._counts["apart"] += 1
            return None
        self._fresh.clear()
        return self._made(spread)

    def _made(self, spread: int) -> Derived | None:
        latest = max(self._newest.values(), key=lambda part: part.moment)
        values = dict(self._values(spread))
        if not values:
            return None
        self._counts["made"] += 1
        q = ESTIMATED if any(self._is_old(part, latest) for part in self._newest.values()) else 0
        for part in self._newest.values():
            q |= part.q
        return Derived(self._plan.id, latest.at, values, captured=latest.captured, q=q)

    def _values(self, spread: int) -> Iterable[tuple[str, Number]]:
        for row in self._plan.quantities:
            if row.kind == "gauge" and spread > self._interval:
                continue
            value = self._total(row.key)
            if value is None:
                continue
            reason = self._withheld(row.key, value) if row.kind == "counter" and self._differs else ""
            if reason:
                self._counts[reason] += 1
            else:
                yield row.key, value

    def _total(self, key: str) -> Number | None:
        total = Fraction(0)
        for meter, weight in self._plan.weights.items():
            value = value_of(self._newest[meter].values, key)
            if value is None:
                return None
            total += weight * value
        return number(total)

    def _withheld(self, key: str, value: Number) -> str:
        """Say why a difference of registers is not shown: it is below zero, or has fallen of its own accord."""
        if value < 0:
            return "below_zero"
        last = self._last(self._plan.id, key)
        if last is None or value >= last:
            self._may_fall.discard(key)
            return ""
        return "" if key in self._may_fall else "falling"

    def _is_old(self, part: Part, latest: Part) -> bool:
        pace = max(self._pace.get(part.meter, 0), self._plan.paces[part.meter] * 1000)
        return latest.moment - part.moment > LATE * pace
