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
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeVar

from drivers.contract import BootClock, Bus, DriverError, Meter, NoAnswer, NotConnected, Reading
from drivers.iec62056.codec import Decoder
from drivers.iec62056.messages import BREAK, ReadOut
from drivers.iec62056.port import Port
from drivers.iec62056.profile import SPEED, Layout, Said, read_list
from drivers.iec62056.session import Hear, Manner, Pause, Quiet, Script, Send, Session, Step, Switch
from drivers.link import Line, connect, is_tcp, set_line

if TYPE_CHECKING:
    from drivers.pushed import PushedPort

FRAMING = "7E1"

SIGN_ON = 20.0
"""Seconds of a budget for all that is no list: silence, wake-up, sign-on at 300 baud, a password."""

SILENCE = 65.0
"""Seconds: meters that talk by themselves do so each second to each minute."""

T = TypeVar("T")


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
        self._link: asyncio.Transport | None = None
        self._line: Line | None = None
        self._pushed: PushedPort[ReadOut] | None = None
        self._seen = 0
        self._left_out: Counter[str] = Counter()
        self._port = self._new_port()

    async def connect(self) -> None:
        """Open the bus; raises NotConnected."""
        await self.close()
        self._port = self._new_port()
        self._line = Line.of(self._bus, SPEED, FRAMING)
        self._link, _ = await connect(self._bus, lambda: self._port, baud=self._line.baud, framing=FRAMING)

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

    async def close(self) -> None:
        """Let the bus go; never raises."""
        link, self._link = self._link, None
        self._left_out += self._counted_by_port()
        self._pushed = None
        if link is not None:
            link.abort()
            self._port.lose(NotConnected(f"{self._bus.where} was closed", "connect again"))

    def counters(self) -> Mapping[str, int]:
        """What was left out so far, by reason."""
        return self._left_out + self._counted_by_port()

    # --- a meter that talks by itself --------------------------------------------------------------------------------

    async def _listen(self, meter: Meter) -> tuple[int, Said]:
        layout: Layout = meter.profile.layout
        if self._pushed is None:
            await self._set_speed(layout, layout.manner.speed)
            self._pushed, self._seen = self._port.push_to(Decoder(layout.manner.bcc)), 0
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
        await self._set_speed(layout, manner.speed)
        session = Session(manner, "" if meter.address is None else str(meter.address))
        if layout.ask is None:
            script = session.read_list()
        else:
            names = tuple(dict.fromkeys(str(row.obis) for row in layout.rows))
            script = session.read_registers(layout.ask, names, meter.keys.password, layout.level)
        try:
            read_out = await self._run(script, layout, session, max(layout.budget + SIGN_ON, meter.deadline))
        finally:
            self._left_out += Counter(session.counters)
        said = self._understood(layout, read_out)
        if not said.values:
            codes = ", ".join(entry.address for entry in read_out.block.sets[:8] if entry.address)
            raise NoAnswer(f"the list holds nothing of the profile's rows, but {codes}", "does the profile fit?")
        return self._port.at, said

    def _manner(self, manner: Manner) -> Manner:
        """Fit a model's manner to the bus: its own speed, and none other over TCP."""
        speed = self._bus.baud or manner.speed
        return replace(manner, speed=speed, stay=manner.stay or is_tcp(self._bus))

    async def _run(self, script: Script[T], layout: Layout, session: Session, budget: float) -> T:
        """Do what a script says, within the budget; raises DriverError."""
        try:
            async with asyncio.timeout(budget):
                step = next(script)
                while True:
                    step = script.send(await self._do(step, layout))
        except StopIteration as done:
            result: T = done.value
            return result
        except TimeoutError:
            what = f"the list was not whole within {budget:g} s"
            raise NoAnswer(what, "a longer one needs budget in the profile, or deadline of the meter") from None
        finally:
            script.close()
            if session.open:
                self._port.send(BREAK)

    async def _do(self, step: Step, layout: Layout) -> bytes:
        match step:
            case Send(data):
                self._port.send(data)
            case Hear(within):
                return await self._port.hear(within)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Quiet():
                await self._quiet(step)
            case Switch(baud, at_once):
                await self._set_speed(layout, baud, settle=not at_once)
        return b""

    async def _quiet(self, step: Quiet) -> None:
        try:
            async with asyncio.timeout(step.patience):
                while dropped := await self._port.hear(step.seconds):
                    self._left_out["unasked_bytes"] += len(dropped)
        except TimeoutError:
            raise NoAnswer("the line is never silent", "does the meter talk by itself (mode D)?") from None

    # --- the line ----------------------------------------------------------------------------------------------------

    async def _set_speed(self, layout: Layout, baud: int, *, settle: bool = True) -> None:
        """Bring the port to a speed; raises NotConnected. A serial server keeps its own."""
        if self._link is None or self._line is None:
            raise NotConnected("the bus is not open")
        framing = self._bus.framing or layout.characters
        line = Line.of(replace(self._bus, baud=baud, framing=framing), baud, framing)
        if line != self._line:
            await set_line(self._link, line, settle=settle)
            self._line = line

    def _new_port(self) -> Port:
        return Port(self._now, parity=self._bus.framing == "8N1")

    def _understood(self, layout: Layout, read_out: ReadOut) -> Said:
        said = read_list(layout, read_out)
        self._left_out += said.left_out
        return said

    def _counted_by_port(self) -> Counter[str]:
        pushed = self._pushed.counters if self._pushed is not None else Counter[str]()
        return pushed + Counter(unread_bytes=self._port.lost_bytes)
