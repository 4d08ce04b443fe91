"""What stands before the pages: host names, forms from elsewhere, sessions."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest

from gateway.alerts.event import AlertEvent, alert_id
from gateway.live import LiveBook, LiveMeter
from gateway.notify.links import ACTIONS, Action, Link
from gateway.store.contract import TryAgain
from gateway.web.access import Access
from gateway.web.alertbook import AlertBook
from gateway.web.guard import own_names
from gateway.web.page import app
from gateway.web.screen import Sources

NOW = 1_795_219_210_000
HERE = "http://nabd.test"
KEY = b"k" * 32
SECRETS = ("home_main", "Garden", "Eastron", "0.1.0")


@dataclass
class Outbox:
    """Notes answers, or cannot."""

    links: list[Link] = field(default_factory=list)
    full: bool = False

    async def act(self, link: Link, now: int) -> str | TryAgain:
        """Note an answer."""
        assert now == NOW
        if self.full:
            return TryAgain("disk full")
        self.links.append(link)
        return "done"


@dataclass
class Door:
    """A site with one meter and one alert, and a browser that was not let in."""

    access: Access
    alerts: AlertBook
    outbox: Outbox
    browser: httpx.AsyncClient
    alert: str

    def let_in(self) -> str:
        """Give the browser a session."""
        secret = self.access.enter(self.access.link(), "") or ""
        self.browser.cookies.set("nabd", secret)
        return secret

    async def send(self, path: str, **headers: str) -> httpx.Response:
        """Send a form of our own page; other headers as given."""
        return await self.browser.post(path, headers={"origin": HERE} | headers)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """Give a site and a browser."""
    book, alerts, outbox = LiveBook("home"), AlertBook(lambda: NOW), Outbox()
    book.know(LiveMeter("home_main", "Garden", "water", "Eastron", 10.0, NOW, 0, {"water_flow_l_h": 60.0}))
    access = Access(None, stay=3600, now=lambda: NOW)
    name = alert_id("overload", "home_main", NOW)
    event = AlertEvent(
        id=name, seq=1, rule="overload", meter="home_main", state="raised", severity="warning", raised=NOW, at=NOW
    )
    alerts.take("home", event)
    site = app(Sources(book, lambda: NOW, None, alerts), access, names={"nabd.test"}, answers=outbox, link_key=KEY)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=HERE) as browser:
        yield Door(access, alerts, outbox, browser, name)


@pytest.mark.parametrize(
    "path",
    ["/", "/events", "/nothing", "/alert/0/acknowledge", "/m-home_main", "/leave", "/enter", "/static", "/healthz/x"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_without_a_session_every_address_answers_alike(door: Door, path: str, method: str) -> None:
    """Nobody learns which addresses, meters or versions there are."""
    first = await door.browser.request(method, "/", headers={"origin": HERE})
    answer = await door.browser.request(method, path, headers={"origin": HERE})
    assert answer.status_code == 401
    assert answer.text == first.text
    for header in ("server", "set-cookie", "www-authenticate"):
        assert header not in answer.headers
    assert not any(secret in answer.text for secret in SECRETS)


async def test_a_wrong_cookie_is_no_session(door: Door) -> None:
    """A made-up secret opens nothing."""
    door.browser.cookies.set("nabd", "x" * 43)
    assert (await door.browser.get("/")).status_code == 401


async def test_looking_at_a_link_does_not_spend_it(door: Door) -> None:
    """A preview of a link by a chat program leaves it whole; the button uses it up, once."""
    path = f"/enter/{door.access.link()}"
    for _ in range(3):
        shown = await door.browser.get(path)
        assert shown.status_code == 200
        assert "set-cookie" not in shown.headers
    entered = await door.send(path)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert (await door.browser.get("/")).status_code == 200
    door.browser.cookies.clear()
    again = await door.send(path)
    assert again.status_code == 403
    assert "set-cookie" not in again.headers


async def test_a_made_up_link_looks_like_any_other(door: Door) -> None:
    """Only the button tells whether a link is good, and tries are counted."""
    good, bad = await door.browser.get(f"/enter/{door.access.link()}"), await door.browser.get("/enter/made-up")
    assert (good.status_code, good.text) == (bad.status_code, bad.text)
    answers = [(await door.send("/enter/made-up")).status_code for _ in range(12)]
    assert answers == [403] * 10 + [429] * 2


async def test_the_cookie_is_for_this_browser_alone(door: Door) -> None:
    """No script reads it, no other site sends it, and over TLS nothing else carries it."""
    cookie = (await door.send(f"/enter/{door.access.link()}")).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Max-Age=3600" in cookie
    assert "Secure" not in cookie
    path = f"https://nabd.test/enter/{door.access.link()}"
    assert "Secure" in (await door.browser.post(path, headers={"origin": "https://nabd.test"})).headers["set-cookie"]


async def test_signing_out_ends_the_session(door: Door) -> None:
    """A copy of the cookie is worth nothing afterwards."""
    secret = door.let_in()
    assert (await door.send("/leave")).status_code == 303
    door.browser.cookies.set("nabd", secret)
    assert (await door.browser.get("/")).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("nabd.test", 200),
        ("NABD.test:8080", 200),
        ("192.168.1.20:8080", 200),
        ("[fe80::1]:8080", 200),
        ("rebound.example", 421),
        ("nabd.test.evil.example", 421),
        ("", 421),
        ("[", 421),
        ("nabd.test@evil.example", 421),
    ],
)
async def test_only_our_own_names_are_answered(door: Door, host: str, status: int) -> None:
    """A page of the Internet that points its name at us sees nothing, whatever session the browser has."""
    door.let_in()
    assert (await door.browser.get("/", headers={"host": host})).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://nabd.test.evil.example"},
        {"origin": "http://nabd.test:81"},
        {"origin": "nabd.test"},
        {"origin": "ftp://nabd.test"},
        {"origin": HERE, "sec-fetch-site": "cross-site"},
        {"origin": HERE, "sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_of_another_page_does_nothing(door: Door, headers: dict[str, str]) -> None:
    """Acting needs one of our own pages, for answers, links and sessions alike."""
    secret = door.let_in()
    link = Link("mute", "home", door.alert, "mail", NOW // 1000 + 60).sign(KEY)
    paths = ["/leave", f"/alert/{door.alert}/mute", f"/enter/{door.access.link()}", f"/answer/{link}"]
    for path in paths if headers else paths[:-1]:
        assert (await door.browser.post(path, headers=headers)).status_code == 403
    assert door.outbox.links == []
    assert door.access.knows(secret)


async def test_a_push_app_follows_a_signed_link(door: Door) -> None:
    """The button of a notification posts without any page: the link is its own proof."""
    link = Link("acknowledge", "home", door.alert, "phone", NOW // 1000 + 60).sign(KEY)
    assert (await door.browser.post(f"/answer/{link}")).status_code < 400
    assert [link.action for link in door.outbox.links] == ["acknowledge"]


@pytest.mark.parametrize("path", ["/leave", "/alert/{alert}/acknowledge"])
async def test_looking_never_acts(door: Door, path: str) -> None:
    """A GET of an address that acts finds nothing and does nothing."""
    door.let_in()
    assert (await door.browser.get(path.format(alert=door.alert))).status_code == 404
    assert door.outbox.links == []


@pytest.mark.parametrize("action", ACTIONS)
async def test_an_alert_is_answered_on_the_page(door: Door, action: Action) -> None:
    """The answer reaches the outbox under the alert's tenant, and the page says so."""
    door.let_in()
    assert (await door.send(f"/alert/{door.alert}/{action}")).status_code == 303
    assert [(link.action, link.tenant, link.alert, link.channel) for link in door.outbox.links] == [
        (action, "home", door.alert, "page")
    ]
    html = (await door.browser.get("/")).text
    assert "<form" in html
    assert f'action="/alert/{door.alert}' not in html


