"""A running program answers questions on a Unix socket beside its journal: status, read now, stop polling.

One line of JSON asks, one line of JSON answers. Where more is needed than an answer, asker and program stay connected,
and a line follows a line until the asker hangs up. The socket's mode lets only the program's own user (and root) in.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import orjson

LINE_LIMIT = 64 * 1024
"""A question is a few words, an answer a page of numbers."""

Answer = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

Talk = Callable[[], AbstractAsyncContextManager[Answer]]
"""Begins with the first question and ends when the asker is gone; what it gives answers each line in between."""


class NobodyThere(Exception):  # noqa: N818
    """No program listens on the socket."""


@contextlib.asynccontextmanager
async def listening(
    path: Path, answers: Mapping[str, Answer], talks: Mapping[str, Talk] | None = None
) -> AsyncIterator[None]:
    """Answer questions `{"do": NAME, …}` while the block runs."""
    talks, serving = talks or {}, set[asyncio.Task[Any]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  a coroutine runs in one
        serving.add(task)
        # Cancelled only by the end of the block below; Python 3.11 would log that as an error.
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await _serve(reader, writer, answers, talks)
        finally:
            serving.discard(task)
            writer.close()

    with contextlib.ExitStack() as stack:
        # On a disk that refuses nobody can ask, and meters are read all the same.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            server = await asyncio.start_unix_server(serve, path, limit=LINE_LIMIT)
            stack.callback(_unlink, path)
            stack.callback(server.close)
            path.chmod(0o600)
        try:
            yield
        finally:
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)


async def _serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answers: Mapping[str, Answer],
    talks: Mapping[str, Talk],
) -> None:
    """Answer one asker."""
    question = await _question(reader)
    name = str(question.get("do")) if question else ""
    if question is None:
        await _say(writer, {"error": "the question is not one line of JSON"})
    elif name in talks:
        async with talks[name]() as answer:
            while question is not None:
                await _say(writer, await answer(question))
                question = await _question(reader)
    else:
        await _say(writer, await answers[name](question) if name in answers else {"error": "unknown question"})


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


async def _question(reader: asyncio.StreamReader) -> Mapping[str, Any] | None:
    """Read one line; None when there is none more, or it is no question."""
    try:
        question = orjson.loads(await reader.readline())
    except ValueError:  # nothing, longer than LINE_LIMIT, or no JSON
        return None
    return question if isinstance(question, dict) else None


async def _say(writer: asyncio.StreamWriter, reply: Mapping[str, Any]) -> None:
    writer.write(orjson.dumps(reply, default=str) + b"\n")
    await writer.drain()


Put = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]


@contextlib.asynccontextmanager
async def talking(path: Path, timeout: float = 10.0) -> AsyncIterator[Put]:
    """Stay connected to the program at `path`, and put questions to it; raises NobodyThere, and so does each."""
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=1024 * 1024)
    except OSError as error:
        raise NobodyThere(str(path)) from error

    async def put(question: Mapping[str, Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(timeout):
                writer.write(orjson.dumps(question) + b"\n")
                return dict(orjson.loads(await reader.readline()))
        except (OSError, TimeoutError, orjson.JSONDecodeError) as error:
            raise NobodyThere(str(path)) from error

    try:
        yield put
    finally:
        writer.close()


async def ask(path: Path, question: Mapping[str, Any], timeout: float = 10.0) -> dict[str, Any]:
    """Put one question to the program that listens at `path`; raises NobodyThere."""
    async with talking(path, timeout) as put:
        return await put(question)
