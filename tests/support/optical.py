"""An IEC 62056-21 meter of the simulator at the other end of a wire in memory, for drivers on virtual time."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from drivers.contract import Bus
from drivers.iec62056.parity import with_parity, without_parity
from drivers.link import Line
from simulator.iec62056_server import Iec62056Server, Model

P = TypeVar("P", bound=asyncio.Protocol)

VALUES: Mapping[str, str] = {"F.F": "00000000", "0.0.0": "4711", "1.8.0": "012345.678*kWh", "16.7.0": "-000.250*kW"}


@dataclass
class Wire(asyncio.Transport):
    """What `link.connect` would give; `speeds` are those the driver set, `sent` what it wrote, `moments` when.

    A meter is heard only at its own speed: at another one its characters arrive as rubbish, as on a real line.
    """

    model: Model = field(default_factory=Model)
    values: Mapping[str, str] = field(default_factory=lambda: VALUES)
    paced: bool = True
    echo: bool = False
    parity: bool = False
    damage: Callable[[bytes], bytes] = bytes
    speeds: list[Line] = field(default_factory=list)
    sent: bytes = b""
    moments: list[float] = field(default_factory=list)
    closed: bool = False

    async def connect(self, _bus: Bus, protocol: Callable[[], P], *, baud: int, framing: str) -> tuple["Wire", P]:
        """Stand in for `drivers.link.connect`."""
        self.speeds.append(Line(baud, int(framing[0]), framing[1], int(framing[2])))
        made = protocol()
        self.protocol: asyncio.Protocol = made
        self.session = Iec62056Server(self.model, lambda: self.values, paced=self.paced).open(self._arrive)
        self.closed = False
        self._busy_until = 0.0
        made.connection_made(self)
        return self, made

    async def set_line(self, _transport: asyncio.Transport, line: Line, *, settle: bool = True) -> None:
        """Stand in for `drivers.link.set_line`: what was written leaves at the old speed first."""
        character = 10 / self.speeds[-1].baud
        await asyncio.sleep(max(self._busy_until - asyncio.get_running_loop().time(), 0) + character * settle)
        self.speeds.append(line)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Carry characters to the meter."""
        data = without_parity(bytes(data)) if self.parity else bytes(data)
        self.sent += data
        now = asyncio.get_running_loop().time()
        self.moments.append(now)
        self._busy_until = max(self._busy_until, now) + len(data) * 10 / self.speeds[-1].baud
        if self.echo:
            self._receive(data)
        self.session.feed(data)

    def abort(self) -> None:
        """Close."""
        if not self.closed:
            self.closed = True
            self.session.close()
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand what comes to somebody else."""
        assert isinstance(protocol, asyncio.Protocol)
        self.protocol = protocol

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self.closed

    def _arrive(self, data: bytes) -> None:
        voice = getattr(self.session, "_voice", None)
        heard = self.damage(data)
        if self.paced and voice is not None and voice.heard_at != self.speeds[-1].baud:
            heard = bytes(byte ^ 0x55 for byte in heard)
        self._receive(heard)

    def _receive(self, data: bytes) -> None:
        if data and not self.closed:
            self.protocol.data_received(with_parity(data) if self.parity else data)
