"""Made-up inputs at every route: no fault of ours, no file of others, no connection to elsewhere (S37)."""

import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest

from gateway.web.page import STATIC
from tests.support.whole_site import ALERT, HERE, Whole, filled, signed, whole_site

PIECES = (
    "..", "../" * 8 + "etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f", "/etc/passwd", "file:///etc/passwd",
    "http://192.0.2.9/x", "//evil.example/", "gopher://127.0.0.1:25/", "' OR '1'='1", "1; DROP TABLE event--",
    '" OR ""="', "{{7*7}}", "${7*7}", "{% for x in ().__class__.__base__.__subclasses__() %}", "=cmd|' /C calc'!A0",
    "@SUM(1)", "<script>1</script>", "\0", "%00", "\r\nset-cookie: a=b", "%0d%0aset-cookie:a=b", "\u202e",
    "\U0001f600", "A" * 5000, "-1", "9" * 30, "1e999", "NaN", "null", "[]", "true", "%", "%zz", "+", "#", "?", "&",
    ";", "|", "`id`", "$(id)", "home_main", "phone", "home", "overload", ALERT, "acknowledge", "", " ", "ar", "en",
)  # fmt: skip
FIELDS = (
    "lang", "until", "from", "severity", "quiet", "safety", "leak", "usage", "cost", "operator", "digest", "number",
    "next", "url", "channel", "meter", "since", "page", "note", "away", "subscription", "saved", "back", "home",
    "home_main", "quiet_from", "quiet_to",
)  # fmt: skip
PARAMETERS = ("alert", "meter", "channel", "tenant", "rule", "action", "token", "name")
THERE = {"alert": ALERT, "meter": "home_main", "channel": "phone", "tenant": "home", "rule": "overload",
         "action": "acknowledge"}  # fmt: skip
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "x/y")
PAGES = {path.read_bytes() for path in STATIC.iterdir()}


@pytest.fixture
async def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whole]:
    """Give the whole site in a world where nothing can be dialled."""

    def dial(_: socket.socket, address: object) -> None:
        raise AssertionError(f"it dialled {address}")

    monkeypatch.setattr(socket.socket, "connect", dial)
    monkeypatch.setattr(socket.socket, "connect_ex", dial)
    async with whole_site(tmp_path) as made:
        yield made


def piece(dice: random.Random) -> str:
    """Make one value: a known nasty one, two of them, or any characters."""
    if dice.random() < 0.2:
        return "".join(chr(dice.randrange(1, 0xD7FF)) for _ in range(dice.randrange(30)))
    return "".join(dice.choice(PIECES) for _ in range(dice.choice((1, 1, 1, 2))))


async def ask(whole: Whole, method: str, path: str, dice: random.Random) -> httpx.Response:
    """Send one made-up request to a route."""
    values = {name: quote(piece(dice), safe=dice.choice(("", "/", "/%"))) for name in PARAMETERS}
    values |= {name: value for name, value in THERE.items() if dice.random() < 0.5}  # or the form is hardly ever read
    query = urlencode({dice.choice(FIELDS): piece(dice) for _ in range(dice.randrange(3))})
    headers = {"origin": HERE, "accept-language": quote(piece(dice))[:200], "x-forwarded-for": "192.0.2.9"}
    body: bytes | None = None
    if method == "POST":
        headers["content-type"] = dice.choice(KINDS)
        body = urlencode({dice.choice(FIELDS): piece(dice) for _ in range(dice.randrange(6))}).encode()
        body = dice.choice((body, body, piece(dice).encode(), dice.randbytes(dice.randrange(300)), b"&" * 2000))
    return await whole.browser.request(method, f"{filled(path, **values)}?{query}", headers=headers, content=body)


async def all_routes(whole: Whole, count: int, seed: int) -> int:
    """Send so many to each route, and give how many were sent in all."""
    dice, sent = random.Random(seed), 0
    whole.let_in()
    for method, path in whole.routes():
        if path in ("/events", "/leave"):  # one never ends, the other ends the session: looked at below
            continue
        for _ in range(count):
            answer = await ask(whole, method, path, dice)
            told = (method, path, str(answer.request.url)[:200], answer.status_code)
            assert answer.status_code < 500, told
            assert "root:x:0" not in answer.text, told
            assert "set-cookie" not in answer.headers or answer.headers["set-cookie"].startswith("nabd"), told
            assert urlsplit(answer.headers.get("location", "")).netloc in ("", "nabd.test"), told
            sent += 1
    return sent


async def test_made_up_inputs_at_every_route(whole: Whole) -> None:
    """Thirty requests a route: none is a fault of ours, reaches a file, sets a header or dials anybody."""
    assert await all_routes(whole, 30, 7) >= 300


@pytest.mark.slow
async def test_a_thousand_made_up_inputs_at_every_route(whole: Whole) -> None:
    """The same a thousand times a route."""
    assert await all_routes(whole, 1000, 11) >= 10_000


async def test_a_good_link_with_anything_around_it(whole: Whole) -> None:
    """A signed link acts for its alert whatever stands beside it, and with one character changed it does not."""
    dice, token = random.Random(3), signed()
    for _ in range(60):
        query = urlencode({dice.choice(FIELDS): piece(dice)})
        assert (await whole.browser.get(f"/answer/{token}?{query}")).status_code == 200
        place = dice.randrange(len(token))
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert (await whole.browser.get(f"/answer/{other}")).status_code == 404


async def test_only_files_of_ours_are_served(whole: Whole) -> None:
    """Every way of writing a path under /static, not tidied by a browser, gives one of our own files or nothing."""
    dice, found = random.Random(5), 0
    for path in [f"/static/{piece(dice)}" for _ in range(300)] + [f"/static/{file.name}" for file in STATIC.iterdir()]:
        status, body = await whole.raw(path)
        assert status in (400, 404, 405) or body in PAGES, path
        found += status == 200
    assert found == len(PAGES)
