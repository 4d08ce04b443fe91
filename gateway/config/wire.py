"""What reading a Modbus meter costs: its requests as the driver plans them, and how much of a line's time they take."""

from collections.abc import Sequence

from gateway.config.build import bus_of
from gateway.config.models import BusTable, MeterTable


def requests_of(bus: BusTable, meter: MeterTable) -> str | None:
    """Describe the requests of one reading, with their time where the line's speed is known; None if not Modbus."""
    if bus.driver != "modbus":
        return None
    counts, seconds, baud = _cost(bus, meter)
    listed = " + ".join(map(str, counts))
    text = f"{len(counts)} request{'s' if len(counts) > 1 else ''}, {listed} registers"
    return f"{text}, {seconds:.2f} s at {baud} baud" if bus.device else text


def load_of(bus: BusTable, meters: Sequence[MeterTable]) -> float:
    """Give the part of a serial line's time that its meters' schedules need, 1.0 being all of it."""
    if bus.driver != "modbus" or not bus.device:
        return 0.0
    return sum(_cost(bus, meter)[1] / meter.every for meter in meters if meter.every)


def _cost(bus: BusTable, meter: MeterTable) -> tuple[list[int], float, int]:
    """Give the registers of each request, the seconds of all of them together, and the baud they are reckoned with."""
    from drivers.modbus.driver import BAUD, wire_of  # noqa: PLC0415  a house with P1 only needs none of it

    wire = wire_of(bus_of(bus))
    counts = [page.read.count for page in meter.profile.layout.pages(wire)]
    return counts, sum(wire.time_of(count) for count in counts), bus.baud or BAUD
