"""Scripts on real wires: echoes, chunks, hosts that hang up, adapters that are pulled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.contract import NotConnected
from drivers.link import Line
from drivers.scan import Ask, Script, listen
from gateway.scan.port import run
from simulator.serving import Send, Session
from simulator.wire import pty_line

LINE, OTHER = Line(115_200, 8, "N", 1), Line(9600, 8, "N", 1)

Say = Callable[[bytes, Send], None]


class Wire:
    """A server that lets `say` answer each piece that comes."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def open(self, send: Send) -> Session:
        """Begin a conversation."""
        return _Session(self._say, send)


class _Session:
    def __init__(self, say: Say, send: Send) -> None:
        self._say, self._send = say, send

    def feed(self, data: bytes) -> None:
        self._say(data, self._send)

    def close(self) -> None:
        pass


def ask(request: bytes, whole: bytes = b"", line: Line = LINE) -> Script[bytes]:
    """Ask once."""
    heard = yield Ask(request, line, 0.2, "asking", whole=lambda heard: bool(whole) and heard.endswith(whole))
    return heard


def nothing(_doing: str, _left: float) -> None:
    """Nobody watches."""


async def on_pty(folder: Path, say: Say, script: Script[bytes]) -> bytes:
    """Run a script against a pty."""
    async with pty_line(Wire(say), folder / "port"):
        return await run(script, str(folder / "port"), nothing)


async def test_an_echo_is_taken_away(tmp_path: Path) -> None:
    """What an adapter repeats of our own words is no answer, be it alone or before one."""

    def echo(data: bytes, send: Send) -> None:
        send(data)

    def echo_and_answer(data: bytes, send: Send) -> None:
        send(data + b"yes")

    assert await on_pty(tmp_path, echo, ask(b"who?")) == b""
    assert await on_pty(tmp_path, echo_and_answer, ask(b"who?")) == b"yes"


async def test_an_answer_in_chunks_is_one(tmp_path: Path) -> None:
    """Pauses shorter than the script's own do not end it."""

    def slowly(_data: bytes, send: Send) -> None:
        for number, piece in enumerate((b"I ", b"am ", b"here")):
            asyncio.get_running_loop().call_later(0.02 * number, send, piece)

    assert await on_pty(tmp_path, slowly, ask(b"who?")) == b"I am here"


async def test_a_whole_answer_is_not_waited_beyond(tmp_path: Path) -> None:
    """What comes after it belongs to the next exchange, and is dropped there."""

    def twice(data: bytes, send: Send) -> None:
        send(b"yes" if data == b"one" else b"no")

    def script() -> Script[bytes]:
        first = yield Ask(b"one", LINE, 5.0, "", whole=lambda heard: heard == b"yes", rest=5.0)
        second = yield Ask(b"two", LINE, 5.0, "", whole=lambda heard: heard == b"no", rest=5.0)
        return first + second

    async with asyncio.timeout(4):
        assert await on_pty(tmp_path, twice, script()) == b"yesno"


async def test_silence_is_no_bytes_and_speeds_may_change(tmp_path: Path) -> None:
    """Asked at one speed and listened to at another, with nobody there."""

    def script() -> Script[bytes]:
        first = yield Ask(b"who?", LINE, 0.05, "")
        return first + (yield listen(OTHER, 0.05, ""))

    assert await on_pty(tmp_path, lambda _data, _send: None, script()) == b""


async def test_progress_is_told_before_each_exchange(tmp_path: Path) -> None:
    """What is done, and for how long."""
    told: list[tuple[str, float]] = []
    async with pty_line(Wire(lambda _data, _send: None), tmp_path / "port"):
        script = _listening()
        await run(script, str(tmp_path / "port"), lambda doing, left: told.append((doing, left)))
    assert told == [("one", 0.02), ("two", 0.01)]


def _listening() -> Script[bytes]:
    yield listen(LINE, 0.02, "one")
    return (yield listen(LINE, 0.01, "two"))


async def test_an_adapter_that_is_pulled_ends_the_search(tmp_path: Path) -> None:
    """NotConnected, with what to do."""
    async with pty_line(Wire(lambda _data, _send: None), tmp_path / "port") as _:
        task = asyncio.create_task(run(_long(), str(tmp_path / "port"), nothing))
        await asyncio.sleep(0.1)
    with pytest.raises(NotConnected, match="port"):
        await task


def _long() -> Script[bytes]:
    return (yield listen(LINE, 20.0, ""))


@asynccontextmanager
async def hangs_up() -> AsyncIterator[int]:
    """Serve TCP on a free port: each connection gets one answer, and its end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(4) + b"!")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_host_that_hangs_up_is_connected_again() -> None:
    """Each of two requests is answered, over a connection of its own."""

    def script() -> Script[bytes]:
        first = yield from ask(b"one")
        return first + (yield from ask(b"two"))

    async with hangs_up() as port:
        assert await run(script(), f"tcp://127.0.0.1:{port}", nothing) == b"!!"
