"""Every route there is, taken from the table of routes: headers, hosts, foreign forms, cookies, dead sessions."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.web.headers import SAFE
from tests.support.whole_site import ALERT, HERE, Whole, filled, signed, whole_site

THERE = {"alert": ALERT, "meter": "home_main", "channel": "phone", "tenant": "home", "rule": "overload",
         "action": "acknowledge", "name": "x"}  # fmt: skip
FORM = {"away": "on", "lang": "ar", "severity": "warning", "goal": "1"}
ENDLESS = "/events"
FOREIGN = (
    {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": f"{HERE}.evil.example"}, {"origin": f"{HERE}:81"},
    {"origin": HERE, "sec-fetch-site": "cross-site"}, {"origin": HERE, "sec-fetch-site": "same-site"},
    {"referer": "http://evil.example/", "sec-fetch-site": "cross-site"},
)  # fmt: skip


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    """Give the whole site with a browser that was let in."""
    async with whole_site(tmp_path) as made:
        made.let_in()
        yield made


def every(whole: Whole) -> list[tuple[str, str]]:
    """Give (method, path of what exists) of all routes, of files, and of what is no route."""
    routes = [(method, filled(path, **THERE, token=signed())) for method, path in whole.routes() if path != ENDLESS]
    assert len(routes) >= 17
    return [*routes, ("GET", "/static/nabd.css"), ("GET", "/static/none"), ("GET", "/no/route"), ("POST", "/no/route")]


def kept(folder: Path) -> str:
    """Give all that the hub database holds."""
    database = sqlite3.connect(folder / "hub.sqlite")
    try:
        return "\n".join(database.iterdump())
    finally:
        database.close()


async def test_every_answer_carries_the_headers(whole: Whole) -> None:
    """With and without a session, whatever the status: the policy, and no cache but for styles."""
    statuses = set()
    for known in (True, False):
        if not known:
            whole.browser.cookies.clear()
        for method, path in every(whole):
            if known and path == "/leave":
                continue
            answer = await whole.browser.request(method, path, headers={"origin": HERE}, data=FORM)
            told = (method, path, answer.status_code)
            statuses.add(answer.status_code)
            assert {name: answer.headers.get(name) for name in SAFE} == SAFE, told
            wanted = "no-cache" if path.startswith("/static/") else "no-store"
            assert answer.headers["cache-control"] == wanted, told
            assert "access-control-allow-origin" not in answer.headers, told
            assert answer.status_code < 500, told
    assert {200, 303, 401, 404} <= statuses
    policy = SAFE["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_no_route_answers_to_a_foreign_name(whole: Whole) -> None:
    """With a session in the browser, a name that was pointed at us opens nothing, by any method."""
    for method, path in every(whole):
        for host in ("evil.example", "nabd.test.evil.example", "evil.example:8080", ""):
            answer = await whole.browser.request(method, path, headers={"host": host, "origin": f"http://{host}"})
            assert answer.status_code == 421, (method, path, host)
            assert "home_main" not in answer.text


async def test_no_form_of_another_page_changes_anything(whole: Whole, tmp_path: Path) -> None:
    """Every route that acts refuses all foreign forms of a browser with a session; our own ones do act."""
    before = kept(tmp_path)
    acting = [path for method, path in every(whole) if method == "POST"]
    assert len(acting) >= 9
    for path in acting:
        for headers in FOREIGN:
            answer = await whole.browser.post(path, headers=headers, data=FORM)
            assert answer.status_code == 403, (path, headers)
    assert kept(tmp_path) == before
    changed = 0
    for path in acting:
        if path == "/leave":
            continue
        await whole.browser.post(path, headers={"origin": HERE, "sec-fetch-site": "same-origin"}, data=FORM)
        changed += before != (before := kept(tmp_path))
    assert changed >= 2


async def test_looking_changes_nothing(whole: Whole, tmp_path: Path) -> None:
    """No GET, HEAD or OPTIONS of any route has an effect, also of those that act, with their fields in the query."""
    await whole.browser.get("/settings")  # makes the key for push once, which is no effect of anybody's asking
    before = kept(tmp_path)
    for _, path in every(whole):
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = await whole.browser.request(method, path, params=FORM, headers={"origin": HERE})
            assert answer.status_code < 500
    assert kept(tmp_path) == before
    assert (await whole.browser.get("/")).status_code == 200


async def test_every_cookie_is_for_this_browser_alone(whole: Whole) -> None:
    """Whatever route sets one: no script reads it, no other site sends it; that of a session is Secure over TLS."""
    found = 0
    for method, path in [*every(whole), ("POST", f"/enter/{whole.access.link()}"), ("POST", "/leave")]:
        url = f"https://nabd.test{path}"
        answer = await whole.browser.request(
            method, url, params={"lang": "ar"}, headers={"origin": "https://nabd.test"}, data=FORM
        )
        for cookie in answer.headers.get_list("set-cookie"):
            found += 1
            assert {"httponly", "samesite=strict"} <= set(cookie.lower().split("; ")), (path, cookie)
            assert not cookie.startswith("nabd=") or "secure" in cookie.lower(), (path, cookie)
            assert "domain=" not in cookie.lower(), (path, cookie)
    assert found >= 4


async def test_a_dead_session_opens_no_route(whole: Whole) -> None:
    """After signing out, a copy of the cookie is as good as none, on every route."""
    copy = dict(whole.browser.cookies)
    assert (await whole.browser.post("/leave", headers={"origin": HERE})).status_code == 303
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(whole.site), base_url=HERE, cookies={"nabd": "x" * 43}
    ) as stranger:
        whole.browser.cookies.update(copy)
        for method, path in every(whole):
            old, made_up = [
                await browser.request(method, path, headers={"origin": HERE}, data=FORM)
                for browser in (whole.browser, stranger)
            ]
            assert (old.status_code, old.text) == (made_up.status_code, made_up.text), (method, path)
            if not path.startswith(("/static/", "/answer/", "/enter/", "/healthz", "/.well-known", "/security")):
                assert old.status_code == 401, (method, path)


async def test_there_is_no_websocket_to_hijack(whole: Whole) -> None:
    """A request for a websocket, from whatever origin, is left alone: the pages know none."""
    said: list[object] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: object) -> None:
        said.append(message)

    scope = {"type": "websocket", "path": "/events", "headers": [(b"host", b"nabd.test")], "query_string": b""}
    await whole.site(scope, receive, send)
    assert "websocket.accept" not in str(said)
