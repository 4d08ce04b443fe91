"""Opens a byte link for an `asyncio.Protocol`: a serial port, a TCP stream, or a recording.

`Bus.where` says which:

1. `/dev/ttyUSB0`: a serial port, locked so that no second program can read half of the answers.
2. `tcp://host:port`, `rtu+tcp://host:port`: a TCP stream. What the bytes mean is the driver's business.
3. `capture:PATH`: a file of recorded bytes, fed to the protocol as fast as it takes them, then the link ends.

    transport, protocol = await connect(bus, P1Protocol, baud=115200, framing="8N1")

The protocol sees `connection_made`, `data_received` in chunks of any size, and `connection_lost` once: with None at the
end of a recording or an orderly close, with an OSError when an adapter was pulled or a peer vanished.
"""

import asyncio
import errno
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit

from drivers.contract import Bus, NotConnected
from drivers.names import Names

P = TypeVar("P", bound=asyncio.Protocol)

TCP_SCHEMES = ("tcp", "rtu+tcp")
CONNECT_TIMEOUT = 5.0
"""Seconds for a TCP handshake: two lost SYNs on a poor line (retransmitted after 1 and 3 s) still get through."""

# A peer that lost power says nothing: the kernel asks after 30 s of silence and gives up 3 * 5 s later.
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))


@dataclass(frozen=True, slots=True)
class Line:
    """How characters travel on a serial line: `baud`, data bits, parity (N, E, O), stop bits."""

    baud: int
    bits: int
    parity: str
    stop: int

    @classmethod
    def of(cls, bus: Bus, baud: int, framing: str) -> "Line":
        """Take the bus's own settings, else the protocol's usual ones; raises NotConnected for a framing unlike 8N1."""
        text = bus.framing or framing
        found = re.fullmatch(r"([78])([NEO])([12])", text)
        if not found:
            raise NotConnected(f"{bus.where}: framing {text!r}", "data bits, parity, stop bits: 8N1, 8E1, 7E1")
        return cls(bus.baud or baud, int(found[1]), found[2], int(found[3]))

    @property
    def character(self) -> float:
        """Seconds one character takes: start bit, data bits, parity bit, stop bits."""
        return (1 + self.bits + (self.parity != "N") + self.stop) / self.baud


async def connect(
    bus: Bus,
    protocol: Callable[[], P],
    *,
    baud: int,
    framing: str,
    port: int | None = None,
    names: Names | None = None,
) -> tuple[asyncio.Transport, P]:
    """Open the bus's link; `baud`, `framing` and TCP `port` are the protocol's usual ones. Raises NotConnected.

    `names` remembers the host's address from one connection to the next, for the day the name server is silent.
    """
    if bus.where.startswith("capture:"):
        return _open_capture(bus.where.removeprefix("capture:"), protocol)
    if "://" in bus.where:
        return await _open_tcp(bus.where, protocol, port, names or Names())
    return await _open_serial(bus.where, protocol, Line.of(bus, baud, framing))


def is_tcp(bus: Bus) -> bool:
    """Tell whether the bus is a TCP stream, which can be opened again at once."""
    return bus.where.split("://", 1)[0] in TCP_SCHEMES


async def set_line(transport: asyncio.Transport, line: Line, *, settle: bool = True) -> None:
    """Change a serial port's speed and framing once all that was written has left it; raises NotConnected.

    A TCP stream or a recording has neither. What had been received but not read is lost. `settle` waits for one more
    character: USB adapters say that all has left when their own buffer still holds the last one.
    """
    change = getattr(transport, "reconfigure_port", None)
    if change is None:
        return
    import termios  # noqa: PLC0415  POSIX only

    import serialx  # noqa: PLC0415  loaded with the port

    serial = cast("serialx.BaseSerialTransport", transport)
    line = _as_carried(str(transport.get_extra_info("serial").path), line)
    try:
        await serial.flush()
        if settle:
            await asyncio.sleep(10 / serial.baudrate)
        await change(
            baudrate=line.baud,
            byte_size=line.bits,
            parity=serialx.Parity(line.parity),
            stopbits=serialx.StopBits(line.stop),
        )
    except (OSError, termios.error, serialx.SerialException, ValueError) as error:
        hint = "does the adapter know this speed and framing? If not: stay = true in the meter's profile"
        raise NotConnected(f"{line.baud} baud: {error}", hint) from error


# --- TCP -------------------------------------------------------------------------------------------------------------


