"""Serves the pages inside a program that has its own signals and tasks."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import uvicorn
from anyio.to_thread import current_default_thread_limiter

from gateway.clock import wall_ms
from gateway.config.models import WebTable
from gateway.desk import Desk
from gateway.web.access import OPERATOR, Access, Door
from gateway.web.connections import Bounded
from gateway.web.crowd import HOUSE, Crowd
from gateway.web.errors import PagesError
from gateway.web.gate import Gate
from gateway.web.guard import own_names
from gateway.web.page import app
from gateway.web.screen import Sources
from gateway.web.source import Answers
from gateway.web.tls import FOLDER, Tls, open_tls

EVERYWHERE = ("0.0.0.0", "[::]")  # noqa: S104  names for what is configured, not a choice
BACKLOG = 1024
"""Connections that wait in the kernel: turning all of them away takes a tenth of a second."""

THREADS = 2
"""Threads that read styles and scripts off the disk; forty, the library's own number, took 20 MB under siege."""


def is_fault(record: logging.LogRecord) -> bool:
    """Tell whether a line of uvicorn's is worth the log.

    A page that listened until the program stopped is none, nor is what anybody on the network can say to us.
    """
    return record.levelno >= logging.ERROR and not (
        record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
    )


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the program it runs in has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@dataclass(frozen=True)
class Served:
    """Pages that are being served at `address`."""

    address: str
    access: Access
    tls: Tls | None = None

    def link(self, door: Door = OPERATOR) -> str:
        """Make a one-time link."""
        return f"{self.address}enter/{self.access.link(door)}"


async def serve(
    group: asyncio.TaskGroup,
    web: WebTable,
    sources: Sources,
    sessions: Path,
    *,
    language: str,
    answers: Answers | None = None,
    link_key: bytes | None = None,
    desk: Desk | None = None,
    crowd: Crowd = HOUSE,
) -> Served:
    """Serve the pages as a task of `group`; `sessions` is the file of devices that were let in, TLS has a folder there.

    `crowd` says for how many people they are.
    Raises PagesError when the address cannot be bound, or no certificate be made.
    """
    host, _, port = web.listen.rpartition(":")
    names = own_names(web.listen, web.url)
    tls = await open_tls(sessions.with_name(FOLDER), names, wall_ms) if web.tls else None
    access = Access(sessions, stay=web.stay, now=wall_ms)
    page = app(
        sources,
        access,
        names=names,
        language=language,
        answers=answers,
        link_key=link_key,
        desk=desk,
        crowd=crowd,
    )
    gate = Gate(_listen(host.strip("[]"), int(port)), crowd, tls=tls is not None)
    config = uvicorn.Config(
        page,
        host=host.strip("[]"),
        port=int(port),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        http=cast("type[asyncio.Protocol]", partial(Bounded, gate)),
        ws="none",
    )
    if tls is not None:
        config.load()
        config.ssl = tls.context
        group.create_task(tls.run(), name="web certificate")
    current_default_thread_limiter().total_tokens = THREADS
    logging.getLogger("uvicorn.error").addFilter(is_fault)
    server = _Server(config)
    task = group.create_task(server.serve([gate]), name="web")
    task.add_done_callback(lambda _: gate.close())
    bound = cast("tuple[str, int]", gate.getsockname())
    if web.url:
        return Served(f"{web.url.rstrip('/')}/", access, tls)
    # Nobody can open "every address"; on a home's network the machine has this name.
    shown = f"{socket.gethostname().partition('.')[0]}.local" if host in EVERYWHERE else host
    return Served(f"{'https' if tls else 'http'}://{shown}:{bound[1]}/", access, tls)


def _listen(host: str, port: int) -> socket.socket:
    """Bind the address ourselves: uvicorn would end the program without a word on what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        hint = "another program may serve there: choose another port with --listen or under [web], or stop that program"
        raise PagesError(f"the pages cannot be served at {host}:{port}: {error.strerror}", hint) from error
