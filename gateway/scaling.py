"""A meter behind transformers, or with a display that began elsewhere: what it says, times a ratio, plus an offset.

1. Energies, powers, currents, volumes and flows are multiplied by the ratio; voltages, frequency, factors and
   temperatures are not.
2. The offset is then added to the main register alone: the total that the meter's display shows.

Both are exact decimals. The driver and its checks see what the meter said; from the intake on everything is scaled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from drivers.contract import Number, Reading
from drivers.decimals import exact, number
from drivers.profiles import Profile
from drivers.quantities import BY_KEY
from gateway.config.models import MeterTable

SCALED = frozenset(("Wh", "varh", "W", "var", "VA", "A", "l", "l/h"))
TOTALS = ("energy_import", "water_volume", "gas_volume", "heat_energy")
"""What a display shows as its total, by commodity."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """One meter's ratio and offset; `main` is the key of its main register."""

    ratio: Fraction
    offset: Fraction
    main: str | None

    def apply(self, reading: Reading) -> Reading:
        """Give the reading as it counts."""
        return replace(reading, values={key: self._scaled(key, value) for key, value in reading.values.items()})

    def _scaled(self, key: str, value: Number) -> Number:
        ratio = self.ratio if BY_KEY[key].unit in SCALED else 1
        offset = self.offset if key == self.main else 0
        return value if ratio == 1 and not offset else number(exact(value) * ratio + offset)


def scaling_of(meter: MeterTable) -> Scaling | None:
    """Read ratio and offset as the decimals they were typed as; None for a meter without either."""
    if meter.ratio == 1 and not meter.offset:
        return None
    return Scaling(exact(meter.ratio), exact(meter.offset), main_of(meter.profile))


def main_of(profile: Profile) -> str | None:
    """Name the register that a display shows as its total: the one that an offset moves."""
    counters = [row for row in profile.rows if row.kind == "counter"]
    totals = [row for row in counters if row.name in TOTALS]
    return next((row.key for row in (*totals, *counters)), None)


def shown(reading: Reading, scaling: Scaling | None) -> dict[str, Any]:
    """Make the answer to who reads a meter now; `raw` are the meter's own values where they differ."""
    scaled = scaling.apply(reading) if scaling else reading
    raw = {key: value for key, value in reading.values.items() if scaled.values[key] != value}
    answer = {"meter": reading.meter, "values": _plain(scaled.values), "status": list(reading.status)}
    return answer | ({"raw": _plain(raw)} if raw else {})


def _plain(values: Mapping[str, Number]) -> dict[str, int | float | str]:
    return {key: value if isinstance(value, int | float) else str(value) for key, value in values.items()}
