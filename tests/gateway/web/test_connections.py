"""Who opens thousands of connections, says nothing, or never ends, shuts nobody else out (S38)."""

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.config.models import WebTable
from gateway.live import LiveBook
from gateway.web import gate
from gateway.web.access import Access
from gateway.web.crowd import HOUSE, HUB, Crowd
from gateway.web.gate import neighbour_of
from gateway.web.screen import Sources
from gateway.web.serve import serve

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ALL, EACH = HOUSE.places, HOUSE.each
USER, ROGUE = "127.0.0.3", "127.0.0.2"


class Served:
    """Pages on a port of this machine; each address of 127.0.0.0/8 but the first plays another neighbour."""

    def __init__(self, port: int, access: Access) -> None:
        self.port, self.access = port, access
        self.wires: list[Wire] = []

    async def dial(self, address: str, count: int = 1) -> list[Wire]:
        """Open so many connections from an address; those that are turned away at once are not given."""
        made = []
        for _ in range(count):
            with contextlib.suppress(ConnectionError):
                made.append(await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0)))
        self.wires += made
        return made

    async def look(self, address: str = USER, path: str = "/", *, cookie: str = "") -> bytes:
        """Ask for a page as a browser does; gives its first line, nothing from who is turned away."""
        async with asyncio.timeout(2):
            for reader, writer in await self.dial(address):
                writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: nabd={cookie}\r\n\r\n".encode())
                with contextlib.suppress(ConnectionError):
                    return await reader.readline()
        return b""

    def session(self) -> str:
        """Give the secret of a session."""
        return self.access.enter(self.access.link(), "") or ""


async def living(wires: list[Wire]) -> int:
    """Count connections that are still open."""

    async def ended(reader: asyncio.StreamReader) -> bool:
        with contextlib.suppress(ConnectionError):
            try:
                async with asyncio.timeout(0.05):
                    return await reader.read(1) == b""
            except TimeoutError:
                return False
        return True

    return (await asyncio.gather(*(ended(reader) for reader, _ in wires))).count(False)


@pytest.fixture
async def served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> AsyncIterator[Served]:
    """Serve the pages, with less patience than in life."""
    monkeypatch.setattr(gate, "PATIENCE", 0.6)
    async with serving(tmp_path, free_port(), HOUSE) as made:
        yield made


@contextlib.asynccontextmanager
async def serving(folder: Path, port: int, crowd: Crowd) -> AsyncIterator[Served]:
    """Serve the pages for so many people."""
    web = WebTable.model_construct(listen=f"127.0.0.1:{port}", url=None, stay=3600.0)
    async with asyncio.TaskGroup() as group:
        pages = await serve(
            group, web, Sources(LiveBook(), lambda: 0), folder / "sessions.json", language="en", crowd=crowd
        )
        made = Served(port, pages.access)
        for _ in range(100):
            if await made.dial("127.0.0.1"):
                break
            await asyncio.sleep(0.02)
        yield made
        for _, writer in made.wires:
            writer.transport.abort()
        next(task for task in asyncio.all_tasks() if task.get_name() == "web").cancel()


async def test_one_who_opens_hundreds_shuts_nobody_out(served: Served) -> None:
    """Of 300 connections of one neighbour sixteen are kept; another sees the page at once, also during it."""
    rogue = await served.dial(ROGUE, 300)
    assert (await served.look()).startswith(b"HTTP/1.1 401")
    assert await living(rogue) <= EACH
    await asyncio.sleep(0.7)
    assert await living(rogue) == 0


