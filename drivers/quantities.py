"""The closed list of what Nabd measures: name, base unit, counter or gauge, commodity, OBIS code.

A published quantity never changes its meaning or unit; a new meaning is a new name. The key on the wire and in stores
is quantity and unit together (`energy_import_wh`). Profiles may state other units of the same dimension; `scale_of`
gives the factor into the base unit.

OBIS codes: those the captured P1, SML and IEC 62056-21 telegrams carry for the quantity; blank where none was seen.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Literal

Kind = Literal["counter", "gauge"]
Commodity = Literal["electricity", "water", "gas", "heat"]

DECIMALS = 4
"""Values keep at most four decimals of the base unit: 0.1 mV, 0.1 mWh, 0.1 ml. Finer is noise, and 0.0001 is the last
step a JSON number shows without an exponent."""

FLAGS = (
    "leak", "burst", "backflow", "dry", "tamper", "battery_low", "clock_invalid", "measurement_error", "power_fail",
)  # fmt: skip
"""What a meter may report of itself, whatever its protocol calls it."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One row of the list; `key` is its name on the wire and in stores."""

    name: str
    unit: str
    kind: Kind
    commodity: Commodity
    obis: str = ""

    @property
    def key(self) -> str:
        """Name and base unit joined, as JSON and stores show it; a power factor has no unit."""
        return f"{self.name}_{self.unit.lower().replace('/', '_')}" if self.unit != "1" else self.name


# base unit -> other units of the same dimension -> factor into the base unit
UNITS: dict[str, dict[str, Fraction]] = {
    "Wh": {"Wh": Fraction(1), "kWh": Fraction(1000), "MWh": Fraction(10**6), "GJ": Fraction(10**9, 3600)},
    "varh": {"varh": Fraction(1), "kvarh": Fraction(1000), "Mvarh": Fraction(10**6)},
    "W": {"W": Fraction(1), "kW": Fraction(1000), "MW": Fraction(10**6)},
    "var": {"var": Fraction(1), "kvar": Fraction(1000)},
    "VA": {"VA": Fraction(1), "kVA": Fraction(1000)},
    "V": {"V": Fraction(1), "mV": Fraction(1, 1000), "kV": Fraction(1000)},
    "A": {"A": Fraction(1), "mA": Fraction(1, 1000), "kA": Fraction(1000)},
    "Hz": {"Hz": Fraction(1), "mHz": Fraction(1, 1000)},
    "l": {"l": Fraction(1), "m3": Fraction(1000), "m³": Fraction(1000), "ml": Fraction(1, 1000),
          "ft3": Fraction(28_316_846_592, 10**9)},
    "l/h": {
        "l/h": Fraction(1), "l/min": Fraction(60), "l/s": Fraction(3600),
        "m3/h": Fraction(1000), "m³/h": Fraction(1000),
    },
    "C": {"C": Fraction(1), "°C": Fraction(1)},
    "s": {"s": Fraction(1), "min": Fraction(60), "h": Fraction(3600), "d": Fraction(86400)},
    "1": {"": Fraction(1), "1": Fraction(1), "%": Fraction(1, 100)},
}  # fmt: skip


def _rows() -> list[Quantity]:
    rows: list[Quantity] = []

    def add(
        name: str, unit: str, kind: Kind, commodity: Commodity = "electricity", obis: str = "", parts: str = ""
    ) -> None:
        rows.append(Quantity(name, unit, kind, commodity, obis))
        rows.extend(_parts(rows[-1], parts))

    add("energy_import", "Wh", "counter", obis="1.8.0", parts="tl")
    add("energy_export", "Wh", "counter", obis="2.8.0", parts="tl")
    add("heat_energy", "Wh", "counter", "heat", parts="t")
    add("cooling_energy", "Wh", "counter", "heat", parts="t")
    add("reactive_energy_import", "varh", "counter", obis="3.8.0")
    add("reactive_energy_export", "varh", "counter", obis="4.8.0")
    add("power", "W", "gauge", obis="16.7.0", parts="l")
    add("power_import", "W", "gauge", obis="1.7.0", parts="l")
    add("power_export", "W", "gauge", obis="2.7.0", parts="l")
    add("heat_power", "W", "gauge", "heat")
    add("reactive_power", "var", "gauge", parts="l")
    add("apparent_power", "VA", "gauge", parts="l")
    add("voltage", "V", "gauge", obis="12.7.0", parts="l")
    add("current", "A", "gauge", obis="11.7.0", parts="ln")
    add("frequency", "Hz", "gauge", obis="14.7.0")
    add("power_factor", "1", "gauge", obis="13.7.0", parts="l")
    add("water_volume", "l", "counter", "water")
    add("water_volume_reverse", "l", "counter", "water")
    add("gas_volume", "l", "counter", "gas")
    add("heat_volume", "l", "counter", "heat")
    add("water_flow", "l/h", "gauge", "water")
    add("gas_flow", "l/h", "gauge", "gas")
    add("heat_flow", "l/h", "gauge", "heat")
    add("flow_temperature", "C", "gauge", "heat")
    add("return_temperature", "C", "gauge", "heat")
    add("battery_left", "s", "gauge", "water")
    return rows


# Phases in OBIS are the total's value group C plus 20, 40, 60; power_import L1 is 21.7.0, voltage L1 is 32.7.0.
_PHASE_STEP = 20


def _parts(total: Quantity, parts: str) -> list[Quantity]:
    suffixes: list[tuple[str, str]] = []
    group = total.obis.split(".")
    if "t" in parts:
        suffixes += [(f"t{n}", f"{group[0]}.{group[1]}.{n}" if total.obis else "") for n in range(1, 5)]
    if "l" in parts:
        suffixes += [
            (f"l{n}", ".".join([str(int(group[0]) + _PHASE_STEP * n), *group[1:]]) if total.obis else "")
            for n in range(1, 4)
        ]
    if "n" in parts:
        suffixes.append(("n", "91.7.0"))
    return [Quantity(f"{total.name}_{s}", total.unit, total.kind, total.commodity, obis) for s, obis in suffixes]


QUANTITIES: dict[str, Quantity] = {row.name: row for row in _rows()}
BY_KEY: dict[str, Quantity] = {row.key: row for row in QUANTITIES.values()}


@cache
def scale_of(quantity: str, unit: str) -> Fraction:
    """Give the exact factor from `unit` into the quantity's base unit; raises KeyError for a foreign unit or name."""
    return UNITS[QUANTITIES[quantity].unit][unit]
