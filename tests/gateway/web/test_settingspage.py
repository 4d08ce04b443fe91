"""The settings page: every choice is kept, mistakes are said at their field, and nothing is changed by them."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path

import httpx
import pytest

from gateway.alerts.event import AlertEvent, alert_id
from gateway.desk import Desk
from gateway.hubdb import HubDatabase
from gateway.live import LiveBook
from gateway.message import MeterInfo
from gateway.notify.links import Action, Link
from gateway.web.access import Access
from gateway.web.page import app
from gateway.web.screen import Sources
from tests.support.desk import arrive, open_desk

NOW = 1_795_219_210_000
HERE = "http://nabd.test"
CHOSEN = {"quiet_from": "21:00", "quiet_to": "06:30", "fasting_from": "", "fasting_to": ""}
SUBSCRIPTION = (
    '{"endpoint":"https://updates.push.services.mozilla.com/wpush/v2/abc","keys":{"p256dh":'
    '"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",'
    '"auth":"BTBZMqHH6r4Tts7J_aSIgg"}}'
)
"""With the keys of RFC 8291's example."""


@dataclass
class Site:
    """A site over a real hub database, and a browser that was let in; `woken` counts wakings."""

    desk: Desk
    database: HubDatabase
    browser: httpx.AsyncClient
    woken: list[int] = field(default_factory=list)

    async def show(self, path: str = "/settings") -> str:
        """Give a page."""
        shown = await self.browser.get(path)
        assert shown.status_code == 200
        return shown.text

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of one of our pages."""
        return await self.browser.post(path, data=fields, headers={"origin": HERE})

    async def answer(self, event: AlertEvent, *actions: Action) -> None:
        """Let an alert come in and be answered by a message's links."""
        await arrive(self.desk, self.database, event)
        for action in actions:
            await self.desk.telling.act(Link(action, "home", event.id, "phone", 10**10), NOW)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Give a site."""
    woken: list[int] = []
    async with open_desk(tmp_path, lambda: NOW, wake=lambda: woken.append(1)) as (desk, database):
        access = Access(None, stay=3600, now=lambda: NOW)
        page = app(Sources(LiveBook(), lambda: NOW), access, names={"nabd.test"}, answers=desk.telling, desk=desk)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url=HERE) as browser:
            browser.cookies.set("nabd", access.enter(access.link(), "") or "")
            yield Site(desk, database, browser, woken)


def alert(rule: str = "high_usage", meter: str = "home_main") -> AlertEvent:
    """Make an open alert."""
    return AlertEvent(
        id=alert_id(rule, meter, NOW), seq=1, rule=rule, meter=meter, state="raised", severity="warning",
        raised=NOW, at=NOW, value=4000.0, baseline=1500.0, unit="Wh", quantity="energy_import_wh",
    )  # fmt: skip


async def test_every_channel_and_kind_can_be_chosen(site: Site) -> None:
    """The page shows what is in force, keeps what is chosen, and shows that."""
    html = await site.show()
    assert html.count("<select") == 2 * 6
    assert re.search(r'<option value="weekly" selected>In the weekly digest', html)  # mail's cost, by the file
    chosen = {"safety": "now", "leak": "bundled", "usage": "daily", "cost": "weekly", "operator": "off", **CHOSEN}
    sent = await site.send("/settings/home/channel/phone", **chosen, digest="daily")
    assert (sent.status_code, sent.headers["location"]) == (303, "/settings/home?saved=phone")
    phone = (await site.desk.contacts("home"))[0]
    assert dict(phone.frequency) == {
        "safety": "now", "leak": "bundled", "usage": "daily", "cost": "weekly", "operator": "off", "digest": "daily"
    }  # fmt: skip
    assert (phone.quiet, phone.fasting) == ((time(21), time(6, 30)), None)
    html = await site.show(sent.headers["location"])
    assert "Saved." in html
    assert 'value="21:00"' in html
    assert '<option value="off" selected>Never' in html


async def test_a_channel_goes_back_to_how_it_was_set_up(site: Site) -> None:
    """What was chosen is gone, what the file says holds."""
    before = await site.desk.contacts("home")
    await site.send("/settings/home/channel/mail", cost="off", **CHOSEN)
    assert await site.desk.contacts("home") != before
    assert (await site.send("/settings/home/as-set-up/mail")).status_code == 303
    assert await site.desk.contacts("home") == before


async def test_what_is_critical_cannot_be_off_everywhere(site: Site) -> None:
    """One channel may be silent, the last one not; it is said at the field, and what was chosen still stands there."""
    assert (await site.send("/settings/home/channel/mail", safety="off", **CHOSEN)).status_code == 303
    refused = await site.send("/settings/home/channel/phone", safety="off", usage="daily", **CHOSEN)
    assert refused.status_code == 422
    assert re.search(r'<select id="phone-safety"[^>]*aria-invalid="true"', refused.text)
    assert 'id="phone-safety-error">Somebody must hear of what is critical' in refused.text
    assert '<option value="daily" selected>' in refused.text
    assert (await site.desk.contacts("home"))[0].frequency == {}
    assert 'href="/settings/home?lang=ar"' in refused.text  # the form's own address shows nothing


@pytest.mark.parametrize(
    ("begins", "ends"), [("22:00", ""), ("", "07:00"), ("22:00", "22:00"), ("25:00", "07:00"), ("<b>", "07:00")]
)
@pytest.mark.parametrize("span", ["quiet", "fasting"])
async def test_hours_that_are_none_are_said_at_their_field(site: Site, span: str, begins: str, ends: str) -> None:
    """Half a span, an empty one and rubbish change nothing."""
    before = await site.desk.contacts("home")
    hours = {**CHOSEN, f"{span}_from": begins, f"{span}_to": ends}
    refused = await site.send("/settings/home/channel/phone", **hours)
    assert refused.status_code == 422
    assert refused.text.count('class="error" id="phone-') == 1
    assert f'id="phone-{span}-error"' in refused.text
    assert "<b>" not in refused.text
    assert await site.desk.contacts("home") == before


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/settings/stranger/away", {"away": "on"}),
        ("/settings/home/away", {"away": "maybe"}),
        ("/settings/home/channel/nobody", CHOSEN),
        ("/settings/home/channel/phone", {"safety": "often"}),
        ("/settings/home/channel/phone", {"digest": "now"}),
        ("/settings/home/channel/phone", {"x": "y" * 9000}),
        ("/settings/home/channel/phone", {f"x{n}": "1" for n in range(100)}),
        ("/settings/home/as-set-up/nobody", {}),
        ("/settings/home/reset/home_main/high_usage", {}),
        ("/settings/home/browser", {"subscription": "{}"}),
        ("/settings/home/browser/browser-00000000/remove", {}),
        ("/operator/called/home/0000000000000000", {}),
    ],
)
async def test_what_no_page_of_ours_sends_finds_nothing(site: Site, path: str, fields: dict[str, str]) -> None:
    """Strangers' names and choices are answered like an address that is none."""
    assert (await site.send(path, **fields)).status_code == 404
    assert (await site.browser.get("/settings/stranger")).status_code == 404
    assert not await site.desk.away("home")


