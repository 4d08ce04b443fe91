"""Who opens thousands of connections, says nothing, or never ends, shuts nobody else out (S38)."""

import asyncio
import contextlib
import logging
import resource
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.config.models import WebTable
from gateway.live import LiveBook
from gateway.web import connections
from gateway.web.connections import ALL, EACH, neighbour_of
from gateway.web.screen import Sources
from gateway.web.serve import serve

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]
USER, ROGUE = "127.0.0.3", "127.0.0.2"


class Served:
    """Pages on a port of this machine; each address of 127.0.0.0/8 but the first plays another neighbour."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.wires: list[Wire] = []

    async def dial(self, address: str, count: int = 1) -> list[Wire]:
        """Open so many connections from an address."""
        made = [await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0)) for _ in range(count)]
        self.wires += made
        return made

    async def look(self, address: str = USER) -> bytes:
        """Ask for the page as a browser does; gives its first line."""
        async with asyncio.timeout(2):
            ((reader, writer),) = await self.dial(address)
            writer.write(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
            return await reader.readline()


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
    monkeypatch.setattr(connections, "PATIENCE", 0.6)
    port = free_port()
    web = WebTable.model_construct(listen=f"127.0.0.1:{port}", url=None, stay=3600.0)
    async with asyncio.TaskGroup() as group:
        await serve(group, web, Sources(LiveBook(), lambda: 0, None, None), tmp_path / "sessions.json", language="en")
        made = Served(port)
        for _ in range(100):
            with contextlib.suppress(OSError):
                await made.dial("127.0.0.1")
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
    """Whatever many neighbours open, all together hold no more than the bound, and not for long."""
    monkeypatch.setattr(connections, "PATIENCE", 4.0)  # all of them must be open at once, also on a busy machine
    wires = [wire for number in range(10, 30) for wire in await served.dial(f"127.0.0.{number}", 12)]
    assert EACH < await living(wires) <= ALL
    await asyncio.sleep(4.2)
    assert (await served.look()).startswith(b"HTTP/1.1 401")


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