async def test_many_together_leave_the_program_its_files(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever many neighbours open, all together hold no more than the bound."""
    monkeypatch.setattr(gate, "PATIENCE", 30.0)  # all of them must be open at once, also on a busy machine
    wires = [wire for number in range(10, 30) for wire in await served.dial(f"127.0.0.{number}", 12)]
    assert EACH < await living(wires) <= ALL


async def test_a_full_house_has_a_place_for_its_people(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers that hold every place give way: to a newcomer now and then, always to who was known before."""
    monkeypatch.setattr(gate, "PATIENCE", 30.0)
    monkeypatch.setattr(gate, "RATE", 1e9)
    cookie = served.session()
    assert (await served.look(cookie=cookie)).startswith(b"HTTP/1.1 200")
    wires = [wire for number in range(10, 30) for wire in await served.dial(f"127.0.0.{number}", 12)]
    assert (await served.look("127.0.0.9")).startswith(b"HTTP/1.1 401")
    monkeypatch.setattr(gate, "RATE", 0.0)
    for number in range(ALL + 1):
        await served.dial(f"127.0.1.{number}")
    assert await served.look("127.0.0.8") == b""
    for _ in range(EACH - 2):
        assert (await served.look(cookie=cookie)).startswith(b"HTTP/1.1 200")
    assert await living(wires) <= ALL - EACH + 2


async def test_who_listens_with_a_session_keeps_a_place(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that was open before the crowd came is told of changes all along; nobody's patience ends for it."""
    monkeypatch.setattr(gate, "RATE", 1e9)
    assert (await served.look(path="/events", cookie=served.session())).startswith(b"HTTP/1.1 200")
    listening = served.wires[-1]
    for number in range(10, 30):
        await served.dial(f"127.0.0.{number}", 12)
    await asyncio.sleep(0.8)
    assert not listening[0].at_eof()
    assert not listening[1].transport.is_closing()
    assert b"event:" in await listening[0].readuntil(b"data")


async def test_a_hub_holds_a_crowd_behind_one_address(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Two hundred listen from the one address of a block of flats, where a house has places for sixteen."""
    async with serving(tmp_path, free_port(), HUB) as served:
        cookie = served.session()
        for _ in range(200):
            assert (await served.look(ROGUE, "/events", cookie=cookie)).startswith(b"HTTP/1.1 200")
        assert await living(served.wires) >= 200
        assert (await served.look(cookie=cookie)).startswith(b"HTTP/1.1 200")


async def test_who_reads_nothing_is_hung_up_on(served: Served) -> None:
    """Questions without end whose answers nobody takes hold a place no longer than a silent one."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    sock.bind((ROGUE, 0))
    sock.connect(("127.0.0.1", served.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    served.wires.append((reader, writer))
    for _ in range(2000):
        writer.write(b"GET /static/nabd.css HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(15):
            while not writer.transport.is_closing():
                await asyncio.sleep(0.05)
                writer.write(b"GET / HTTP/1.1\r\n")
                await writer.drain()


@pytest.mark.parametrize("begin", [
    b"", b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ",
    b"POST /leave HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9999\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\nGET / HT",
])  # fmt: skip
async def test_who_never_ends_is_hung_up_on(served: Served, begin: bytes) -> None:
    """A byte now and then keeps no connection: in headers, in a body, in the second request, or with nothing said."""
    ((reader, writer),) = await served.dial(ROGUE)
    writer.write(begin)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(3):
            while not reader.at_eof():
                writer.write(b"x" if begin else b"")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await reader.read(4096)


async def test_what_is_refused_is_not_read_to_its_end(served: Served) -> None:
    """A body that is larger than any form ends its connection soon after the answer, whatever its length said."""
    ((reader, writer),) = await served.dial(ROGUE)
    writer.write(b"POST /leave HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000000000\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 403")
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 20_000_000:
            writer.write(b"z" * 16_384)
            await writer.drain()
            sent += 16_384
    assert sent < 5_000_000


async def test_a_bomb_is_answered_before_it_is_whole(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Endless headers and a body of a gigabyte cost little memory, no log line, and the user no time."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for head, piece in (
        (b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n", b"x: " + b"y" * 8000 + b"\r\n"),
        (b"POST /leave HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000000000\r\n\r\n", b"z" * 65536),
        (b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nrange: bytes=" + b"0-9," * 3000 + b"\r\n\r\n", b""),
        (b"\x16\x03\x01" * 100, b"\r\n\r\n"),
        (b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", b""),
    ):
        ((reader, writer),) = await served.dial(ROGUE)
        writer.write(head)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(2):
                for _ in range(100):
                    writer.write(piece)
                    await writer.drain()
                await reader.read(100)
        writer.transport.abort()
        assert (await served.look()).startswith(b"HTTP/1.1 401")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB
    assert [record for record in caplog.records if record.levelno >= logging.WARNING and record.name != "asyncio"] == []


@pytest.mark.parametrize(
    ("host", "neighbour"),
    [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::1", "::1"), ("", ""),
        ("a name", "a name"),
    ],
)  # fmt: skip
def test_neighbours_are_told_apart(host: str, neighbour: str) -> None:
    """An address is a neighbour; with IPv6, where one has as many as he likes, a network is."""
    assert neighbour_of(host) == neighbour
