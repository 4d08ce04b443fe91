"""Every page, in both languages, at both sizes, light and dark, is looked over by axe-core."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from gateway.notify.links import Link
from tests.support import exhibit
from tests.support.site import KEY, Site

Open = Callable[..., Page]
GRAVE = ("serious", "critical")


def findings(page: Page, axe: str) -> list[str]:
    """Let axe-core look at a page and list what is grave."""
    # The page's policy forbids foreign script, so it comes by the debugger and not by an element.
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_live_page_has_no_serious_fault(home: Site, look: Open, axe: str, width: int, language: str) -> None:
    """Contrast, names, roles, order of headings, languages: what keeps people out is not there, by day and by night."""
    page = look(home, width, language)
    page.locator(".over summary").click()
    grave = findings(page, axe)
    page.emulate_media(color_scheme="dark")
    assert grave + findings(page, axe) == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_other_pages_have_no_serious_fault(home: Site, look: Open, axe: str, language: str) -> None:
    """The way in, the answer to a message, the refusals."""
    page = look(home, language=language, let_in=False)
    grave = findings(page, axe)
    token = Link("mute", "home", "0" * 16, "mail", 10**10).sign(KEY)
    for path in ("enter/x", f"answer/{token}", "answer/x"):
        page.goto(f"{home.url}{path}")
        grave += findings(page, axe)
    assert grave == []


@pytest.mark.parametrize(("language", "dark"), [("en", False), ("ar", True)])
def test_the_pages_to_choose_on_have_no_serious_fault(
    family: Site, look: Open, axe: str, language: str, *, dark: bool
) -> None:
    """Settings with everything on them and with a mistake, an alert of its own, the operator's list."""
    page = look(family, language=language, dark=dark)
    grave = []
    for path in ("settings", f"alert/{exhibit.high().id}", "operator"):
        page.goto(f"{family.url}{path}")
        grave += findings(page, axe)
        for width in (320, 1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
    page.goto(f"{family.url}settings")
    page.fill("#goal-home_water", "many")
    page.locator("form[action$=goals] button").click()
    assert page.locator(".wrong .error").count() == 1
    assert grave + findings(page, axe) == []


def test_everything_is_reached_by_keyboard(home: Site, look: Open) -> None:
    """Tab goes through language, answers and signing out, and shows where it is."""
    page = look(home, 1280)
    page.wait_for_timeout(300)
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert {"العربية", "I have seen it", "Mute for a week", "Sign this device out"} <= set(reached)
