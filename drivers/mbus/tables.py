"""What the value information of M-Bus records means: quantity, unit and power of ten by code.

Three tables (plain VIF, and the extensions behind FB and FD) and the words of VIFEs that change what a value means.
Facts: the public documents on M-Bus (m-bus.com), and what the captured meters say beside the readings of libmbus and
wmbusmeters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says of a value: its quantity, its unit (None for none) and what its number is multiplied by."""

    quantity: str
    unit: str | None = None
    scale: Fraction = Fraction(1)


UNKNOWN = Meaning("unknown")
MANUFACTURER = Meaning("manufacturer_specific")
TEXT = "described_by_text"
DATE, TIME = "date", "date_and_time"
"""Quantities whose numbers are dates."""

Table = Mapping[int, Meaning]

_DURATIONS = (("s", 1), ("s", 60), ("s", 3600), ("s", 86400))
_LONG = (("h", 1), ("d", 1), ("months", 1), ("years", 1))


def _powers(first: int, count: int, quantity: str, unit: str, exponent: int) -> Iterator[tuple[int, Meaning]]:
    """A run of codes whose last bits are a power of ten, from 10^exponent up."""
    for step in range(count):
        yield first + step, Meaning(quantity, unit, Fraction(10) ** (exponent + step))


def _units(first: int, quantity: str, units: tuple[tuple[str, int], ...]) -> Iterator[tuple[int, Meaning]]:
    for step, (unit, scale) in enumerate(units):
        yield first + step, Meaning(quantity, unit, Fraction(scale))


def _words(first: int, *quantities: str) -> Iterator[tuple[int, Meaning]]:
    for step, quantity in enumerate(quantities):
        yield first + step, Meaning(quantity)


def _table(*runs: Iterator[tuple[int, Meaning]]) -> dict[int, Meaning]:
    return {code: meaning for run in runs for code, meaning in run}


_FACTOR = Fraction(1, 4096)
_FACTORS = (
    ("k", _FACTOR), ("kq", Fraction(1)), ("kc", _FACTOR), ("kcr", _FACTOR), ("kch", _FACTOR), ("kt", _FACTOR),
    ("kd", _FACTOR),
)  # fmt: skip
"""How a heat cost allocator's units become heat: by radiator, by coupling, by what it shows."""

PLAIN: Table = _table(
    _powers(0x00, 8, "energy", "Wh", -3),
    _powers(0x08, 8, "energy", "J", 0),
    _powers(0x10, 8, "volume", "m3", -6),
    _powers(0x18, 8, "mass", "kg", -3),
    _units(0x20, "on_time", _DURATIONS),
    _units(0x24, "operating_time", _DURATIONS),
    _powers(0x28, 8, "power", "W", -3),
    _powers(0x30, 8, "power", "J/h", 0),
    _powers(0x38, 8, "volume_flow", "m3/h", -6),
    _powers(0x40, 8, "volume_flow", "m3/min", -7),
    _powers(0x48, 8, "volume_flow", "m3/s", -9),
    _powers(0x50, 8, "mass_flow", "kg/h", -3),
    _powers(0x58, 4, "flow_temperature", "°C", -3),
    _powers(0x5C, 4, "return_temperature", "°C", -3),
    _powers(0x60, 4, "temperature_difference", "K", -3),
    _powers(0x64, 4, "external_temperature", "°C", -3),
    _powers(0x68, 4, "pressure", "bar", -3),
    _words(0x6C, DATE, TIME),
    _words(0x6E, "heat_cost_units"),
    _units(0x70, "averaging_duration", _DURATIONS),
    _units(0x74, "actuality_duration", _DURATIONS),
    _words(0x78, "fabrication_number", "enhanced_identification", "address"),
    _words(0x7E, "any"),
)

