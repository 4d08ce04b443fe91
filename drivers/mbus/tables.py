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
        "error_mask",
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

# --- VIFEs that change what a value means ----------------------------------------------------------------------------

ERRORS: Mapping[int, str] = {
    0x01: "too many DIFEs", 0x02: "storage number not implemented", 0x03: "subunit not implemented",
    0x04: "tariff not implemented", 0x05: "function not implemented", 0x06: "data class not implemented",
    0x07: "data size not implemented", 0x0B: "too many VIFEs", 0x0C: "illegal VIF group",
    0x0D: "illegal VIF exponent", 0x0E: "VIF and DIF do not fit", 0x0F: "action not implemented",
    0x15: "no data available", 0x16: "data overflow", 0x17: "data underflow", 0x18: "data error",
    0x1C: "premature end of record",
}  # fmt: skip
"""What a meter says instead of a value it cannot give."""

_LIMITS = {
    0x40 | upper << 3: f"{name}_limit" for upper, name in enumerate(("lower", "upper"))
} | {
    0x41 | upper << 3: f"times_{name}_limit_exceeded" for upper, name in enumerate(("lower", "upper"))
}  # fmt: skip
_PER = (
    "per_second", "per_minute", "per_hour", "per_day", "per_week", "per_month", "per_year", "per_revolution",
    "per_input_pulse_0", "per_input_pulse_1", "per_output_pulse_0", "per_output_pulse_1", "per_litre", "per_m3",
    "per_kg", "per_kelvin", "per_kwh", "per_gj", "per_kw", "per_kelvin_litre", "per_volt", "per_ampere",
    "times_second", "times_second_per_volt", "times_second_per_ampere", "start_of", "uncorrected",
    "positive_only", "negative_only",
)  # fmt: skip

MODIFIERS: Mapping[int, str] = {
    0x12: "average", 0x13: "inverse_compact_profile", 0x14: "relative_deviation", 0x1D: "standard_content",
    0x1E: "compact_profile_with_registers", 0x1F: "compact_profile",
    **{0x20 + step: word for step, word in enumerate(_PER)},
    0x3D: "non_metric", 0x3E: "at_base_conditions", 0x3F: "obis_declaration",
    **_LIMITS,
    **dict.fromkeys((*range(0x42, 0x48), *range(0x4A, 0x50)), "limit_exceeded_when"),
    **dict.fromkeys(range(0x50, 0x60), "limit_exceeded_for"),
    **dict.fromkeys(range(0x60, 0x68), "lasted"),
    0x68: "during_lower_limit_exceeded", 0x6C: "during_upper_limit_exceeded", 0x69: "leakage", 0x6D: "overflow",
    **dict.fromkeys((0x6A, 0x6B, 0x6E, 0x6F), "when"),
    0x7E: "future",
}  # fmt: skip
"""What a VIFE says of the value before it; those that carry a number are read by the decoder."""

MODIFIERS_FC: Mapping[int, str] = {
    0x01: "at_l1", 0x02: "at_l2", 0x03: "at_l3", 0x04: "at_neutral", 0x05: "l1_to_l2", 0x06: "l2_to_l3",
    0x07: "l3_to_l1", 0x08: "quadrant_1", 0x09: "quadrant_2", 0x0A: "quadrant_3", 0x0B: "quadrant_4",
    0x0C: "import_minus_export", 0x10: "absolute_both_ways", 0x11: "as_type_c", 0x12: "as_type_d",
    0x13: "from_partner_to_meter", 0x14: "from_meter_to_partner",
}  # fmt: skip
"""VIFEs behind FC."""
