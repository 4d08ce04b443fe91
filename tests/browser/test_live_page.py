"""The live page in a real browser, on a phone and on a desk, in both languages."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gateway.live import LiveMeter
from gateway.notify.links import Link
from gateway.web import feed
from tests.support import exhibit
from tests.support.site import KEY, Site

Open = Callable[..., Page]
SIZES = [390, 1280]
LANGUAGES = ["en", "ar"]
SOON = 10_000
"""Milliseconds a busy machine may take; how long it takes on a quiet one is a figure of `./run bench page`."""


def garden(site: Site, litres_an_hour: float = 60.0) -> LiveMeter:
    """Make a water meter that was just read."""
    return LiveMeter("gw_w", "Garden", "water", "M", 1.0, site.now(), 0, {"water_flow_l_h": litres_an_hour})


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_values_change_before_ones_eyes(site: Site, look: Open, width: int, language: str) -> None:
    """A new reading is on the page soon, without loading it again."""
    site.know(garden(site))
    page = look(site, width, language)
    value = page.locator("#m-gw_w .main .value bdi")
    expect(value).to_have_text("1.0")
    page.evaluate("window.same = true")
    for flow in (120, 180, 240):
        site.read("gw_w", {"water_flow_l_h": flow})
        expect(value).to_have_text(f"{flow / 60:.1f}", timeout=SOON)
    assert page.evaluate("window.same")


def test_ages_tick_by_themselves(site: Site, look: Open) -> None:
    """Between readings the page counts the seconds, and says when a value became old."""
    meter = garden(site)
    meter.ts -= 27_000
    site.know(meter)
    page = look(site)
    age = page.locator("#m-gw_w time")
    seen = set()
    for _ in range(12):
        seen.add(age.inner_text())
        page.wait_for_timeout(250)
    assert len(seen) >= 3
    assert all(text.endswith("seconds ago") for text in seen)
    expect(page.locator("#m-gw_w .card.late .age")).to_contain_text("Late: last reading", timeout=4000)
    expect(page.locator("#summary")).to_contain_text("1 meter is behind")


@pytest.mark.parametrize("language", LANGUAGES)
def test_ages_are_worded_alike_by_server_and_browser(home: Site, look: Open, language: str) -> None:
    """What the browser makes of an age is what a reader without script sees."""
    plain, alive = look(home, language=language, script=False), look(home, language=language)
    alive.wait_for_timeout(300)
    for meter in ("home_pump", "home_gas"):
        shown = [page.locator(f"#m-{meter} time").inner_text() for page in (plain, alive)]
        assert shown[0] == shown[1]


def test_arabic_runs_from_right_to_left(home: Site, look: Open) -> None:
    """The first thing stands at the right, numbers keep their order, and nothing hangs over the edge."""
    for width in SIZES:
        page = look(home, width, "ar")
        assert page.evaluate("getComputedStyle(document.body).direction") == "rtl"
        brand, languages = page.locator(".brand").bounding_box(), page.locator("nav").bounding_box()
        assert brand is not None
        assert languages is not None
        assert brand["x"] > languages["x"]
        assert page.locator("#m-home_main dd bdi").nth(1).inner_text() == "2,214.0"


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_hangs_over_the_edge(home: Site, look: Open, language: str) -> None:
    """No page scrolls sideways, also on the smallest phone."""
    page = look(home, language=language)
    for path in ("", "enter/x", "answer/x"):
        page.goto(home.url + path)
        for width in (320, *SIZES):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)


def test_the_language_once_chosen_stays(home: Site, look: Open) -> None:
    """Forms and links bring the reader back in the chosen language."""
    page = look(home)
    page.click("nav a")
    page.goto(home.url)
    assert page.locator("html").get_attribute("lang") == "ar"


def test_a_one_time_link_works_once(site: Site, look: Open) -> None:
    """The first browser gets in by it and stays in; the second does not."""
    site.know(garden(site))
    link = site.link()
    page = look(site, let_in=False)
    assert page.locator("#m-gw_w").count() == 0
    page.goto(link)
    page.click("main button")
    expect(page.locator("#m-gw_w h3")).to_have_text("Garden")
    page.reload()
    expect(page.locator("#m-gw_w h3")).to_have_text("Garden")
    second = look(site, let_in=False)
    second.goto(link)
    with second.expect_response(lambda answer: answer.request.method == "POST") as refused:
        second.click("main button")
    assert refused.value.status == 403


def test_signing_out_closes_the_page(site: Site, look: Open) -> None:
    """After the button the meters are gone from this device."""
    site.know(garden(site))
    page = look(site)
    page.click(".foot button")
    expect(page.locator("h1")).to_have_text("This page is closed")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_alert_appears_is_answered_and_ends(site: Site, look: Open, language: str) -> None:
    """From raised to over on an open page; the answer reaches the outbox."""
    site.know(LiveMeter("home_main", "House", "electricity", "M", 1.0, site.now(), 0, {"power_w": 1.0}))
    page = look(site, language=language)
    expect(page.locator(".alert")).to_have_count(0)
    event = exhibit.overload()
    site.do(site.alerts.take, "home", event)
    expect(page.locator(".alert h3")).to_contain_text("House", timeout=SOON)
    expect(page.locator(".alert .course")).to_be_visible()
    page.click(".alert .answers button >> nth=0")
    expect(page.locator(".answered")).to_be_visible()
    assert [(link.action, link.alert) for link in site.answers.links] == [("acknowledge", event.id)]
    cleared = {**event.to_dict(), "seq": 2, "state": "cleared", "cleared": event.at + 1, "at": site.now()}
    site.do(site.alerts.take, "home", _parsed(cleared))
    expect(page.locator(".over")).to_have_count(1, timeout=SOON)


def test_a_link_in_a_message_acts_by_its_button(site: Site, look: Open) -> None:
    """Opening shows, the button acts; no session is needed."""
    page = look(site, let_in=False)
    page.goto(f"{site.url}answer/{Link('mute', 'home', '0' * 16, 'mail', 10**10).sign(KEY)}")
    assert site.answers.links == []
    page.click("main button")
    expect(page.locator("h1")).to_have_text("Thank you")
    assert [link.action for link in site.answers.links] == ["mute"]


def test_without_script_the_page_still_lives(site: Site, look: Open) -> None:
    """The browser asks again every few seconds."""
    site.know(garden(site))
    page = look(site, script=False)
    expect(page.locator("#m-gw_w .main .value bdi")).to_have_text("1.0")
    site.read("gw_w", {"water_flow_l_h": 600})
    expect(page.locator("#m-gw_w .main .value bdi")).to_have_text("10.0", timeout=9000)


def test_a_lost_connection_is_told_and_mended(site: Site, look: Open) -> None:
    """Away from the network the page says that it is old; back in it, it goes on."""
    site.know(garden(site))
    page = look(site)
    expect(page.locator("#lost")).to_be_hidden()
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    page.evaluate("listen()")
    expect(page.locator("#lost")).to_be_visible(timeout=5000)
    page.context.set_offline(False)
    site.read("gw_w", {"water_flow_l_h": 600})
    expect(page.locator("#m-gw_w .main .value bdi")).to_have_text("10.0", timeout=15_000)
    expect(page.locator("#lost")).to_be_hidden()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_without_a_place_renews_itself(
    site: Site, look: Open, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where too many listen the page says so and still follows, now and then; a place that becomes free it takes."""
    site.know(garden(site))
    with monkeypatch.context() as crowded:
        crowded.setattr(feed, "AGAIN", 0.5)
        crowded.setattr(feed.Feed, "full", lambda *_: True)
        page = look(site, 390, language)
        page.evaluate("window.same = true")
        expect(page.locator("#full")).to_be_visible()
        site.read("gw_w", {"water_flow_l_h": 600})
        expect(page.locator("#m-gw_w .main .value bdi")).to_have_text("10.0", timeout=SOON)
        expect(page.locator("#full")).to_be_visible()
        expect(page.locator("#lost")).to_be_hidden()
    expect(page.locator("#full")).to_be_hidden(timeout=SOON)
    site.read("gw_w", {"water_flow_l_h": 660})
    expect(page.locator("#m-gw_w .main .value bdi")).to_have_text("11.0", timeout=SOON)
    assert page.evaluate("window.same")


def test_a_sleeping_device_catches_up(site: Site, look: Open) -> None:
    """A line that died while the device slept is opened anew once it is found silent."""
    site.know(garden(site))
    page = look(site)
    page.wait_for_timeout(500)
    page.evaluate("source.close(); heard = Date.now() - 60_000")
    site.read("gw_w", {"water_flow_l_h": 600})
    expect(page.locator("#m-gw_w .main .value bdi")).to_have_text("10.0", timeout=4000)


def test_several_readers_see_the_same(site: Site, look: Open) -> None:
    """Three open pages all show a reading."""
    site.know(garden(site))
    pages = [look(site) for _ in range(3)]
    site.read("gw_w", {"water_flow_l_h": 600})
    for page in pages:
        expect(page.locator("#m-gw_w .main .value bdi")).to_have_text("10.0", timeout=SOON)


def _parsed(row: dict[str, Any]) -> Any:
    from gateway.alerts.event import parse

    return parse(row)
