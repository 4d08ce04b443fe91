"""Wires behave like adapters and listeners do, from a program's side."""

import asyncio
import errno
import os
import termios
from pathlib import Path
from typing import Any

import pytest

from simulator.serving import SimulatorError
from simulator.wire import ABSENT_POLL, pty_line, tcp_line


class Port:
    """A program that opens a serial port, without any library in between."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    async def read(self, count: int) -> bytes:
        """Read so many bytes."""
        data = b""
        async with asyncio.timeout(5):
            while len(data) < count:
                try:
                    data += os.read(self.fd, count - len(data))
                except BlockingIOError:
                    await asyncio.sleep(0.002)
        return data

    async def ask(self, data: bytes) -> bytes:
        """Write, and read as much back."""
        os.write(self.fd, data)
        return await self.read(len(data))

    def close(self) -> None:
        """Let it go."""
        os.close(self.fd)


async def test_a_pty_is_raw_and_carries_every_byte(spy: Any, tmp_path: Path) -> None:
    """All 256 values pass both ways unchanged: no echo, no line ends, no flow control."""
    async with pty_line(spy, tmp_path / "line"):
        port = Port(tmp_path / "line")
        every = bytes(range(256))
        assert await port.ask(every) == every
        assert b"".join(spy.requests) == every
        assert not termios.tcgetattr(port.fd)[3] & (termios.ICANON | termios.ECHO)
        port.close()


async def test_programs_come_and_go(spy: Any, tmp_path: Path) -> None:
    """Closing and opening again, at once or later, twenty times: the same link, still raw, and no leaked descriptor."""
    link = tmp_path / "line"
    async with pty_line(spy, link):
        where = link.readlink()
        open_files = len(list(Path("/proc/self/fd").iterdir()))
        for turn in range(20):
            port = Port(link)
            assert await port.ask(b"\x03\n%02d" % turn) == b"\x03\n%02d" % turn
            port.close()
            if turn % 2:
                await asyncio.sleep(ABSENT_POLL * 1.5)
        assert link.readlink() == where
        assert len(list(Path("/proc/self/fd").iterdir())) == open_files


async def test_what_is_said_to_nobody_is_lost(spy: Any, tmp_path: Path) -> None:
    """A meter that talks while no program has the port open does not talk to the next one about the past."""
    async with pty_line(spy, tmp_path / "line"):
        spy.sends[0](b"before")
        port = Port(tmp_path / "line")
        await port.ask(b"hello")
        spy.sends[0](b"unread")
        port.close()
        await asyncio.sleep(ABSENT_POLL * 1.5)
        spy.sends[0](b"between")
        port = Port(tmp_path / "line")
        assert await port.ask(b"again") == b"again"
        port.close()


async def test_a_program_that_does_not_read_loses_bytes(spy: Any, tmp_path: Path) -> None:
    """The line never blocks on a full buffer."""
    async with pty_line(spy, tmp_path / "line"):
        port = Port(tmp_path / "line")
        await port.ask(b"hello")
        for _ in range(100):
            spy.sends[0](b"x" * 1_000)
        assert len(await port.read(1_000)) == 1_000
        port.close()


async def test_the_end_unplugs(spy: Any, tmp_path: Path) -> None:
    """When the simulator stops, its link is gone and an open port reports it."""
    link = tmp_path / "line"
    async with pty_line(spy, link):
        port = Port(link)
        await port.ask(b"hello")
    assert not link.is_symlink()
    assert spy.closed == 1
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        os.write(port.fd, b"anybody?")
    port.close()


async def test_a_stale_link_is_replaced(spy: Any, tmp_path: Path) -> None:
    """What a killed simulator left behind does not stop the next."""
    link = tmp_path / "line"
    link.symlink_to("/dev/pts/99999")
    async with pty_line(spy, link):
        assert link.resolve().exists()


async def test_a_tcp_line_serves_several_clients(spy: Any) -> None:
    """Each client has a conversation of its own, and its end is noticed."""
    async with tcp_line(spy, "127.0.0.1") as port:
        clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for place, (reader, writer) in enumerate(clients):
            writer.write(b"hello %d" % place)
            assert await reader.readexactly(7) == b"hello %d" % place
        for _, writer in clients:
            writer.close()
            await writer.wait_closed()
    assert spy.closed == 2


async def test_the_end_drops_tcp_clients(spy: Any) -> None:
    """A client of a simulator that stops sees the connection end."""
    async with tcp_line(spy, "127.0.0.1") as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x")
        await reader.readexactly(1)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 5)
    writer.close()
    assert spy.closed == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org", ""])
async def test_others_cannot_reach_it(spy: Any, host: str) -> None:
    """Simulated meters answer anyone, so they listen on this host alone unless somebody says so."""
    with pytest.raises(SimulatorError, match="i-own-this-host"):
        async with tcp_line(spy, host):
            pass


async def test_an_owner_may_listen_anywhere(spy: Any) -> None:
    """With the flag, the address is the owner's choice."""
    async with tcp_line(spy, "0.0.0.0", own_this_host=True) as port:
        assert port


async def test_a_port_that_is_taken_is_named(spy: Any) -> None:
    """The error says which, and what to do."""
    async with tcp_line(spy, "127.0.0.1") as port:
        with pytest.raises(SimulatorError, match=f"127.0.0.1:{port}"):
            async with tcp_line(spy, "127.0.0.1", port):
                pass
