"""Whether power has the sign that the installer sees: consumed is positive, fed in is negative."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Flow = Literal["import", "export"]

IDLE = Fraction(5)
"""Watts below which a sign says nothing: the meter's own supply, or noise."""


@dataclass(frozen=True, slots=True)
class Direction:
    """The power in W, whether its sign is right (None: it says nothing), and the phases that run against it.

    A phase may rightly do so where panels feed in on it alone.
    """

    power: Fraction
    right: bool | None
    against: tuple[str, ...] = ()


def power_of(values: Mapping[str, Fraction]) -> Fraction | None:
    """Give the power in W, positive when consumed; None for a meter that tells none."""
    if "power_w" in values:
        return values["power_w"]
    if "power_import_w" in values or "power_export_w" in values:
        return values.get("power_import_w", Fraction(0)) - values.get("power_export_w", Fraction(0))
    phases = [values[key] for n in (1, 2, 3) if (key := f"power_l{n}_w") in values]
    return sum(phases, Fraction(0)) if phases else None


def judge(values: Mapping[str, Fraction], said: Flow) -> Direction | None:
    """Hold the power against what the installer says happens now; None for a meter that tells no power."""
    power = power_of(values)
    if power is None:
        return None
    wanted = 1 if said == "import" else -1
    phases = {f"L{n}": values[key] for n in (1, 2, 3) if (key := f"power_l{n}_w") in values}
    against = tuple(name for name, value in phases.items() if value * wanted < -IDLE)
    right = None if abs(power) < IDLE else power * wanted > 0
    return Direction(power, right, against)
