"""The live page in a real browser: how soon a reading is seen, how soon anything is, how much is fetched.

A reading is timed from the moment the page's source has it to the moment the number stands in the browser's document.
"""

import shutil
import statistics
import time

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.rig import Figure
from tests.support import exhibit
from tests.support.site import Site

READINGS = 20
PAINTS = 5
SEEN_TARGET, PAINT_TARGET, SIZE_TARGET = 2.0, 1.5, 60.0


def quick() -> list[Figure]:
    """Measure with few readings."""
    return measure(5, 2)


def full() -> list[Figure]:
    """Measure in full."""
    return measure(READINGS, PAINTS)


def measure(readings: int, paints: int) -> list[Figure]:
    """Open the page in a headless Chromium and give its figures."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        return [Figure("the page in a browser", "no Chromium here", "a Chromium", reached=False)]
    with sync_playwright() as playwright, Site() as site:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        exhibit.furnish(site)
        seen = _seen(_open(browser, site), site, readings)
        painted = [_painted(_open(browser, site)) for _ in range(paints)]
        size = _size(_open(browser, site))
        browser.close()
    return [
        Figure(
            "page: a reading is seen, median and most",
            f"{statistics.median(seen):.2f} s, {max(seen):.2f} s",
            f"<= {SEEN_TARGET:g} s",
            max(seen) <= SEEN_TARGET,
        ),
        Figure(
            "page: first paint of an empty browser, most",
            f"{max(painted):.2f} s",
            f"< {PAINT_TARGET:g} s",
            max(painted) < PAINT_TARGET,
        ),
        Figure(
            "page: everything fetched, not even compressed",
            f"{size:.1f} kB",
            f"<= {SIZE_TARGET:g} kB",
            size <= SIZE_TARGET,
        ),
    ]


def _open(browser: Browser, site: Site) -> Page:
    context = browser.new_context(viewport={"width": 390, "height": 900})
    context.add_cookies([site.cookie()])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(site.url)
    return page


def _seen(page: Page, site: Site, readings: int) -> list[float]:
    value = page.locator("#m-home_main .main .value bdi")
    page.wait_for_timeout(1000)
    took = []
    for n in range(readings):
        power = 100 + n
        begun = time.monotonic()
        site.read("home_main", {"power_w": power})
        while value.inner_text() != str(power):
            assert time.monotonic() - begun < 10, "the page does not follow"
        took.append(time.monotonic() - begun)
        page.wait_for_timeout(37 * (n % 10))  # so that readings meet the page's ticks at all points
    return took


def _painted(page: Page) -> float:
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    return float(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")) / 1000


def _size(page: Page) -> float:
    """Weigh what the page is made of, in kB; nothing is compressed on its way."""
    page.reload()
    names = ["/", *page.evaluate("performance.getEntriesByType('resource').map(e => new URL(e.name).pathname)")]
    parts = [page.request.get(page.url.rstrip("/") + name).body() for name in names if name != "/events"]
    return sum(map(len, parts)) / 1000
