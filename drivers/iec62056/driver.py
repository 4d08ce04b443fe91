"""Reads IEC 62056-21 meters: on a serial line (optical head, current loop), or through a serial server over TCP.

1. `read` of a meter that is asked (modes A, B, C, programming) begins at the first speed, runs a session to its end,
   and has the line to itself until then.
2. `read` of a meter that talks by itself (mode D) gives its next list.
3. A serial server has a speed of its own, which we cannot change: over TCP the meter is told to stay at it.
4. `framing = "8N1"` of a bus means that its head passes eight bits: the parity of the meter's 7E1 is made here.

How long one read-out may take is the profile's `budget`, or the meter's `deadline` where that is longer: a list at 300
baud takes a minute. A silent meter costs `Timing.answer` only.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from drivers.contract import BootClock, Bus, DriverError, Meter, NoAnswer, Reading, Refused
from drivers.iec62056.codec import Decoder
from drivers.iec62056.messages import ReadOut
from drivers.iec62056.open_line import OpenLine
from drivers.iec62056.profile import Layout, Said, read_list
from drivers.iec62056.session import Manner, Session
from drivers.link import is_tcp

if TYPE_CHECKING:
    from drivers.pushed import PushedPort

_ADDRESS = re.compile(r"[0-9A-Za-z ]{0,32}", re.ASCII)

SIGN_ON = 20.0
"""Seconds of a budget for all that is no list: silence, wake-up, sign-on at 300 baud, a password."""

SILENCE = 65.0
"""Seconds: meters that talk by themselves do so each second to each minute."""


def open_bus(bus: Bus, now: BootClock) -> "Iec62056Driver":
    """Make the driver of one bus; `connect` opens it."""
    return Iec62056Driver(bus, now)


class Iec62056Driver:
    """One line with its meters, asked one after the other; a meter of mode D has its line to itself."""

    turns: Literal["asked", "pushed"] = "asked"

    def __init__(self, bus: Bus, now: BootClock) -> None:
        """Take the bus; nothing is opened."""
        self._bus = bus
        self._now = now
        self._busy = asyncio.Lock()
        self._pushed: PushedPort[ReadOut] | None = None
        self._seen = 0
        self._left_out: Counter[str] = Counter()
        self._line = OpenLine(bus, now)

    async def connect(self) -> None:
        """Open the bus; raises NotConnected."""
        await self.close()
        # A line of its own for each connection: the end of the former one may still be under way.
        self._left_out += self._counted_by_line()
        self._pushed = None
        self._line = OpenLine(self._bus, self._now)
        await self._line.open()

    async def read(self, meter: Meter) -> Reading:
        """Have the meter say its list, or await the next one; raises DriverError with the meter's id."""
        try:
            async with self._busy:
                if meter.profile.layout.manner.mode == "D":
                    at, said = await self._listen(meter)
                else:
                    at, said = await self._ask(meter)
        except DriverError as error:
            error.meter = meter.id
            raise
        return Reading(meter.id, at, said.values, said.status)

    def budget(self, meter: Meter) -> float:
        """Give the seconds one read-out may take."""
        layout: Layout = meter.profile.layout
        return max(layout.budget + SIGN_ON, meter.deadline)

    async def close(self) -> None:
        """Let the bus go; never raises."""
        self._line.close()

    def counters(self) -> Mapping[str, int]:
        """What was left out so far, by reason."""
        return self._left_out + self._counted_by_line()

    # --- a meter that talks by itself --------------------------------------------------------------------------------

    async def _listen(self, meter: Meter) -> tuple[int, Said]:
        layout: Layout = meter.profile.layout
        if self._pushed is None:
            await self._line.set_speed(self._bus.baud or layout.manner.speed, layout.characters)
            self._pushed, self._seen = self._line.port.push_to(Decoder(layout.manner.bcc)), 0
        silence = max(meter.deadline, SILENCE)
        try:
            async with asyncio.timeout(silence):
                while True:
                    self._seen, at, read_out = await self._pushed.after(self._seen)
                    said = self._understood(layout, read_out)
                    if said.values:
                        return at, said
        except TimeoutError:
            hint = "is the head in its place, and are speed, characters and bcc of the profile right?"
            raise NoAnswer(f"no list within {silence:g} s", hint) from None

    # --- a meter that is asked ---------------------------------------------------------------------------------------

    async def _ask(self, meter: Meter) -> tuple[int, Said]:
        layout: Layout = meter.profile.layout
        manner = self._manner(layout.manner)
        await self._line.set_speed(manner.speed, layout.characters)
        session = Session(manner, _address(meter), layout.characters)
        if layout.ask is None:
            script = session.read_list()
        else:
            names = tuple(dict.fromkeys(str(row.obis) for row in layout.rows))
            script = session.read_registers(layout.ask, names, meter.keys.password, layout.level)
        try:
            read_out = await self._line.run(session, script, self.budget(meter))
        finally:
            self._left_out += Counter(session.counters)
        said = self._understood(layout, read_out)
        if not said.values:
            codes = ", ".join(entry.address for entry in read_out.block.sets[:8] if entry.address)
            raise NoAnswer(f"the list holds nothing of the profile's rows, but {codes}", "does the profile fit?")
        return self._line.port.at, said

    def _manner(self, manner: Manner) -> Manner:
        """Fit a model's manner to the bus: its own speed, and none other over TCP."""
        speed = self._bus.baud or manner.speed
        return replace(manner, speed=speed, stay=manner.stay or is_tcp(self._bus))

    def _understood(self, layout: Layout, read_out: ReadOut) -> Said:
        said = read_list(layout, read_out)
        self._left_out += said.left_out
        return said

    def _counted_by_line(self) -> Counter[str]:
        pushed = self._pushed.counters if self._pushed is not None else Counter[str]()
        return pushed + self._line.unasked + Counter(unread_bytes=self._line.port.lost_bytes)


def _address(meter: Meter) -> str:
    """Give the device address of a sign-on; raises Refused for what a meter cannot have."""
    text = "" if meter.address is None else str(meter.address)
    if not _ADDRESS.fullmatch(text):
        raise Refused(f"{text!r} is no device address", "up to 32 letters and digits, or none where there is one meter")
    return text