@pytest.mark.parametrize("path", ["/alert/0123456789abcdef/mute", "/alert/{alert}/delete", "/alert/../mute"])
async def test_what_is_no_alert_or_no_answer_is_nothing(door: Door, path: str) -> None:
    """Addresses are not obeyed because somebody typed them."""
    door.let_in()
    assert (await door.send(path.format(alert=door.alert))).status_code == 404
    assert door.outbox.links == []


async def test_an_answer_that_cannot_be_kept_is_not_claimed(door: Door) -> None:
    """A full disk is told, and the buttons stay."""
    door.let_in()
    door.outbox.full = True
    assert (await door.send(f"/alert/{door.alert}/acknowledge")).status_code == 503
    assert f"/alert/{door.alert}" in (await door.browser.get("/")).text


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_link_in_a_message_works_without_a_session(door: Door, action: Action) -> None:
    """Looking shows a button, the button acts, twice is no harm, and nothing else is shown."""
    link = Link(action, "home", door.alert, "mail", NOW // 1000 + 60)
    path = f"/answer/{link.sign(KEY)}"
    shown = await door.browser.get(path)
    assert shown.status_code == 200
    assert '<form method="post">' in shown.text
    assert door.outbox.links == []
    for _ in range(2):
        assert (await door.send(path)).status_code == 200
    assert door.outbox.links == [link, link]
    assert not any(secret in shown.text for secret in SECRETS)


async def test_a_changed_or_old_link_does_nothing(door: Door) -> None:
    """What is not signed by us, or too old, is told alike."""
    old = Link("mute", "home", door.alert, "mail", NOW // 1000).sign(KEY)
    forged = Link("mute", "home", door.alert, "mail", NOW // 1000 + 60).sign(b"other")
    texts = set()
    for token in (old, forged, "nonsense", "x" * 5000):
        for answer in (await door.browser.get(f"/answer/{token}"), await door.send(f"/answer/{token}")):
            assert answer.status_code == 404
            texts.add(answer.text)
    assert len(texts) == 1
    assert door.outbox.links == []


def test_own_names_are_this_machine_and_what_is_configured() -> None:
    """The names of `listen` and `url` count beside the machine's own."""
    names = own_names("127.0.0.1:8080", "https://nabd.example/home", None)
    assert {"localhost", "127.0.0.1", "nabd.example"} <= names
    assert "" not in names
    assert any(name.endswith(".local") for name in names)
