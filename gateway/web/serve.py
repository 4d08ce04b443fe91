"""Serves the pages inside a program that has its own signals and tasks."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import cast

import uvicorn

from gateway.web.page import app
from gateway.web.source import LiveSource


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the program it runs in has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def serve(group: asyncio.TaskGroup, listen: str, source: LiveSource, *, language: str) -> str:
    """Serve the pages at `listen` (host:port, port 0 for any free one) as a task of `group`; give their address.

    Raises OSError when the address cannot be bound.
    """
    host, _, port = listen.rpartition(":")
    page = app(source, now=lambda: time.time_ns() // 1_000_000, language=language)
    config = uvicorn.Config(
        page,
        host=host.strip("[]"),
        port=int(port),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    server = _Server(config)
    sock = config.bind_socket()
    task = group.create_task(server.serve([sock]), name="web")
    task.add_done_callback(lambda _: sock.close())
    bound = cast("tuple[str, int]", sock.getsockname())
    return f"http://{host}:{bound[1]}/"
