"""An open line to IEC 62056-21 meters: does what the script of a session says, at the speed of the moment."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TypeVar

from drivers import link
from drivers.contract import BootClock, Bus, NoAnswer, NotConnected
from drivers.iec62056.messages import BREAK
from drivers.iec62056.port import Port
from drivers.iec62056.session import Hear, Pause, Quiet, Script, Send, Session, Step, Switch
from drivers.link import Line

FIRST_SPEED, FRAMING = 300, "7E1"

T = TypeVar("T")


class OpenLine:
    """One link with its speed; `framing = "8N1"` of its bus means that the parity of 7E1 is made in software."""

    def __init__(self, bus: Bus, now: BootClock) -> None:
        """Take the bus; `open` opens it."""
        self.unasked: Counter[str] = Counter()
        self.port = Port(now, parity=bus.framing == "8N1")
        self.transport: asyncio.Transport | None = None
        self._bus = bus
        self._line: Line | None = None

    async def open(self) -> None:
        """Open the link at the first speed; raises NotConnected."""
        self._line = Line.of(self._bus, FIRST_SPEED, FRAMING)
        self.transport, _ = await link.connect(self._bus, lambda: self.port, baud=FIRST_SPEED, framing=FRAMING)

    async def set_speed(self, baud: int, characters: str = FRAMING, *, settle: bool = True) -> None:
        """Bring the port to a speed; raises NotConnected. A serial server keeps its own."""
        if self.transport is None:
            raise NotConnected("the bus is not open")
        framing = self._bus.framing or characters
        line = Line.of(replace(self._bus, baud=baud, framing=framing), baud, framing)
        if line != self._line:
            await link.set_line(self.transport, line, settle=settle)
            self._line = line
        self.port.parity = self._bus.framing == "8N1" and characters == FRAMING

    async def run(self, session: Session, script: Script[T], budget: float) -> T:
        """Do what a script says, within the budget of seconds; raises DriverError."""
        try:
            async with asyncio.timeout(budget):
                step = next(script)
                while True:
                    step = script.send(await self._do(step))
        except StopIteration as done:
            result: T = done.value
            return result
        except TimeoutError:
            what = f"the list was not whole within {budget:g} s"
            raise NoAnswer(what, "a longer one needs budget in the profile, or deadline of the meter") from None
        finally:
            script.close()
            if session.open:
                self.port.send(BREAK)

    def close(self) -> None:
        """Let the link go; never raises."""
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.abort()
            self.port.lose(NotConnected(f"{self._bus.where} was closed", "connect again"))

    async def _do(self, step: Step) -> bytes:
        match step:
            case Send(data):
                self.port.send(data)
            case Hear(within):
                return await self.port.hear(within)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Quiet():
                await self._quiet(step)
            case Switch(baud, characters, at_once):
                await self.set_speed(baud, characters, settle=not at_once)
        return b""

    async def _quiet(self, step: Quiet) -> None:
        try:
            async with asyncio.timeout(step.patience):
                while dropped := await self.port.hear(step.seconds):
                    self.unasked["unasked_bytes"] += len(dropped)
        except TimeoutError:
            raise NoAnswer("the line is never silent", "does the meter talk by itself (mode D)?") from None
