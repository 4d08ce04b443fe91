"""A real browser, Debian's Chromium driven by Playwright, and the site it looks at.

Playwright's own loop runs in this thread as long as its browser does, so the tests of this folder are plain functions,
and each of its files has a browser of its own, which is gone before tests elsewhere need a loop.
"""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from gateway.notify.links import Action, Link
from tests.conftest import skip_or_fail
from tests.support import exhibit
from tests.support.desk import arrive
from tests.support.site import Site

AXE = "axe-core@4.14.1"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""Of axe.min.js. It is MPL-2.0, used by these tests alone: fetched when they run, never shipped."""
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a headless Chromium."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        skip_or_fail("no Chromium (apt install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def site() -> Iterator[Site]:
    """Give a site without meters, on this moment's time."""
    with Site() as served:
        yield served


@pytest.fixture
def home() -> Iterator[Site]:
    """Give the site of a furnished home whose time stands still."""
    with Site(lambda: exhibit.NOW, exhibit.ZONE) as served:
        exhibit.furnish(served)
        yield served


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Site]:
    """Give the site of a furnished home with a hub database: alerts were answered, somebody waits for a call."""
    with Site(lambda: exhibit.NOW, exhibit.ZONE, tmp_path) as served:
        exhibit.furnish(served)
        high, leak = exhibit.high(), exhibit.leak()
        served.run(arrive(served.desk, served.database, leak, high))
        said: list[tuple[Action, str]] = [("normal", high.id), ("call_me", high.id), ("not_useful", leak.id)]
        for action, alert in said:
            served.run(served.desk.telling.act(Link(action, "home", alert, "phone", 10**10), exhibit.NOW))
        yield served


@pytest.fixture
def look(browser: Browser) -> Iterator[Open]:
    """Give a callable that opens a site's page in a browser of its own, let in: `look(site, 390, "ar")`.

    Whatever the page complains of, errors of scripts and of its policy alike, fails the test at its end.
    """
    contexts, complaints = [], []

    def open_page(
        site: Site,
        width: int = 390,
        language: str = "en",
        *,
        let_in: bool = True,
        dark: bool = False,
        script: bool = True,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            locale=language,
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        contexts.append(context)
        if let_in:
            context.add_cookies([site.cookie()])  # type: ignore[list-item]
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.goto(f"{site.url}?lang={language}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A page that refuses is an error to the console too, and meant.
    assert [said for said in complaints if not said.startswith("Failed to load resource")] == []


@pytest.fixture(scope="module")
def axe() -> str:
    """Give the text of axe-core, from the cache or else from the npm registry."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nabd-tests"
    kept = cache / f"{AXE}.min.js"
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            skip_or_fail("axe-core is fetched by npm, which is not here (apt install npm)")
        with tempfile.TemporaryDirectory() as folder:
            fetched = subprocess.run([str(npm), "pack", "--silent", AXE], cwd=folder, check=False, timeout=120)
            if fetched.returncode:
                skip_or_fail(f"npm could not fetch {AXE}")
            packed = next(Path(folder).glob("*.tgz")).read_bytes()
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            cache.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(member.read())
    text = kept.read_bytes()
    assert hashlib.sha256(text).hexdigest() == AXE_SHA256, f"{kept} is not the {AXE} we know"
    return text.decode()
