"""The pages as they are served, in a thread of their own, over meters, days and alerts that a test sets.

Browsers of tests, benchmarks and pictures look at this: the real application on a real port, with no program around.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn

from gateway.clock import wall_ms
from gateway.desk import Desk
from gateway.live import LiveBook, LiveMeter
from gateway.notify.links import Link
from gateway.today import Day
from gateway.web.access import Access
from gateway.web.alertbook import AlertBook
from gateway.web.page import app
from gateway.web.screen import Sources
from tests.support.desk import open_desk

T = TypeVar("T")
KEY = b"k" * 32


@dataclass
class Answered:
    """An outbox that only notes what it was told."""

    links: list[Link] = field(default_factory=list)

    async def act(self, link: Link, now: int) -> str:
        """Note an answer."""
        assert now > 0
        self.links.append(link)
        return "done"


@dataclass
class Days:
    """What each meter counted today, as a test says."""

    shown: dict[str, Day] = field(default_factory=dict)

    def day(self, meter: LiveMeter) -> Day | None:
        """Give a meter's day."""
        return self.shown.get(meter.id)


class Site:
    """A served site; `url` ends with a slash, `answers` holds what people answered."""

    def __init__(self, now: Callable[[], int] = wall_ms, zone: str = "UTC", folder: Path | None = None) -> None:
        """With a `folder` there is a hub database in it, and a desk with two channels."""
        self.now, self._zone, self._folder = now, zone, folder
        self.book, self.alerts, self.days, self.answers = LiveBook("home"), AlertBook(now), Days(), Answered()
        self.access = Access(None, stay=86400, now=now)
        self._sources = Sources(self.book, now, self.days, self.alerts, zone)
        self._ready: Future[str] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="site")

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = self._ready.result(20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(20)

    def link(self) -> str:
        """Make a one-time link."""
        return f"{self.url}enter/{self.access.link()}"

    def cookie(self) -> dict[str, Any]:
        """Let a browser in without a link, as Playwright takes a cookie."""
        return {"name": "nabd", "value": self.access.enter(self.access.link(), "") or "", "url": self.url}

    def do(self, work: Callable[..., T], *arguments: object) -> T:
        """Call something in the site's own thread, where its meters may be changed."""
        done: Future[T] = Future()
        self._loop.call_soon_threadsafe(lambda: done.set_result(work(*arguments)))
        return done.result(10)

    def know(self, *meters: LiveMeter) -> None:
        """Add meters, with the values they have."""
        for meter in meters:
            self.do(self.book.know, meter)

    def read(self, meter: str, values: Mapping[str, Any]) -> None:
        """Give a meter a new reading of this moment."""
        self.do(self.book.update, meter, self.now(), 0, values)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the site's own loop, where its desk is."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _serve(self) -> None:
        if self._folder is None:
            return await self._listen(None)
        async with open_desk(self._folder, self.now, self._zone) as (desk, database):
            self.desk, self.database = desk, database
            return await self._listen(desk)

    async def _listen(self, desk: Desk | None) -> None:
        answers = self.answers if desk is None else desk.telling
        page = app(self._sources, self.access, answers=answers, link_key=KEY, desk=desk)
        config = uvicorn.Config(page, host="127.0.0.1", port=0, lifespan="off", log_config=None, access_log=False)
        self._loop = asyncio.get_running_loop()
        self._server = uvicorn.Server(config)
        sock = config.bind_socket()
        self._ready.set_result(f"http://127.0.0.1:{sock.getsockname()[1]}/")
        await self._server.serve([sock])