async def _open_tcp(
    where: str, protocol: Callable[[], P], port: int | None, names: Names
) -> tuple[asyncio.Transport, P]:
    host, port = _host_and_port(where, port)
    loop = asyncio.get_running_loop()
    failure = OSError()
    for address in await names.addresses(host):
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                # asyncio sets TCP_NODELAY on every stream socket itself.
                transport, made = await loop.create_connection(protocol, address, port)
        except OSError as error:  # TimeoutError is one
            failure = error
        else:
            _keep_alive(transport.get_extra_info("socket"))
            return transport, made
    if isinstance(failure, TimeoutError):
        raise NotConnected(f"{where} does not answer", "is it switched on, and on this network?") from failure
    hint = _TCP_HINTS.get(failure.errno or 0, "")
    raise NotConnected(f"{where}: {failure.strerror or failure}", hint) from failure


_TCP_HINTS = {
    errno.ECONNREFUSED: "nothing listens on that port, or it takes one connection and another program has it",
    errno.EHOSTUNREACH: "no way to that address: check cable, address and router",
    errno.ENETUNREACH: "this machine has no network",
}


def _host_and_port(where: str, default: int | None) -> tuple[str, int]:
    try:
        url = urlsplit(where)
        host, port = url.hostname, url.port or default
        if url.scheme in TCP_SCHEMES and host and port:
            return host, port
    except ValueError:  # a port beyond 65535, a bracket without its pair
        pass
    raise NotConnected(f"{where!r} is no link", "a device, tcp://host:port, rtu+tcp://host:port or capture:PATH")


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEP_ALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)


# --- serial ----------------------------------------------------------------------------------------------------------


async def _open_serial(path: str, protocol: Callable[[], P], line: Line) -> tuple[asyncio.Transport, P]:
    import termios  # noqa: PLC0415  POSIX only

    import serialx  # noqa: PLC0415  costs memory that a gateway with TCP meters only can keep

    line = _as_carried(path, line)
    try:
        transport, made = await serialx.create_serial_connection(
            asyncio.get_running_loop(), protocol, path, line.baud,
            serialx.Parity(line.parity), serialx.StopBits(line.stop), byte_size=line.bits,
        )  # fmt: skip
    except OSError as error:
        raise NotConnected(f"{path}: {error.strerror or error}", _SERIAL_HINTS.get(error.errno or 0, "")) from error
    except (termios.error, serialx.SerialException, ValueError) as error:
        hint = "is it a serial port, and does it know this baud and framing?"
        raise NotConnected(f"{path}: {error}", hint) from error
    return transport, cast("P", made)


def _as_carried(path: str, line: Line) -> Line:
    """Ask of a pseudo terminal what it can: it carries whole bytes, and refuses a parity that alone would change."""
    is_pseudo = str(Path(path).resolve()).startswith("/dev/pts/")
    return replace(line, bits=8, parity="N") if is_pseudo else line


_SERIAL_HINTS = {
    errno.ENOENT: "is the adapter plugged in? `ls /dev/serial/by-id` shows those there are",
    errno.EACCES: "add the service's user to the group `dialout`",
    errno.EBUSY: "another program has it open: `fuser -v` and the path show which",
    errno.ENXIO: "the adapter is gone: plug it in again",
    errno.EIO: "the adapter is gone: plug it in again",
    errno.ENOTTY: "this is no serial port",
}


# --- a recording -----------------------------------------------------------------------------------------------------


class _Recording(asyncio.Transport):
    """Feeds a file's bytes chunk by chunk, one a turn of the loop, and swallows what is written."""

    CHUNK = 1024

    def __init__(self, data: bytes, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._data = memoryview(data)
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._paused = self._closed = False
        protocol.connection_made(self)
        self._loop.call_soon(self._feed)

    def _feed(self) -> None:
        if self._paused or self._closed:
            return
        if not self._data:
            self.close()
            return
        chunk, self._data = bytes(self._data[: self.CHUNK]), self._data[self.CHUNK :]
        self._protocol.data_received(chunk)
        self._loop.call_soon(self._feed)

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            self._loop.call_soon(self._feed)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """A recording hears nothing."""

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()


def _open_capture(path: str, protocol: Callable[[], P]) -> tuple[asyncio.Transport, P]:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise NotConnected(f"capture {path}: {error.strerror}", "give the path of a recorded file") from error
    made = protocol()
    return _Recording(data, made), made
