"""Reads Modbus meters: RTU on a serial line, RTU through a transparent gateway, and Modbus TCP.

1. `connect` opens the link and puts a line on it: `TcpLine` for `tcp://`, else `RtuLine`.
2. `read` asks for each page of the meter's table in turn and gives all values as one reading. The first reading after a
   connect must be such as a meter says (meeting.py).
3. A page that is refused for one register is asked in halves, and the meter's plan is made anew without it (table.py).
4. A TCP host that closed the connection after an earlier answer (many do, when idle or after each) is connected and
   asked once more; anything else is the caller's to decide.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from drivers import link
from drivers.contract import BootClock, Bus, DriverError, Meter, NotConnected, Number, Reading, Refused
from drivers.modbus.codec import Read
from drivers.modbus.layout import Page
from drivers.modbus.meeting import Meeting
from drivers.modbus.plan import Wire
from drivers.modbus.rtu import RtuLine
from drivers.modbus.tcp import Answer, TcpLine
from drivers.names import Names

BAUD, FRAMING, PORT = 9600, "8N1", 502

CLOSE_TIMEOUT = 1.0
"""Seconds an adapter's driver may take to let a port go."""

NOT_THERE = (2, 3)
"""Exceptions by which meters refuse a whole request for the sake of some of its registers: no such address, no such
count."""

Asked = list[tuple[Page, bytes]]
"""Answers with the pages that were asked for."""


def open_bus(bus: Bus, now: BootClock) -> "ModbusDriver":
    """Make the driver of one bus; `connect` opens it."""
    return ModbusDriver(bus, now)


def wire_of(bus: Bus) -> Wire:
    """Say what time costs on a bus. Behind many a TCP host is a serial line, so it is planned like one."""
    return Wire(link.Line.of(bus, BAUD, FRAMING).character)


class ModbusDriver:
    """One serial line or one host, with all its units."""

    turns: Literal["asked", "pushed"] = "asked"

    def __init__(self, bus: Bus, now: BootClock) -> None:
        """Take the bus; nothing is opened."""
        self._bus = bus
        self._now = now
        self._names = Names()
        self._opening = asyncio.Lock()
        self._line: TcpLine | RtuLine | None = None
        self._rejected: Counter[str] = Counter()
        self._late: dict[int, float] = {}
        self._met: dict[str, Meeting] = {}

    async def connect(self) -> None:
        """Open the bus; raises NotConnected."""
        self._met.clear()  # another meter may hang there now
        await self._open()

    async def read(self, meter: Meter) -> Reading:
        """Ask for all of the meter's registers; raises DriverError with the meter's id."""
        try:
            unit = self._unit(meter)
            met = self._meet(meter)
            found, at = await self._pages(meter, unit, met)
            if not met.proven:
                met.judge(found)
        except DriverError as error:
            error.meter = meter.id
            raise
        values: dict[str, Number] = {}
        status: dict[str, None] = {}
        for page, payload in found:
            values |= page.decode(payload)
            if page.status is not None:
                status |= dict.fromkeys(page.status(payload))
        return Reading(meter.id, at, values, tuple(status))

    async def nameplate(self, meter: Meter) -> dict[str, str]:
        """Ask what the meter says of itself, by the names of its profile; raises DriverError."""
        unit = self._unit(meter)
        found: dict[str, str] = {}
        for place in meter.profile.layout.nameplate:
            with contextlib.suppress(Refused):
                payload, _ = await self._ask(unit, place.read, meter.deadline)
                found[place.name] = place.text(payload)
        return found

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

    def _meet(self, meter: Meter) -> Meeting:
        met = self._met.get(meter.id)
        if met is None or met.table is not meter.profile.layout:
            met = self._met[meter.id] = Meeting(meter.profile.layout, wire_of(self._bus))
        return met

    async def _pages(self, meter: Meter, unit: int, met: Meeting) -> tuple[Asked, int]:
        """Ask for every page: one after the other, or together where the host takes that."""
        found: Asked = []
        at = 0
        if self._bus.in_flight > 1 and len(met.pages) > 1:
            together = (self._page(meter, unit, page, met) for page in met.pages)
            for outcome in await asyncio.gather(*together, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
                found += outcome[0]
                at = max(at, outcome[1])
        else:
            for page in met.pages:
                answers, moment = await self._page(meter, unit, page, met)
                found += answers
                at = max(at, moment)
        met.learned(answered=bool(found))
        if not found and met.refusal is not None:
            raise met.refusal
        return found, at

    async def _page(self, meter: Meter, unit: int, page: Page, met: Meeting) -> tuple[Asked, int]:
        """Ask for a page; where it is refused for one register, find that one by halves."""
        try:
            payload, at = await self._ask(unit, page.read, meter.deadline)
        except Refused as error:
            if error.code not in NOT_THERE:
                raise
            refusal = error
        else:
            return [(page, payload)], at
        halves = met.table.halves(page)
        if halves is None:
            self._rejected["missing_register"] += 1
            met.miss(page, refusal)
            return [], 0
        (left, sooner), (right, later) = [await self._page(meter, unit, half, met) for half in halves]
        if left and right and (left[0][0], right[0][0]) == halves:
            met.cut(halves[1])
        return left + right, max(sooner, later)

    async def _ask(self, unit: int, read: Read, deadline: float) -> Answer:
        line = self._line
        if line is None:
            raise NotConnected("the bus is not open")
        try:
            return await line.ask(unit, read, deadline)
        except NotConnected:
            if not line.answered or not link.is_tcp(self._bus):
                raise
        async with self._opening:
            if self._line is line:
                await self._open()
            again = self._line
        if again is None:
            raise NotConnected("the bus was closed")
        return await again.ask(unit, read, deadline)

    async def _open(self) -> None:
        await self.close()
        _, self._line = await link.connect(
            self._bus, self._new_line, baud=BAUD, framing=FRAMING, port=PORT, names=self._names
        )

    def _new_line(self) -> TcpLine | RtuLine:
        if self._bus.where.startswith("tcp://"):
            return TcpLine(self._now, self._rejected, self._bus.in_flight)
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
