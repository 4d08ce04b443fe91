"""A running program answers questions on a Unix socket beside its journal: status, read now, stop polling.

One line of JSON asks, one line of JSON answers. The socket's mode lets only the program's own user (and root) in.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

LINE_LIMIT = 64 * 1024
"""A question is a few words, an answer a page of numbers."""

Answer = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class NobodyThere(Exception):  # noqa: N818
    """No program listens on the socket."""


@contextlib.asynccontextmanager
async def listening(path: Path, answers: Mapping[str, Answer]) -> AsyncIterator[None]:
    """Answer questions `{"do": NAME, …}` while the block runs."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            question = orjson.loads(await reader.readline())
            answer = answers.get(question.get("do", "")) if isinstance(question, dict) else None
            reply = await answer(question) if answer else {"error": "unknown question"}
        except (orjson.JSONDecodeError, ValueError):
            reply = {"error": "the question is not one line of JSON"}
        writer.write(orjson.dumps(reply, default=str) + b"\n")
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    with contextlib.ExitStack() as stack:
        # On a disk that refuses nobody can ask, and meters are read all the same.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            server = await asyncio.start_unix_server(serve, path, limit=LINE_LIMIT)
            stack.callback(_unlink, path)
            stack.callback(server.close)
            path.chmod(0o600)
        yield


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


async def ask(path: Path, question: Mapping[str, Any], timeout: float = 10.0) -> dict[str, Any]:
    """Put one question to the program that listens at `path`; raises NobodyThere."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_unix_connection(path, limit=1024 * 1024)
            writer.write(orjson.dumps(question) + b"\n")
            line = await reader.readline()
            writer.close()
            answer = orjson.loads(line)
    except (OSError, TimeoutError, orjson.JSONDecodeError) as error:
        raise NobodyThere(str(path)) from error
    return dict(answer)
