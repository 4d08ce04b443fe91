"""Doors of a hub: every route stands in one table, and nobody sees anything of another tenant's (S29)."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from gateway.web.feed import A_HOME, Feed
from gateway.web.rights import NEEDS, Visitor, allowed, guarded
from tests.support.two_homes import ANNAS, BILALS, METER, NOW, TwoHomes, signed, two_homes
from tests.support.whole_site import ALERT, filled, whole_site

ANNA, OPERATOR = Visitor("customer", "anna"), Visitor("operator", "")


@pytest.fixture
async def homes(tmp_path: Path) -> AsyncIterator[TwoHomes]:
    """Give a hub's site with two homes."""
    async with two_homes(tmp_path) as made:
        yield made


def seen(answer: httpx.Response) -> tuple[int, str]:
    """Give what somebody who guesses learns from."""
    return answer.status_code, answer.text


async def test_every_route_stands_in_the_table(homes: TwoHomes) -> None:
    """A new page opens to nobody until somebody says who may open it, and no row is left of a page that is gone."""
    there = {route.path for route in homes.site.routes if isinstance(route, Route | Mount)}
    assert there == set(NEEDS)


async def test_a_route_outside_the_table_opens_to_nobody() -> None:
    """Forgetting the table hides a page; it never shows one."""

    async def page(_: Request) -> Response:
        return PlainTextResponse("secret")

    (route,) = guarded([Route("/new", page)], lambda _: OPERATOR)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(route), base_url="http://x") as browser:
        assert (await browser.get("/new")).status_code == 404


@pytest.mark.parametrize("path", NEEDS)
def test_who_may_open_what(path: str) -> None:
    """A customer opens what is theirs, an operator everything, a stranger what needs nothing."""
    free = NEEDS[path] == "nothing"
    named = "{tenant}" in path
    assert allowed(path, OPERATOR, "anna" if named else None)
    assert allowed(path, ANNA, "anna" if named else None) == (NEEDS[path] != "operator")
    assert allowed(path, ANNA, "bilal") == free
    assert allowed(path, None, "anna") == free


def test_a_page_about_a_tenant_needs_one() -> None:
    """A row that asks for a tenant, at an address that names none, opens nothing."""
    assert not allowed("/settings/{tenant}", ANNA, None)


async def test_each_customer_sees_their_own_meter(homes: TwoHomes) -> None:
    """Two gateways gave their meter one id; page, name and values are each customer's own."""
    for tenant, own, others in (("anna", ANNAS, BILALS), ("bilal", BILALS, ANNAS)):
        async with homes.of(tenant) as browser:
            html = (await browser.get("/")).text
            assert own[0] in html
            assert own[1] in html
            assert not any(word in html for word in others)
            assert (tenant == "anna") == ("anna" in html.lower())
            assert "/operator" not in html
            assert "/homes" not in html


async def test_a_customers_guesses_find_nothing(homes: TwoHomes) -> None:
    """Sixty and more attempts at every route by the other's ids: the answer is that of an address that never was."""
    event, mine = await homes.alert("bilal"), await homes.alert("anna", NOW - 1000)
    values = {"tenant": "bilal", "alert": event.id, "meter": METER, "channel": BILALS[2], "rule": "overload",
              "action": "acknowledge", "name": "browser-00000000", "token": "x"}  # fmt: skip
    tried = 0
    async with homes.of("anna") as browser:
        nothing = seen(await browser.get("/nothing-here"))
        assert nothing[0] == 404
        for path, need in NEEDS.items():
            for method in ("GET", "POST", "HEAD"):
                for query in ("", "?home=bilal", "?tenant=bilal", "?home=anna&home=bilal"):
                    # A page that names nobody shows Anna's own, whatever else its address says.
                    address = filled(path, **values) + query
                    answer = await _ask(browser, method, address, path)
                    if answer is None:
                        continue
                    assert not any(word in answer.text for word in BILALS), address
                    ids_of_others = "{tenant}" in path or "{alert}" in path or need == "operator"
                    if ids_of_others and need != "nothing" and method != "HEAD":
                        assert seen(answer) == nothing, address
                        tried += 1
        assert (await browser.get(f"/alert/{mine.id}")).status_code == 200
    assert tried >= 60
    bilals = await homes.desk.find("bilal", event.id)
    assert bilals is not None
    assert bilals.acknowledged is None


async def _ask(browser: httpx.AsyncClient, method: str, address: str, path: str) -> httpx.Response | None:
    """Ask for an address; what goes on for ever, or would end the session, is tried elsewhere."""
    if path == "/leave" or (path == "/events" and "home=bilal" not in address):
        return None
    return await browser.request(method, address)


