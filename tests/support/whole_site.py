"""The whole site over a real hub database, with a meter, an alert and a desk; and its routes as they are, by path."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.alerts.event import AlertEvent, alert_id
from gateway.live import LiveBook, LiveMeter
from gateway.notify import links
from gateway.web.access import Access
from gateway.web.alertbook import AlertBook
from gateway.web.page import app
from gateway.web.screen import Sources
from tests.support.desk import arrive, open_desk

NOW = 1_795_219_210_000
HERE = "http://nabd.test"
KEY = b"k" * 32
ALERT = alert_id("overload", "home_main", NOW)


@dataclass
class Whole:
    """A site, a browser at it, and what lets the browser in."""

    site: Starlette
    access: Access
    browser: httpx.AsyncClient
    shown: int = 0

    def routes(self) -> list[tuple[str, str]]:
        """Give (method, path with its parameters) of every page."""
        routes = [route for route in self.site.routes if isinstance(route, Route)]
        return sorted({("POST" if "POST" in (route.methods or ()) else "GET", route.path) for route in routes})

    async def raw(self, path: str) -> tuple[int, bytes]:
        """Ask for a path exactly as it stands: a browser, and our own, would tidy `..` away."""
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode("utf-8", "replace"),
            "query_string": b"", "headers": [(b"host", b"nabd.test")], "scheme": "http", "root_path": "",
            "http_version": "1.1", "client": ("192.0.2.1", 1), "server": ("nabd.test", 80),
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()  # the browser stays, and has nothing more to say
            raise AssertionError

        async def send(message: Any) -> None:
            sent.append(message)

        await self.site(scope, receive, send)
        return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:])

    def let_in(self) -> None:
        """Give the browser a session."""
        self.browser.cookies.set("nabd", self.access.enter(self.access.link(), "") or "")


def filled(path: str, **values: str) -> str:
    """Fill the parameters of a route's path; what no value is given for becomes `x`."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: values.get(found[1], "x"), path)


def signed() -> str:
    """Sign a link to the alert, as messages carry them."""
    return links.Link("acknowledge", "home", ALERT, "phone", NOW // 1000 + 86_400).sign(KEY)


@asynccontextmanager
async def whole_site(folder: Path, name: str = "Garden", model: str = "Eastron") -> AsyncIterator[Whole]:
    """Give the site, with a meter of this name and model; it ends with the block."""
    book, alerts, access = LiveBook("home"), AlertBook(lambda: NOW), Access(None, stay=86_400, now=lambda: NOW)
    book.know(LiveMeter("home_main", name, "electricity", model, 10.0, NOW, 0, {"power_w": 4711.0}))
    event = AlertEvent(
        id=ALERT, seq=1, rule="overload", meter="home_main", state="raised", severity="warning", raised=NOW, at=NOW
    )
    alerts.take("home", event)
    async with open_desk(folder, lambda: NOW) as (desk, database):
        await arrive(desk, database, event)
        sources = Sources(book, lambda: NOW, None, alerts)
        site = app(sources, access, names={"nabd.test"}, answers=desk.telling, link_key=KEY, desk=desk)
        transport = httpx.ASGITransport(site, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as browser:
            yield Whole(site, access, browser)
