"""The byte link: serial, TCP and recordings, and what an installer is told when there is none."""

import asyncio
import os
import socket
import termios
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.contract import Bus, NotConnected
from drivers.link import Line, connect, is_tcp, set_line


class Heard(asyncio.Protocol):
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.data = b""
        self.chunks = 0
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Collect."""
        self.data += data
        self.chunks += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self.lost.set_result(exc)


async def opened(where: str, **options: int | str) -> tuple[asyncio.Transport, Heard]:
    """Open a link with Modbus' usual settings."""
    bus = Bus("b", where, **options)  # type: ignore[arg-type]
    return await connect(bus, Heard, baud=9600, framing="8N1", port=502)


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    """Give the far end of a pseudo-terminal and the path of the near one."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize("framing", ["8N1", "8E1", "7E1", "8N2", "8O1"])
async def test_serial_port_both_ways(pty: tuple[int, str], framing: str) -> None:
    """Bytes go out and come in, whatever the framing."""
    far, path = pty
    transport, heard = await opened(path, baud=19200, framing=framing)
    transport.write(b"ask")
    os.write(far, b"answer")
    while heard.data != b"answer":
        await asyncio.sleep(0.001)
    assert os.read(far, 10) == b"ask"
    transport.abort()
    assert await heard.lost is None


@pytest.mark.parametrize("framing", ["8E1", "7E1", "8N2"])
async def test_a_pseudo_terminal_is_opened_again_and_changed_alone(pty: tuple[int, str], framing: str) -> None:
    """A wire that a program left behind as it was is no invalid argument to the next, nor to a change of parity."""
    for _ in range(3):
        transport, heard = await opened(pty[1], baud=2400, framing=framing)
        await set_line(transport, Line(2400, 8, "N", 1), settle=False)
        await set_line(transport, Line(2400, 8, "E", 1), settle=False)
        transport.abort()
        assert await heard.lost is None


async def test_speed_changes_behind_what_was_written(pty: tuple[int, str]) -> None:
    """A port takes another speed and framing without being opened again, and loses nothing that was sent before."""
    far, path = pty
    transport, heard = await opened(path, baud=300, framing="7E1")
    transport.write(b"ack")
    speeds = []
    for line in (Line(9600, 7, "E", 1), Line(300, 7, "E", 1), Line(19200, 8, "N", 1)):
        await set_line(transport, line, settle=line.baud == 9600)
        speeds.append(termios.tcgetattr(far)[4:6])
    os.write(far, b"list")
    while heard.data != b"list":
        await asyncio.sleep(0.001)
    assert os.read(far, 10) == b"ack"
    assert speeds == [[speed, speed] for speed in (termios.B9600, termios.B300, termios.B19200)]
    transport.abort()
    await heard.lost


async def test_speed_the_port_cannot(pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that refuses a speed is told from a meter that stays silent; a stream has no speed."""
    transport, heard = await opened(pty[1], baud=300, framing="7E1")

    async def refuse(**_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(transport, "reconfigure_port", refuse)
    with pytest.raises(NotConnected, match=r"9600 baud: .*stay = true"):
        await set_line(transport, Line(9600, 7, "E", 1), settle=False)
    transport.abort()
    await heard.lost
    await set_line(asyncio.Transport(), Line(9600, 7, "E", 1))


async def test_serial_port_is_locked(pty: tuple[int, str]) -> None:
    """The second opener is told who may have it."""
    transport, heard = await opened(pty[1])
    with pytest.raises(NotConnected, match="another program"):
        await opened(pty[1])
    transport.abort()
    await heard.lost


async def test_missing_port() -> None:
    """A port that is not there asks for the adapter."""
    with pytest.raises(NotConnected, match=r"/dev/ttyUSB99: No such file.*plugged in"):
        await opened("/dev/ttyUSB99")


async def test_no_permission_names_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that may not be opened names the group; root is never refused, so the system's answer is put in place."""

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(NotConnected, match="dialout"):
        await opened("/dev/ttyUSB0")


async def test_file_that_is_no_port(tmp_path: Path) -> None:
    """A plain file is no serial port."""
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(NotConnected, match="serial port"):
        await opened(str(path))


async def test_baud_the_port_cannot(pty: tuple[int, str]) -> None:
    """A framing that is none is refused in words."""
    with pytest.raises(NotConnected, match="8N1, 8E1, 7E1"):
        await opened(pty[1], framing="8X1")


async def test_tcp_stream() -> None:
    """A TCP stream has no delay and asks after a silent peer."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(3))
        await writer.drain()
        writer.close()
        done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, heard = await opened(f"tcp://127.0.0.1:{port}")
    sock = transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
    transport.write(b"abc")
    assert await heard.lost is None
    assert heard.data == b"abc"
    await done.wait()
    server.close()


async def test_refused_connection(free_port: Callable[[], int]) -> None:
    """A closed port says that nothing listens."""
    with pytest.raises(NotConnected, match="nothing listens"):
        await opened(f"tcp://127.0.0.1:{free_port()}")


async def test_unknown_host() -> None:
    """A name without an address asks for the name."""
    with pytest.raises(NotConnected, match=r"no-such-host\.invalid has no address"):
        await opened("tcp://no-such-host.invalid:502")


@pytest.mark.parametrize("where", ["http://x:1", "tcp://:502", "tcp://h:99999", "tcp://[::1", "tcp://"])
async def test_where_that_is_no_link(where: str) -> None:
    """What cannot be opened names the forms there are."""
    with pytest.raises(NotConnected, match=r"tcp://host:port"):
        await opened(where)


async def test_recording(tmp_path: Path) -> None:
    """A recording is fed in pieces to its end, then the link ends in order."""
    path = tmp_path / "telegrams.bin"
    path.write_bytes(bytes(range(256)) * 20)
    transport, heard = await opened(f"capture:{path}")
    transport.write(b"nobody hears")
    assert await heard.lost is None
    assert heard.data == path.read_bytes()
    assert heard.chunks > 1
    assert transport.is_closing()


async def test_recording_waits_while_paused(tmp_path: Path) -> None:
    """A reader that is full can stop a recording, and closing it ends it once."""
    path = tmp_path / "telegrams.bin"
    path.write_bytes(bytes(10_000))
    transport, heard = await opened(f"capture:{path}")
    transport.pause_reading()
    await asyncio.sleep(0.01)
    assert heard.data == b""
    transport.resume_reading()
    while not heard.data:
        await asyncio.sleep(0)
    transport.abort()
    transport.close()
    assert await heard.lost is None


async def test_missing_recording() -> None:
    """A recording that is not there names its path."""
    with pytest.raises(NotConnected, match=r"/none\.bin"):
        await opened("capture:/none.bin")


def test_character_time() -> None:
    """A character is its start bit, data bits, parity and stop bits: 10 at 8N1, 11 at 8E1."""
    assert Line.of(Bus("b", "x"), 9600, "8N1").character == pytest.approx(10 / 9600)
    assert Line.of(Bus("b", "x", baud=2400, framing="8E1"), 9600, "8N1").character == pytest.approx(11 / 2400)


def test_which_links_are_tcp() -> None:
    """Only TCP streams can be opened again at once."""
    places = ("tcp://h:1", "rtu+tcp://h:1", "/dev/ttyS0", "capture:tcp")
    assert [is_tcp(Bus("b", where)) for where in places] == [True, True, False, False]
