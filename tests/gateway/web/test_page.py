"""The live page as a browser gets it."""

import re
from collections.abc import Sequence

import httpx
import pytest

from gateway.live import LiveBook, LiveMeter
from gateway.web.access import Access
from gateway.web.page import app
from gateway.web.screen import Sources
from gateway.web.source import LiveSource

NOW = 1_795_219_210_000
EVIL = "<script>alert(1)</script>\"'{{7*7}}"


def book(*meters: LiveMeter) -> LiveBook:
    """Make a source of these meters."""
    made = LiveBook()
    for meter in meters:
        made.know(meter)
    return made


def water(name: str = "Garden", model: str = "m") -> LiveMeter:
    """Make a water meter read three seconds ago."""
    return LiveMeter("gw_w", name, "water", model, 10.0, NOW - 3000, 0, {"water_flow_l_h": 60.0})


async def get(
    path: str,
    *meters: LiveMeter,
    language: str = "en",
    accept: str | None = None,
    method: str = "GET",
    source: LiveSource | None = None,
) -> httpx.Response:
    """Ask the page as a browser does that was let in."""
    access = Access(None, stay=60, now=lambda: NOW)
    secret = access.enter(access.link(), "") or ""
    sources = Sources(source or book(*meters), lambda: NOW)
    transport = httpx.ASGITransport(app(sources, access, names={"nabd.test"}, language=language))
    headers = {"origin": "http://nabd.test"} | ({"accept-language": accept} if accept is not None else {})
    async with httpx.AsyncClient(transport=transport, base_url="http://nabd.test", headers=headers) as client:
        client.cookies.set("nabd", secret)
        return await client.request(method, path)


async def test_the_page_shows_values_units_and_age() -> None:
    """A reader sees the value now and how old it is."""
    html = (await get("/", water())).text
    age = f'<time data-at="{NOW - 3000}"><bdi dir="ltr">3</bdi> seconds ago</time>'
    for expected in ("Garden", '<bdi dir="ltr">1.0</bdi>', "L/min", age):
        assert expected in html
    assert "All meters are on time" in html


async def test_the_page_in_arabic_runs_right_to_left() -> None:
    """Arabic is asked for by the address, with its own direction, words and a way back to English."""
    response = await get("/?lang=ar", water())
    assert '<html lang="ar" dir="rtl">' in response.text
    assert "مياه" in response.text
    assert 'href="?lang=en"' in response.text
    assert response.headers["content-language"] == "ar"


@pytest.mark.parametrize(
    ("path", "accept", "language", "expected"),
    [
        ("/", None, "en", "en"),
        ("/", None, "ar", "ar"),
        ("/", "fr-FR,fr;q=0.9", "ar", "ar"),
        ("/", "ar-SA,ar;q=0.9,en;q=0.8", "en", "ar"),
        ("/?lang=en", "ar", "ar", "en"),
        ("/?lang=xx", "ar", "en", "ar"),
    ],
)
async def test_the_reader_chooses_the_language(path: str, accept: str | None, language: str, expected: str) -> None:
    """The address wins, then the browser, then the gateway's own language."""
    assert f'<html lang="{expected}"' in (await get(path, language=language, accept=accept)).text


async def test_without_meters_the_page_says_what_to_do() -> None:
    """An empty page is no dead end."""
    html = (await get("/")).text
    assert "No meters yet" in html
    assert '<code dir="ltr">nabd status</code>' in html


async def test_a_meter_that_is_behind_is_counted_on_top() -> None:
    """Lateness is told in words and in the summary, not by colour alone."""
    late = LiveMeter("gw_l", "Late", "gas", "m", 10.0, NOW - 600_000, 0, {"gas_flow_l_h": 1})
    html = (await get("/", water(), late)).text
    assert '<bdi dir="ltr">1</bdi> meter is behind' in html
    assert "Late: last reading" in html


async def test_whatever_a_meter_says_stays_text() -> None:
    """Names and models from outside are escaped, never run, never read as a template."""
    html = (await get("/", water(EVIL, EVIL))).text
    assert html.count("<script") == 1
    assert "&lt;script&gt;" in html
    assert "{{7*7}}" in html


@pytest.mark.parametrize("path", ["/", "/healthz", "/nothing", "/static/nabd.css"])
async def test_every_answer_carries_the_safe_headers(path: str) -> None:
    """The browser is told to run nothing foreign, frame nothing, guess nothing, tell nobody."""
    headers = (await get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


async def test_the_page_needs_nothing_that_its_policy_forbids() -> None:
    """No script but our file, no inline style, no address of another host."""
    html = (await get("/", water())).text
    assert re.findall(r"<script[^>]*>[^<]*", html) == ['<script src="/static/nabd.js" defer>']
    for forbidden in ("<style", " style=", "onclick", "http://", "https://", "//"):
        assert forbidden not in html


async def test_healthz_says_ok() -> None:
    """A supervisor learns that the page answers."""
    response = await get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("POST", "/"), ("GET", "/static/../page.py"), ("GET", "/static/%2e%2e/page.py")],
)
async def test_anything_else_is_nothing(method: str, path: str) -> None:
    """Unknown addresses, other methods and ways out of the folder all find the same nothing."""
    response = await get(path, method=method)
    assert (response.status_code, response.text) == (404, "There is nothing here.\n")


async def test_the_page_asks_the_source_at_each_look() -> None:
    """A new value is on the next page."""

    class Counting:
        looks = 0

        def tenants(self) -> Sequence[str]:
            return ["home"]

        def of(self, tenant: str) -> Sequence[LiveMeter]:
            assert tenant == "home"
            self.looks += 1
            return [water(f"look {self.looks}")]

    source = Counting()
    assert "look 1" in (await get("/", source=source)).text
    assert "look 2" in (await get("/", source=source)).text