async def test_forms_of_other_pages_change_nothing(site: Site) -> None:
    """Each form asks where it comes from, as all of ours do."""
    for path in ("away", "channel/phone", "as-set-up/phone", "goals", "browser", "reset/home_main/high_usage"):
        sent = await site.browser.post(f"/settings/home/{path}", headers={"origin": "http://evil.test"})
        assert sent.status_code == 403
    site.browser.cookies.clear()
    assert (await site.send("/settings/home/away", away="on")).status_code == 401
    assert not await site.desk.away("home")


async def test_away_is_one_switch(site: Site) -> None:
    """On and off again; gateways are told at once."""
    assert 'value="on">We are away' in await site.show()
    await site.send("/settings/home/away", away="on")
    assert await site.desk.away("home")
    assert 'value="off">We are back' in await site.show()
    await site.send("/settings/home/away", away="off")
    assert not await site.desk.away("home")
    assert len(site.woken) == 2


async def test_what_answers_moved_is_shown_and_taken_back(site: Site) -> None:
    """The rule and the meter by name, by how much, the hours that are known; then as in the beginning."""
    await site.answer(alert(), "normal")
    html = await site.show()
    assert "More power than usual: <bdi>House</bdi>" in html
    assert 'Asks for <bdi dir="ltr">25</bdi> % more than in the beginning.' in html
    assert '<dt>Saturday</dt><dd><bdi dir="ltr">03:00</bdi></dd>' in html
    assert (await site.send("/settings/home/reset/home_main/high_usage")).status_code == 303
    assert await site.desk.tuned("home") == []
    assert "Nothing yet" in await site.show()
    assert site.woken


