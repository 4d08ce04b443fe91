"""Reads Modbus meters: RTU on a serial line, RTU through a transparent gateway, and Modbus TCP.

1. `connect` opens the link and puts a line on it: `TcpLine` for `tcp://`, else `RtuLine`.
2. `read` asks for each page of the meter's profile in turn and gives all values as one reading.
3. A TCP host that closed the connection after an earlier answer (many do, when idle or after each) is connected and
   asked once more; anything else is the caller's to decide.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from drivers import link
from drivers.contract import BootClock, Bus, DriverError, Meter, NotConnected, Number, Reading, Refused
from drivers.modbus.codec import Read
from drivers.modbus.rtu import RtuLine
from drivers.modbus.tcp import Answer, TcpLine

if TYPE_CHECKING:
    from drivers.modbus.layout import Page

BAUD, FRAMING, PORT = 9600, "8N1", 502

CLOSE_TIMEOUT = 1.0
"""Seconds an adapter's driver may take to let a port go."""


def open_bus(bus: Bus, now: BootClock) -> "ModbusDriver":
    """Make the driver of one bus; `connect` opens it."""
    return ModbusDriver(bus, now)


class ModbusDriver:
    """One serial line or one host, with all its units."""

    turns: Literal["asked", "pushed"] = "asked"

    def __init__(self, bus: Bus, now: BootClock) -> None:
        """Take the bus; nothing is opened."""
        self._bus = bus
        self._now = now
        self._line: TcpLine | RtuLine | None = None
        self._rejected: Counter[str] = Counter()
        self._late: dict[int, float] = {}

    async def connect(self) -> None:
        """Open the bus; raises NotConnected."""
        await self._open()

    async def read(self, meter: Meter) -> Reading:
        """Ask for all of the meter's registers; raises DriverError with the meter's id."""
        pages: tuple[Page, ...] = meter.profile.layout
        values: dict[str, Number] = {}
        at = 0
        try:
            unit = self._unit(meter)
            for page in pages:
                payload, at = await self._ask(unit, page.read, meter.deadline)
                values |= page.decode(payload)
        except DriverError as error:
            error.meter = meter.id
            raise
        return Reading(meter.id, at, values)

    async def close(self) -> None:
        """Let the bus go; never raises."""
        line, self._line = self._line, None
        if line is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await line.close()

    def counters(self) -> Mapping[str, int]:
        """What was rejected so far, by reason."""
        return self._rejected

    async def _ask(self, unit: int, read: Read, deadline: float) -> Answer:
        line = self._line
        if line is None:
            raise NotConnected("the bus is not open")
        try:
            return await line.ask(unit, read, deadline)
        except NotConnected:
            if not line.answered or not link.is_tcp(self._bus):
                raise
        line = await self._open()
        return await line.ask(unit, read, deadline)

    async def _open(self) -> TcpLine | RtuLine:
        await self.close()
        _, line = await link.connect(self._bus, self._new_line, baud=BAUD, framing=FRAMING, port=PORT)
        self._line = line
        return line

    def _new_line(self) -> TcpLine | RtuLine:
        if self._bus.where.startswith("tcp://"):
            return TcpLine(self._now, self._rejected)
        return RtuLine(self._now, self._rejected, link.Line.of(self._bus, BAUD, FRAMING), self._late)

    def _unit(self, meter: Meter) -> int:
        """Give the meter's unit: 1 to 247 on a serial line, where 0 is everyone; 0 to 255 over TCP."""
        try:
            unit = 1 if meter.address is None else int(meter.address)
        except ValueError:
            unit = -1
        first, last = (0, 255) if isinstance(self._line, TcpLine) else (1, 247)
        if not first <= unit <= last:
            raise Refused(f"{meter.address!r} is no Modbus address", f"a number from {first} to {last}")
        return unit
