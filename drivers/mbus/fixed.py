"""The old fixed structure of M-Bus (CI 73, 77): two counters, their units by code. Bytes in, records out."""

from fractions import Fraction

from drivers.mbus import values
from drivers.mbus.records import Record, Records
from drivers.mbus.tables import Meaning

_BINARY = 0x01
_UNIT = 0x3F
HISTORIC = 0x3E
"""The unit code that says: as the other counter, but of the last due date."""

_COUNTER = 4


def _rising(first: int, quantity: str, unit: str, exponent: int, count: int) -> dict[int, Meaning]:
    """Codes in a row, each ten times the one before."""
    return {first + step: Meaning(quantity, unit, Fraction(10) ** (exponent + step)) for step in range(count)}


UNITS: dict[int, Meaning] = {
    **_rising(0x02, "energy", "Wh", 0, 9),
    **_rising(0x0B, "energy", "J", 3, 9),
    **_rising(0x14, "power", "W", 0, 9),
    **_rising(0x1D, "power", "J/h", 3, 9),
    **_rising(0x26, "volume", "m3", -6, 9),
    **_rising(0x2F, "volume_flow", "m3/h", -6, 9),
    0x38: Meaning("temperature", "°C", Fraction(1, 1000)),
    0x39: Meaning("heat_cost_units"),
    0x3F: Meaning("dimensionless"),
}


def fixed_records(status: int, units: bytes, counters: bytes, *, msb_first: bool) -> Records:
    """Read both counters; the status says whether they are binary or BCD."""
    codes = [unit & _UNIT for unit in units]
    records = []
    for number, code in enumerate(codes):
        data = counters[number * _COUNTER : (number + 1) * _COUNTER]
        data = data[::-1] if msb_first else data
        raw = values.unsigned(data) if status & _BINARY else values.bcd(data)
        meaning = UNITS.get(codes[0] if code == HISTORIC else code, Meaning("unknown"))
        start = 8 + number * _COUNTER
        value = None if raw is None else raw * meaning.scale
        exact = value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value
        storage = int(code == HISTORIC)
        end = start + _COUNTER
        name, unit = meaning.quantity, meaning.unit
        records.append(Record(start, start, end, b"", "instantaneous", storage, 0, 0, name, unit, exact))
    return Records(tuple(records))