EXTENDED_FB: Table = _table(
    _powers(0x00, 2, "energy", "Wh", 5),
    _powers(0x02, 2, "reactive_energy", "varh", 3),
    _powers(0x04, 2, "apparent_energy", "VAh", 3),
    _powers(0x08, 2, "energy", "J", 8),
    _powers(0x0C, 4, "energy", "cal", 5),
    _powers(0x10, 2, "volume", "m3", 2),
    _powers(0x14, 4, "reactive_power", "var", 0),
    _powers(0x18, 2, "mass", "kg", 5),
    _powers(0x1A, 2, "relative_humidity", "%", -1),
    iter([(0x20, Meaning("volume", "ft3")), (0x21, Meaning("volume", "ft3", Fraction(1, 10)))]),
    iter([(0x22, Meaning("volume", "gal", Fraction(1, 10))), (0x23, Meaning("volume", "gal"))]),
    iter([(0x24, Meaning("volume_flow", "gal/min", Fraction(1, 1000))), (0x25, Meaning("volume_flow", "gal/min"))]),
    iter([(0x26, Meaning("volume_flow", "gal/h"))]),
    _powers(0x28, 2, "power", "W", 5),
    _powers(0x2A, 1, "phase_voltage_to_voltage", "°", -1),
    _powers(0x2B, 1, "phase_voltage_to_current", "°", -1),
    _powers(0x2C, 4, "frequency", "Hz", -3),
    _powers(0x30, 2, "power", "J/h", 8),
    _powers(0x34, 4, "apparent_power", "VA", 0),
    _powers(0x58, 4, "flow_temperature", "°F", -3),
    _powers(0x5C, 4, "return_temperature", "°F", -3),
    _powers(0x60, 4, "temperature_difference", "°F", -3),
    _powers(0x64, 4, "external_temperature", "°F", -3),
    _powers(0x70, 4, "temperature_limit", "°F", -3),
    iter([(0x68 + step, Meaning(f"rating_factor_{name}", None, scale)) for step, (name, scale) in enumerate(_FACTORS)]),
    _powers(0x74, 4, "temperature_limit", "°C", -3),
    _powers(0x78, 8, "cumulated_maximum_power", "W", -3),
)

EXTENDED_FD: Table = _table(
    _powers(0x00, 4, "credit", "currency", -3),
    _powers(0x04, 4, "debit", "currency", -3),
    _words(
        0x08, "access_number", "medium", "manufacturer", "parameter_set", "model", "hardware_version",
        "firmware_version", "software_version", "customer_location", "customer", "access_code_user",
        "access_code_operator", "access_code_system_operator", "access_code_developer", "password", "error_flags",
        "error_mask", "security_key",
    ),
    _words(0x1A, "digital_output", "digital_input", "baud_rate", "response_delay", "retries", "remote_control"),
    _words(0x20, "first_cyclic_storage", "last_cyclic_storage", "storage_block_size", "tariff_descriptor"),
    _units(0x24, "storage_interval", _DURATIONS),
    _units(0x28, "storage_interval", (("months", 1), ("years", 1))),
    _words(0x2A, "operator_specific", "time_point_second"),
    _units(0x2C, "duration_since_last_readout", _DURATIONS),
    _words(0x30, "tariff_start"),
    _units(0x31, "tariff_duration", _DURATIONS[1:]),
    _units(0x34, "tariff_period", _DURATIONS),
    _units(0x38, "tariff_period", (("months", 1), ("years", 1))),
    _words(0x3A, "dimensionless", "wireless_container"),
    _units(0x3C, "transmission_period", _DURATIONS),
    _powers(0x40, 16, "voltage", "V", -9),
    _powers(0x50, 16, "current", "A", -12),
    _words(
        0x60, "reset_counter", "cumulation_counter", "control_signal", "day_of_week", "week_number",
        "time_of_day_change", "parameter_activation", "supplier_information",
    ),
    _units(0x68, "duration_since_last_cumulation", _LONG),
    _units(0x6C, "battery_operating_time", _LONG),
    _words(0x70, "battery_change"),
    _powers(0x71, 1, "rf_level", "dBm", 0),
    _words(0x72, "daylight_saving", "listening_window"),
    _units(0x74, "battery_left", (("d", 1),)),
    _words(0x75, "times_stopped", "manufacturer_container"),
)  # fmt: skip

# --- how the bytes of some quantities are read -----------------------------------------------------------------------

DATES = frozenset({DATE, TIME, "tariff_start", "battery_change"})
"""Quantities whose bytes are a date or a time of day."""

CONTAINERS = frozenset({"wireless_container", "manufacturer_container"})
"""Quantities whose bytes are a telegram of their own."""

_NAMES = (0x78, 0x79, 0x7A)
UNSIGNED = frozenset(
    {PLAIN[code].quantity for code in _NAMES} | {EXTENDED_FD[code].quantity for code in (*range(0x08, 0x24), 0x75)}
)
"""Names, versions, flags and counts, which have no sign."""
