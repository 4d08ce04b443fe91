"""Reads meters with a pulse output: their contacts on GPIO lines, or inputs of an S0PCM on a serial port.

1. `/dev/gpiochip…` is a chip of this board, `….sock` a simulated one; a meter's address is its line. Anything else is
   the serial port of an S0PCM; a meter's address is its input.
2. From its first reading on each contact is listened to, and each pulse kept in a file at once: a restart loses only
   what comes while nobody listens. A reading is what was counted so far.
3. Counts begin with 0 when a meter is first seen; `offset` in the configuration is what its display showed then.
"""

import asyncio
from collections import Counter as Counts
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from drivers.contract import BootClock, Bus, Driver, DriverError, Meter, NotConnected, Reading
from drivers.pulse.board import SocketEdges
from drivers.pulse.contact import Contact, Edge, Source, contact_of
from drivers.pulse.count import NANO, Counter, Total
from drivers.pulse.gpio import GpioEdges
from drivers.pulse.keeper import Keeper
from drivers.pulse.module import S0pcmDriver


def open_bus(bus: Bus, now: BootClock) -> Driver:
    """Make the driver of one board's lines, or of one S0PCM."""
    name = bus.where.rpartition("/")[2]
    if "://" not in bus.where and name.startswith("gpiochip"):
        return PulseDriver(bus, now, GpioEdges(bus.where))
    if "://" not in bus.where and name.endswith(".sock"):
        return PulseDriver(bus, now, SocketEdges(bus.where))
    return S0pcmDriver(bus, now)


@dataclass(slots=True)
class _Watched:
    """One meter's contact and count."""

    meter: str
    contact: Contact
    counter: Counter
    keeper: Keeper

    def heard(self, edge: Edge) -> None:
        """Count a pulse, and keep the count."""
        if self.counter.pulse(edge.at, backward=edge.backward, number=edge.number):
            self.keeper.keep(self.counter.total)


class PulseDriver:
    """One board's lines; each counts by itself between readings."""

    turns: Literal["asked", "pushed"] = "asked"

    def __init__(self, bus: Bus, now: BootClock, source: Source) -> None:
        """Take the bus and who hears its edges; nothing is opened."""
        self._bus, self._now, self._source = bus, now, source
        self._watched: dict[str, _Watched] = {}
        self._totals: dict[str, Total] = {}  # by meter id, and so bounded by the configuration
        self._ended: Counts[str] = Counts()
        self._lost: str | None = "not open"

    async def connect(self) -> None:
        """Open the chip; raises NotConnected."""
        await self.close()
        await self._source.open(self._lose)
        self._lost = None

    async def read(self, meter: Meter) -> Reading:
        """Give what was counted so far, and how fast it runs; raises NotConnected, NoAnswer."""
        if self._lost is not None:
            raise NotConnected(f"{self._bus.where}: {self._lost}", "connect first", meter=meter.id)
        try:
            watched = self._watch(meter)
        except DriverError as error:
            error.meter = meter.id
            raise
        # GPIO edges are stamped with the clock that the event loop runs on.
        rate = watched.counter.rate(int(asyncio.get_running_loop().time() * NANO))
        return Reading(meter.id, self._now(), watched.contact.layout.values(watched.counter.total, rate))

    async def close(self) -> None:
        """Let the lines go and bring the counts to the disk; never raises."""
        self._source.close()
        self._lost = "not open"
        for watched in self._watched.values():
            watched.keeper.close()
            self._ended += _counts(watched)
            self._totals[watched.meter] = watched.counter.total
        self._watched.clear()

    def counters(self) -> Mapping[str, int]:
        """What was left out or made up so far, by reason."""
        return sum((_counts(watched) for watched in self._watched.values()), self._ended)

    def _watch(self, meter: Meter) -> _Watched:
        contact = contact_of(meter.address, meter.profile.layout)
        known = self._watched.get(meter.id)
        if known is not None and known.contact == contact:
            return known
        if known is not None:
            raise NotConnected("the meter's model or line was changed", "its bus is opened anew")
        keeper = Keeper(self._bus.state, meter.id)
        # What was counted over an earlier connection counts, though the disk may not have taken it.
        total = self._totals.get(meter.id, keeper.total)
        watched = _Watched(meter.id, contact, contact.layout.counter(total), keeper)
        try:
            self._source.watch(contact, watched.heard)
        except DriverError:
            keeper.close()
            raise
        self._watched[meter.id] = watched
        return watched

    def _lose(self, why: str) -> None:
        self._lost = why


def _counts(watched: _Watched) -> Counts[str]:
    return Counts(
        pulses_too_soon=watched.counter.too_soon,
        edges_made_up=watched.counter.made_up,
        counts_not_kept=watched.keeper.failed,
    )
