"""Whoever was not let in learns nothing: not what there is, not whose it is, not which version it runs (S25)."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway import VERSION
from gateway.web.headers import SAFE
from gateway.web.policy import FILE, POLICY
from tests.support.whole_site import ALERT, HERE, Whole, filled, whole_site

SECRETS = (VERSION, "home_main", "Garden", "Eastron", "4711", "4.7", ALERT, "phone", "uvicorn", "starlette", "python")
PUBLIC = ("/healthz", FILE, POLICY)
THERE = {"alert": ALERT, "meter": "home_main", "channel": "phone", "tenant": "home", "rule": "overload",
         "action": "acknowledge"}  # fmt: skip
NOT_THERE = dict.fromkeys(THERE, "m-0000000000000000")


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    """Give the whole site, and a browser that was not let in."""
    async with whole_site(tmp_path) as made:
        yield made


def seen(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """Give all that a stranger sees of an answer."""
    return answer.status_code, answer.text, dict(answer.headers)


async def test_every_route_says_the_same_to_strangers(whole: Whole) -> None:
    """What is there and what is not, by any method, gives one and the same answer; no secret is in any of them."""
    origin = {"origin": HERE}
    refused = seen(await whole.browser.get("/nothing-here", headers=origin))
    assert refused[0] == 401
    looked = 0
    for method, path in whole.routes():
        for values in (THERE, NOT_THERE):
            for way in (method, "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
                answer = await whole.browser.request(way, filled(path, **values), headers=origin)
                told = str(seen(answer)).lower()
                assert not [secret for secret in SECRETS if secret.lower() in told], (way, path)
                assert all(answer.headers.get(name) == value for name, value in SAFE.items())
                looked += 1
                if path in PUBLIC or "{token}" in path:
                    continue
                assert answer.status_code == 401, (way, path)
                if way != "HEAD":
                    assert seen(answer) == refused, (way, path)
    assert looked > 150


async def test_what_is_open_says_the_same_of_good_and_bad(whole: Whole) -> None:
    """A link that opens the pages looks like any other until its button is pressed."""
    good = await whole.browser.get(f"/enter/{whole.access.link()}")
    bad = await whole.browser.get("/enter/nothing")
    assert seen(good) == seen(bad)


@pytest.mark.parametrize("path", ["/static/", "/static/..%2fpage.py", "/static/%2e%2e/page.py", "/docs",
                                  "/openapi.json", "/metrics", "/debug", "/.git/config", "/server-status"])  # fmt: skip
async def test_no_way_for_developers_is_left_open(whole: Whole, path: str) -> None:
    """There is no list of files, no description of the interface, no debugger."""
    answer = await whole.browser.get(path)
    assert answer.status_code in (401, 404)
    assert "import" not in answer.text
    assert not whole.site.debug


async def test_a_fault_of_ours_tells_nothing(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in a page becomes a bare 500: no trace, no path, no value."""

    def broken(*_: object) -> bool:
        raise ValueError("home_main is broken")

    monkeypatch.setattr(whole.access, "knows", broken)
    whole.browser.cookies.set("nabd", "x")
    answer = await whole.browser.get("/")
    assert answer.status_code == 500
    assert "home_main" not in answer.text
    assert "Traceback" not in answer.text
