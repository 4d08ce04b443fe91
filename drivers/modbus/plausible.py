"""Asks of a meter's first values whether a meter could say them, or whether words or bytes stand in another order.

1. Each value is judged by its unit: what a meter on a network or in a pipe shows speaks for this order, what is odd but
   has been seen says nothing, and neither does zero; what cannot be speaks against it.
2. The same registers are read in all four orders. One that more speaks for than for the configured order wins, and the
   reading is refused: 230.1 V in one order is 150,798,336 V in another.
3. Where no order makes sense, the profile does not fit the meter.

A meter that shows only counters as integers may fit several orders: what is small in one is large in another, and only
a look at its display can tell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.contract import DecodeError, Number
from drivers.modbus.layout import ORDERS, Order
from drivers.quantities import BY_KEY

_YEARS_40 = 40 * 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class _Range:
    """Base units: from `low` to `high` is usual, within `least` to `most` it has been seen."""

    low: float
    high: float
    least: float
    most: float


# Usual: low-voltage networks, small to large buildings, houses to district stations, after the meter's own transformer
# ratio. Seen: whole substations (500 kV, 100 kA, 1 GW), railway networks (16.7 Hz), induced volts on a dead phase.
_RANGES = {
    "V": _Range(40, 800, 0, 500_000),
    "Hz": _Range(45, 65, 15, 70),
    "1": _Range(-1.001, 1.001, -1.1, 1.1),
    "A": _Range(-6_000, 6_000, -100_000, 100_000),
    "W": _Range(-1e7, 1e7, -1e9, 1e9),
    "var": _Range(-1e7, 1e7, -1e9, 1e9),
    "VA": _Range(-1e7, 1e7, -1e9, 1e9),
    "Wh": _Range(0, 1e11, -1e11, 1e13),
    "varh": _Range(-1e11, 1e11, -1e13, 1e13),
    "l": _Range(0, 1e10, -1e9, 1e12),
    "l/h": _Range(-1e6, 1e6, -1e7, 1e7),
    "C": _Range(-40, 180, -100, 400),
    "s": _Range(0, _YEARS_40, 0, _YEARS_40),
}

_TINIEST = 1e-3
"""Below this a value says nothing: garbage read as a float is mostly tiny or huge."""


@dataclass(frozen=True, slots=True)
class Score:
    """How many values speak for and against an order."""

    good: int
    bad: int

    @property
    def sum(self) -> int:
        """One impossible value weighs more than two that happen to fit."""
        return self.good - 3 * self.bad


def score(values: Mapping[str, Number]) -> Score:
    """Judge each value whose unit is known."""
    good = bad = 0
    for key, value in values.items():
        row = BY_KEY.get(key)
        if row is None or abs(float(value)) < _TINIEST:
            continue
        usual = _RANGES[row.unit]
        if not usual.least <= value <= usual.most:
            bad += 1
        elif usual.low <= value <= usual.high:
            good += 1
    return Score(good, bad)


def judge(order: Order, read: Callable[[Order], Mapping[str, Number]]) -> bool:
    """Tell whether the first values prove the order (False: they say nothing yet); raises DecodeError.

    `read` gives the values of one and the same answer as each order would have them.
    """
    values = {other: read(other) for other in ORDERS}
    scores = {other: score(found) for other, found in values.items()}
    own = scores[order]
    better = [other for other in ORDERS if scores[other].good and scores[other].sum > own.sum]
    if better:
        best = max(better, key=lambda other: scores[other].sum)
        raise DecodeError(
            f"the values look like another order of words: {_compare(values[order], values[best], order, best)}",
            f'write order = "{best}" in the profile if the meter\'s display agrees',
        )
    if own.sum < 0:
        key = next(key for key, value in values[order].items() if score({key: value}).bad)
        raise DecodeError(f"no meter says {_said(key, values[order])}", "does the profile fit this meter?")
    return own.good > 0


def _compare(ours: Mapping[str, Number], theirs: Mapping[str, Number], order: Order, best: Order) -> str:
    """Show one value in both orders, one that speaks for the better one and not for ours if there is such."""
    fits = [key for key, value in theirs.items() if score({key: value}).good]
    key = next((key for key in fits if not score({key: ours.get(key, 0)}).good), fits[0])
    return f"{order} gives {_said(key, ours)}, {best} would give {_said(key, theirs)}"


def _said(key: str, values: Mapping[str, Number]) -> str:
    row = BY_KEY[key]
    value = values.get(key)
    shown = "nothing" if value is None else f"{float(value):.6g} {row.unit if row.unit != '1' else ''}".strip()
    return f"{row.name} {shown}"