async def test_the_stream_of_anothers_home_is_not_there(homes: TwoHomes) -> None:
    """A customer who asks for another's changes is told that there is nothing."""
    async with homes.of("anna") as browser:
        assert (await browser.get("/events?home=bilal")).status_code == 404


async def test_alerts_with_one_id_stay_apart(homes: TwoHomes) -> None:
    """Raised at one moment at meters of one id, two alerts have one id: each customer reads and answers their own."""
    event = await homes.alert("anna")
    assert (await homes.alert("bilal")).id == event.id
    async with homes.of("anna") as browser:
        sheet = (await browser.get(f"/alert/{event.id}")).text
        assert ANNAS[0] in sheet
        assert not any(word in sheet for word in BILALS)
        assert (await browser.post(f"/alert/{event.id}/acknowledge")).status_code == 303
    annas, bilals = await homes.desk.find("anna", event.id), await homes.desk.find("bilal", event.id)
    assert annas is not None
    assert bilals is not None
    assert annas.acknowledged is not None
    assert bilals.acknowledged is None


async def test_a_link_in_a_message_shows_its_alert_only_to_its_customer(homes: TwoHomes) -> None:
    """Whoever has the link may answer; the sheet below is for eyes that may see it."""
    event = await homes.alert("bilal")
    path = signed("bilal", event.id)
    async with homes.of("anna") as anna, homes.of("bilal") as bilal, homes.browser() as operator:
        assert BILALS[0] not in (await anna.get(path)).text
        assert BILALS[0] in (await bilal.get(path)).text
        assert BILALS[0] in (await operator.get(path)).text


async def test_settings_are_each_customers_own(homes: TwoHomes) -> None:
    """The settings page shows one's own channels and no list of tenants, and changes nobody else's."""
    async with homes.of("anna") as browser:
        html = (await browser.get("/settings")).text
        assert ANNAS[2] in html
        assert "bilal" not in html.lower()
        assert (await browser.post("/settings/bilal/away", data={"away": "on"})).status_code == 404
        assert (await browser.post("/settings/anna/away", data={"away": "on"})).status_code == 303
    assert await homes.desk.away("anna")
    assert not await homes.desk.away("bilal")


async def test_an_operator_chooses_a_home(homes: TwoHomes) -> None:
    """Of several homes an operator opens one; alerts, settings and the way back stay in it."""
    event = await homes.alert("bilal")
    async with homes.browser() as browser:
        first = await browser.get("/")
        assert (first.status_code, first.headers["location"]) == (303, "/homes")
        listed = (await browser.get("/homes")).text
        assert 'value="anna"' in listed
        assert 'value="bilal"' in listed
        home = (await browser.get("/?home=bilal")).text
        assert BILALS[0] in home
        assert ANNAS[0] not in home
        assert 'data-home="bilal"' in home
        assert f'href="/alert/{event.id}?home=bilal"' in home
        assert 'href="/settings/bilal"' in home
        called = await browser.get(f"/alert/{event.id}")
        assert called.headers["location"] == f"/alert/{event.id}?home=bilal"
        sheet = (await browser.get(called.headers["location"])).text
        assert f'action="/alert/{event.id}/normal?back=alert&amp;home=bilal"' in sheet
        assert 'href="?lang=ar&amp;home=bilal"' in sheet
        assert 'href="/?home=bilal"' in (await browser.get("/settings/bilal")).text
        answered = await browser.post(f"/alert/{event.id}/mute?home=bilal")
        assert answered.headers["location"] == "/?home=bilal"
        assert (await browser.get("/operator")).status_code == 200


async def test_one_home_alone_stays_as_simple_as_ever(tmp_path: Path) -> None:
    """Where there is one home nothing is chosen: no list, no name, no longer address."""
    async with whole_site(tmp_path) as whole:
        whole.let_in()
        for path in ("/", "/settings", "/operator", f"/alert/{ALERT}"):
            html = (await whole.browser.get(path)).text
            assert "home=" not in html.replace('data-home="', "").replace('"home=', "")
            assert "/homes" not in html
            assert 'href="/operator"' in html


async def test_one_customers_pages_leave_places_to_others() -> None:
    """Whoever opens their page on too many devices hears so; another customer does not notice."""
    feed = Feed(lambda *_: _Nothing(), lambda: NOW)  # type: ignore[arg-type]
    listening = [feed.listen("en", ANNA, lambda: True) for _ in range(A_HOME)]
    for listener in listening:
        await anext(listener)
    assert feed.full(ANNA)
    assert not feed.full(Visitor("customer", "bilal"))
    assert not feed.full(OPERATOR)
    await listening[0].aclose()  # type: ignore[attr-defined]
    assert not feed.full(ANNA)


class _Nothing:
    """A screen with nothing on it."""

    def parts(self, *, anew: bool) -> dict[str, str]:  # noqa: ARG002  there is nothing to render
        """Show nothing."""
        return {}
