"""A stub of wmbusmeters: lines of JSON about the meters of a scenario, one after the other.

Its names of fields are those that wmbusmeters' own tests expect. It writes its lines by itself: nothing of the driver's
codec is used here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle

from simulator.place import Place, Placed, Values
from simulator.pushing import PushingServer

EVERY = 8.0
"""Seconds between two telegrams of a meter, as with the simulated stick."""

_MILLI = 1000

FIELDS: Mapping[str, str] = {
    "energy_import": "total_energy_consumption_kwh", "energy_export": "total_energy_production_kwh",
    "power_import": "current_power_consumption_kw", "water_volume": "total_m3", "gas_volume": "total_m3",
    "water_volume_reverse": "total_backward_m3", "water_flow": "volume_flow_m3h", "gas_flow": "flow_m3h",
}  # fmt: skip
"""Quantity -> a field in thousands of its base unit."""


@dataclass(frozen=True)
class ToldMeter:
    """One meter: its eight digits, and its media in wmbusmeters' words."""

    number: str
    media: str
    values: Values

    def line(self, time: float) -> bytes:
        """Give what is told of it at a unix time, in whole base units: a register is cut, never rounded up."""
        values = self.values()
        telegram = {"_": "telegram", "media": self.media, "meter": "auto", "name": self.number, "id": self.number}
        told = {field: int(values[name]) / _MILLI for name, field in FIELDS.items() if name in values}
        when = {"status": "OK", "timestamp": datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        return json.dumps(telegram | told | when, separators=(",", ":")).encode() + b"\n"


def said(meters: Sequence[ToldMeter], place: Place) -> Iterator[bytes]:
    """Give the lines, one meter after the other, without end."""
    for meter in cycle(meters):
        yield meter.line(place.now())


def line(place: Place) -> Placed:
    """Serve the meters of a line; an address is the number printed on the meter."""
    meters = [
        ToldMeter(f"{meter.address or 0:08}", model.commodity, place.values(meter))
        for meter, model in zip(place.meters, place.models, strict=True)
    ]
    telling = said(meters, place)
    return Placed(PushingServer(lambda: next(telling), EVERY / len(meters)))
