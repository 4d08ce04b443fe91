"""Real wires for simulated meters: a pseudo terminal that looks like a serial adapter, TCP, and a Unix socket.

The pty behaves like an adapter that stays plugged in while programs come and go: the link to it keeps its name, what a
meter says while nobody has the port open is lost, and what a program left unread is gone when the next one opens it.
"""

import asyncio
import os
import select
import termios
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

from simulator.serving import Server, SimulatorError

ABSENT_POLL = 0.02
"""Seconds between two looks for a program that opens the port: Linux tells a hang-up at once, but not its end."""
READ_SIZE = 4_096
WRITE_LIMIT = 65_536
"""Bytes a TCP client may leave unread before what comes next is lost to it, as on a serial line."""


@asynccontextmanager
async def pty_line(server: Server, link: Path) -> AsyncIterator[None]:
    """Put a server behind a pseudo terminal in raw mode that `link` points to, for as long as the context lasts."""
    pty = _Pty(server)
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.symlink_to(pty.name)
    fresh.replace(link)
    try:
        yield
    finally:
        link.unlink(missing_ok=True)
        pty.close()


@asynccontextmanager
async def tcp_line(server: Server, host: str, port: int = 0, *, own_this_host: bool = False) -> AsyncIterator[int]:
    """Listen on TCP and give the port; raises SimulatorError for an address others can reach, unless told."""
    check_host(host, own_this_host=own_this_host)
    connections: set[_Connection] = set()
    try:
        listener = await asyncio.get_running_loop().create_server(lambda: _Connection(server, connections), host, port)
    except OSError as error:
        raise SimulatorError(f"cannot listen on {host}:{port}: {error.strerror}", "port 0 takes a free one") from error
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        await _hang_up(listener, connections)


@asynccontextmanager
async def board_line(server: Server, path: Path) -> AsyncIterator[None]:
    """Listen on a Unix socket for as long as the context lasts; raises SimulatorError for a path too long."""
    connections: set[_Connection] = set()
    try:
        listener = await asyncio.get_running_loop().create_unix_server(lambda: _Connection(server, connections), path)
    except OSError as error:
        raise SimulatorError(f"cannot listen on {path}: {error}", "a socket's path has 107 letters at most") from error
    try:
        yield
    finally:
        await _hang_up(listener, connections)
        path.unlink(missing_ok=True)


async def _hang_up(listener: asyncio.Server, connections: set["_Connection"]) -> None:
    for _ in range(3):  # whoever connected just now is let in first
        await asyncio.sleep(0)
    listener.close()
    for connection in list(connections):
        connection.abort()
    while connections:  # the loop tells them in its next turn
        await asyncio.sleep(0)
    await listener.wait_closed()


def check_host(host: str, *, own_this_host: bool) -> None:
    """Refuse an address that others can reach: simulated meters answer anyone; raises SimulatorError."""
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback and not own_this_host:
        raise SimulatorError(
            f"will not listen on {host}: others could reach it",
            "use 127.0.0.1, or pass --i-own-this-host if this network is yours alone",
        )


class _Pty:
    """The adapter's side of a pseudo terminal."""

    def __init__(self, server: Server) -> None:
        self._loop = asyncio.get_running_loop()
        self._master, slave = os.openpty()
        os.set_blocking(self._master, False)
        self.name = os.ttyname(slave)
        os.close(slave)
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)
        self._present = False
        self._timer: asyncio.TimerHandle | None = None
        self._session = server.open(self._send)
        self._hung_up()

    def close(self) -> None:
        """Unplug: a program that has the port open sees it vanish."""
        if self._timer:
            self._timer.cancel()
        self._loop.remove_reader(self._master)
        self._present = False
        self._session.close()
        os.close(self._master)

    def _hung_up(self) -> None:
        self._present = False
        self._loop.remove_reader(self._master)
        # Only the program's side can be made raw and emptied; a program as quick as this one may own it by now.
        with suppress(OSError, termios.error):
            termios.tcflush(self._master, termios.TCOFLUSH)  # what is still on its way to the program's side
            slave = os.open(self.name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                tty.setraw(slave, termios.TCSAFLUSH)  # and drop what has arrived there unread
            finally:
                os.close(slave)
        self._look()

    def _look(self) -> None:
        events = dict(self._poll.poll(0)).get(self._master, 0)
        if events & select.POLLIN or not events & select.POLLHUP:
            self._present = True
            self._loop.add_reader(self._master, self._readable)
        else:
            self._timer = self._loop.call_later(ABSENT_POLL, self._look)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:  # EIO: the last program that had the port open is gone
            self._hung_up()
            return
        self._session.feed(data)

    def _send(self, data: bytes) -> None:
        if self._present:
            with suppress(OSError):  # full: a program that does not read loses bytes, as on a UART
                os.write(self._master, data)


class _Connection(asyncio.Protocol):
    """One client of a socket."""

    def __init__(self, server: Server, connections: set["_Connection"]) -> None:
        self._server = server
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  what create_server gives
        self._transport = transport
        self._connections.add(self)
        self._session = self._server.open(self._send)

    def data_received(self, data: bytes) -> None:
        self._session.feed(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._connections.discard(self)
        self._session.close()

    def abort(self) -> None:
        """Drop the client."""
        self._transport.abort()

    def _send(self, data: bytes) -> None:
        if not self._transport.is_closing() and self._transport.get_write_buffer_size() < WRITE_LIMIT:
            self._transport.write(data)
