"""The control socket: one line in, one line out, for the program's own user only."""

import asyncio
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway import control


async def echo(question: Mapping[str, Any]) -> Mapping[str, Any]:
    """Say it back."""
    return {"said": question.get("word")}


async def test_a_question_gets_its_answer(tmp_path: Path) -> None:
    """Known questions are answered, others refused, and the socket goes with the program."""
    path = tmp_path / "edge.sock"
    async with control.listening(path, {"echo": echo}):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert await control.ask(path, {"do": "echo", "word": "نبض"}) == {"said": "نبض"}
        assert "error" in await control.ask(path, {"do": "format the disk"})
    assert not path.exists()


async def test_nobody_there_is_said_so(tmp_path: Path) -> None:
    """No socket, and a socket nobody listens on any more, are the same to a user."""
    with pytest.raises(control.NobodyThere):
        await control.ask(tmp_path / "edge.sock", {"do": "status"})


async def test_a_left_over_socket_is_taken_over(tmp_path: Path) -> None:
    """A killed program leaves its socket; the next one starts all the same."""
    path = tmp_path / "edge.sock"
    server = await asyncio.start_unix_server(lambda *_: None, path)
    server.close()
    await server.wait_closed()
    path.touch()
    async with control.listening(path, {"echo": echo}):
        assert await control.ask(path, {"do": "echo", "word": 1}) == {"said": 1}


@pytest.mark.parametrize("line", [b"\n", b"[]\n", b"nonsense\n", b'{"do":[]}\n', b"x" * 100_000])
async def test_rubbish_gets_an_error_and_harms_nobody(tmp_path: Path, line: bytes) -> None:
    """Whatever arrives, the next question is answered."""
    path = tmp_path / "edge.sock"
    async with control.listening(path, {"echo": echo}):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line)
        writer.write_eof()
        await reader.read()
        writer.close()
        assert await control.ask(path, {"do": "echo", "word": 1}) == {"said": 1}


async def test_an_answer_that_fails_ends_its_own_talk_alone(tmp_path: Path) -> None:
    """Who asked is hung up on; others are answered, and the program ends as it should."""
    path = tmp_path / "edge.sock"

    async def fail(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ValueError

    async with control.listening(path, {"fail": fail, "echo": echo}):
        with pytest.raises(control.NobodyThere):
            await control.ask(path, {"do": "fail"}, timeout=5)
        assert await control.ask(path, {"do": "echo", "word": 1}) == {"said": 1}


async def test_a_talk_lasts_until_the_asker_hangs_up(tmp_path: Path) -> None:
    """Line follows line on one connection; its end, and the program's end, are noticed."""
    path = tmp_path / "edge.sock"
    ended: list[asyncio.Event] = []

    @asynccontextmanager
    async def talk() -> AsyncIterator[control.Answer]:
        ended.append(asyncio.Event())
        try:
            yield echo
        finally:
            ended[-1].set()

    async with control.listening(path, {}, {"talk": talk}):
        async with control.talking(path) as put:
            assert await put({"do": "talk", "word": 1}) == {"said": 1}
            assert await put({"do": "anything", "word": 2}) == {"said": 2}
            assert not ended[0].is_set()
        await asyncio.wait_for(ended[0].wait(), 5)
        last = await asyncio.open_unix_connection(path)
        last[1].write(b'{"do":"talk"}\n')
        await last[0].readline()
        assert not ended[1].is_set()
    await asyncio.wait_for(ended[1].wait(), 5)
    last[1].close()