async def test_a_goal_is_set_and_taken_away(site: Site) -> None:
    """In the unit people read; what is no number is said at its field and keeps the others from being set."""
    page = await site.show()
    assert "<bdi>House</bdi>, in kWh" in page
    assert "<bdi>Garden and house</bdi>, in m³" in page
    for wrong in ("-1", "0", "many", "nan", "inf", "1e99"):
        refused = await site.send("/settings/home/goals", home_main="80", home_water=wrong)
        assert refused.status_code == 422
        assert 'id="goal-home_water-error"' in refused.text
        assert await site.desk.goals("home") == {}
    await site.send("/settings/home/goals", home_main="80,5", home_water="3")
    assert await site.desk.goals("home") == {"home_main": 80_500.0, "home_water": 3000.0}
    assert 'value="80.5"' in await site.show()
    await site.send("/settings/home/goals", home_main="", home_water="3")
    assert await site.desk.goals("home") == {"home_water": 3000.0}


async def test_a_browser_is_told_until_it_is_removed(site: Site) -> None:
    """It is a channel from then on, after the others; removing it ends that, and subscribing twice is once."""
    key = re.search(r'data-key="([\w-]{87})"', await site.show())
    assert key is not None
    for _ in range(2):
        sent = await site.send("/settings/home/browser", subscription=SUBSCRIPTION)
        assert sent.status_code == 303
    names = [contact.channel for contact in await site.desk.contacts("home")]
    assert names[:3] == ["phone", "mail", "neighbour"]
    assert len(names) == 4
    page = await site.show()
    assert page.count("<select") == 2 * 6  # a browser is removed rather than tuned
    assert key[0] in page
    assert (await site.send(f"/settings/home/browser/{names[3]}/remove")).status_code == 303
    assert len(await site.desk.contacts("home")) == 3


@pytest.mark.parametrize(
    "endpoint", ["https://10.0.0.1/x", "http://fcm.googleapis.com/x", "https://evil-push.apple.com.evil.test/x"]
)
async def test_nobody_makes_the_hub_call_another_address(site: Site, endpoint: str) -> None:
    """Only the browsers' own push services are taken."""
    forged = SUBSCRIPTION.replace("https://updates.push.services.mozilla.com/wpush/v2/abc", endpoint)
    assert (await site.send("/settings/home/browser", subscription=forged)).status_code == 404
    assert await site.desk.browsers("home") == []


async def test_the_operator_sees_who_waits_for_a_call(site: Site) -> None:
    """The alert in words and a way to it; after the call it is gone."""
    event = alert()
    assert "Nobody." in await site.show("/operator")
    await site.answer(event, "call_me")
    assert f'href="/alert/{event.id}">More power than usual: <bdi>House</bdi>' in await site.show("/operator")
    assert (await site.send(f"/operator/called/home/{event.id}")).status_code == 303
    assert "Nobody." in await site.show("/operator")


async def test_the_operator_sees_what_is_wrong(tmp_path: Path) -> None:
    """Faults as the log has them, escaped; the days a certificate has left."""
    async with open_desk(tmp_path, lambda: NOW) as (plain, _):
        faults: dict[str, Callable[[], str]] = {"tariffs": lambda: "<b>out of date", "broker": lambda: ""}
        held = {"until": "2027-01-01T00:00:00+00:00", "days_left": 41}
        desk = Desk(plain.telling, plain.database, plain.zone, plain.now, faults=faults, certificate=lambda: held)
        access = Access(None, stay=3600, now=lambda: NOW)
        page = app(Sources(LiveBook(), lambda: NOW), access, names={"nabd.test"}, desk=desk)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url=HERE) as browser:
            browser.cookies.set("nabd", access.enter(access.link(), "") or "")
            html = (await browser.get("/operator")).text
    assert "<dt>tariffs</dt><dd>&lt;b&gt;out of date</dd>" in html
    assert "broker" not in html
    assert "2027-01-01" in html
    assert '<bdi dir="ltr">41</bdi> days are left.' in html


