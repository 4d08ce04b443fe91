"""The open wire to DLMS meters: runs scripts on a serial line or a TCP stream, and listens to meters that push."""

from typing import TYPE_CHECKING, TypeVar

from drivers import link
from drivers.contract import BootClock, Bus, NotConnected
from drivers.dlms.apdu import Apdu
from drivers.dlms.link import Script
from drivers.dlms.push import Decoder
from drivers.iec62056.hand_over import open_hdlc
from drivers.iec62056.port import Port
from drivers.link import is_tcp
from drivers.names import Names
from drivers.pushed import PushedPort

if TYPE_CHECKING:
    import asyncio

BAUD, FRAMING, PORT = 9600, "8N1", 4059
"""HDLC's usual speed on a wire, and the TCP port that is registered for DLMS."""

T = TypeVar("T")


class Line:
    """One wire; it is opened again where that can be done at once."""

    def __init__(self, bus: Bus, now: BootClock) -> None:
        """Take the bus; `open` opens it."""
        self._bus = bus
        self._now = now
        self._names = Names()
        self._transport: asyncio.Transport | None = None
        self._by_sign_on = False
        self._pushed: PushedPort[Apdu] | None = None
        self._port = self._new_port()
        self._port.lose(NotConnected(f"{bus.where} is not open", "connect first"))

    @property
    def at(self) -> int:
        """The boot clock in ms at the last byte."""
        return self._port.at

    @property
    def pushed(self) -> PushedPort[Apdu]:
        """What meters say by themselves, from the first call on."""
        if self._pushed is None:
            self._pushed = self._port.push_to(Decoder())
        return self._pushed

    async def open(self) -> None:
        """Open the wire; raises NotConnected."""
        self.close()
        self._port = port = self._new_port()
        self._transport, _ = await link.connect(
            self._bus, lambda: port, baud=BAUD, framing=FRAMING, port=PORT, names=self._names
        )

    async def ready(self, *, sign_on: bool) -> None:
        """Have a silent wire for one conversation, after an optical sign-on where it takes one; raises DriverError."""
        if sign_on:
            self.close()
            self._transport, self._port, _ = await open_hdlc(self._bus, self._new_port, self._now)
            self._by_sign_on = True
            return
        if self._by_sign_on:
            await self.open()
        try:
            while await self._port.hear(0):
                pass
        except NotConnected:
            # Hosts let idle connections go; that costs no turn.
            if not is_tcp(self._bus):
                raise
            await self.open()

    async def run(self, script: Script[T], within: float) -> T:
        """Run a script; each answer may take so many seconds. Raises DriverError."""
        try:
            sent = next(script)
            while True:
                if sent:
                    self._port.send(sent)
                sent = script.send(await self._port.hear(within))
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            script.close()

    def send(self, data: bytes) -> None:
        """Send bytes that nobody awaits an answer to."""
        self._port.send(data)

    def close(self) -> None:
        """Let the wire go; never raises."""
        transport, self._transport = self._transport, None
        self._pushed, self._by_sign_on = None, False
        if transport is not None:
            transport.close()
            self._port.lose(NotConnected(f"{self._bus.where} was closed", "connect again"))

    def _new_port(self) -> Port:
        return Port(self._now, parity=False)
