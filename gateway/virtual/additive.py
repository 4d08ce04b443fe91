"""What may be added up: energies, volumes, powers and flows; never voltages, currents or power factors.

1. A virtual meter has what all its parts have.
2. A part that tells the power of import and export apart has their difference as its power.
3. Registers need a part that counts up. In a difference, import and export of power are no quantities: which of the two
   it is follows from the signed power alone.
"""

from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction

from drivers.contract import Number
from drivers.decimals import exact
from drivers.quantities import BY_KEY, QUANTITIES, Quantity

ADDITIVE = frozenset(("Wh", "varh", "l", "W", "var", "l/h"))
"""Units of which two meters' values add up. VA and A do not: they differ in phase."""
_ONE_WAY = ("power_import", "power_export")
_ENDING = {f"power{part}_w": part for part in ("", "_l1", "_l2", "_l3")}


def offered(parts: Iterable[Collection[str]], weights: Iterable[Fraction]) -> tuple[Quantity, ...]:
    """Give what a formula's meter has, whose parts have these quantities (names), in the order of the closed list."""
    each, signs = [_with_net_power(part) for part in parts], list(weights)
    return tuple(
        row
        for row in QUANTITIES.values()
        if row.unit in ADDITIVE and _means_something(row, signs) and all(row.name in part for part in each)
    )


def value_of(values: Mapping[str, Number], key: str) -> Fraction | None:
    """Give a part's exact value; None where it has none, or says so with something that is no number."""
    if key in values:
        return _finite(values[key])
    ending = _ENDING.get(key)
    if ending is None:
        return None
    taken, given = (values.get(f"{name}{ending}_w") for name in _ONE_WAY)
    if taken is None or given is None:
        return None
    a, b = _finite(taken), _finite(given)
    return None if a is None or b is None else a - b


def _finite(value: Number) -> Fraction | None:
    return exact(value) if float("-inf") < value < float("inf") else None


def _with_net_power(names: Collection[str]) -> set[str]:
    net = {
        BY_KEY[key].name for key, part in _ENDING.items() if all(f"{name}{part}" in names for name in _ONE_WAY)
    }  # fmt: skip
    return {*names, *net}


def _means_something(row: Quantity, weights: list[Fraction]) -> bool:
    if row.kind == "counter":
        return any(weight > 0 for weight in weights)
    return not row.name.startswith(_ONE_WAY) or all(weight > 0 for weight in weights)