async def test_an_alert_tells_its_story(site: Site) -> None:
    """What it rests on, what was done, and the answers that are still to give; over a restart too."""
    event = alert()
    await site.answer(event, "normal")
    html = await site.show(f"/alert/{event.id}")
    assert "More power than usual: \u2068House\u2069" in html
    for said in ("<dt>Measured</dt>", "<dt>Held against</dt>", "said to be normal, by"):
        assert said in html
    assert f'action="/alert/{event.id}/normal' not in html
    sent = await site.send(f"/alert/{event.id}/fixed?back=alert")
    assert (sent.status_code, sent.headers["location"]) == (303, f"/alert/{event.id}")
    assert "said to be fixed, by this page" in await site.show(f"/alert/{event.id}")
    assert (await site.browser.get("/alert/0000000000000000")).status_code == 404


async def test_what_meters_are_called_stays_text(site: Site) -> None:
    """A name from a topic is escaped wherever it stands, in text and in attributes."""
    evil = "<script>alert(1)</script>\"'>{{7*7}}"
    info = MeterInfo(id="home_main", name=evil, commodity="electricity", model="m", every=900, quantities={})
    await site.database.enrol("home", "gw", [info])
    await site.answer(alert(), "normal", "call_me")
    for path in ("/settings", "/operator", f"/alert/{alert().id}"):
        html = await site.show(path)
        assert "&lt;script&gt;" in html
        assert "<script>" not in html
        assert "49" not in re.sub(r'data-key="[^"]*"', "", html)
    refused = await site.send("/settings/home/goals", home_main=evil)
    assert "&lt;script&gt;" in refused.text
    assert "<script>" not in refused.text


@pytest.mark.parametrize("path", ["/settings", "/operator"])
async def test_the_pages_speak_arabic(site: Site, path: str) -> None:
    """From right to left, and no English word of ours is left."""
    await site.answer(alert(), "normal", "call_me")
    html = await site.show(f"{path}?lang=ar")
    assert '<html lang="ar" dir="rtl">' in html
    main = html[html.index("<main>") :].replace("https", "")
    main = re.sub("<bdi>.*?</bdi>|<[^>]*>|\u2068[^\u2069]*\u2069", " ", main)
    assert re.findall(r"[A-Za-z]{2,}", main) == []


async def test_away_until_a_day(site: Site) -> None:
    """It stands on the page in both languages, can be put off, and ends with the switch."""
    sent = await site.send("/settings/home/away", away="on", until="2026-12-03")
    assert sent.status_code == 303
    assert await site.desk.away("home")
    assert await site.desk.away_until("home") == 1_796_245_200_000  # midnight in Riyadh
    html = re.sub(r"</?bdi[^>]*>", "", await site.show())
    assert "Nobody is at home until 3 December 2026." in html
    assert 'value="2026-12-03" min="2026-11-22" max="2027-11-22"' in html
    assert "حتى 3 ديسمبر 2026" in re.sub(r"</?bdi[^>]*>", "", await site.show("/settings?lang=ar"))
    await site.send("/settings/home/away", away="on", until="2026-12-05")
    assert await site.desk.away_until("home") == 1_796_245_200_000 + 2 * 86_400_000
    await site.send("/settings/home/away", away="off")
    assert (await site.desk.away("home"), await site.desk.away_until("home")) == (False, None)


@pytest.mark.parametrize("day", ["2026-11-21", "2020-01-01", "2027-12-31", "soon", "2026-13-01", "<b>", "9" * 5000])
async def test_a_day_that_is_none_is_said_at_its_field(site: Site, day: str) -> None:
    """Today, the past, the far future and rubbish change nothing."""
    refused = await site.send("/settings/home/away", away="on", until=day)
    assert refused.status_code == 422
    assert 'id="away-until-error">Name a day from tomorrow on' in refused.text
    assert "<b>" not in refused.text
    assert not await site.desk.away("home")
