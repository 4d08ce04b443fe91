# ruff: noqa: INP001  a tool of the documentation, not a package
"""Take the pictures of docs/images with a headless Chromium: `./run screenshots`.

The pages run here on a home that stands still, so a picture changes only when the page does.
"""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.support import exhibit
from tests.support.site import Site

IMAGES = Path(__file__).parent / "images"


@dataclass(frozen=True)
class Picture:
    """One file: whose home in which language, how wide and high in CSS pixels, light or dark, which page."""

    name: str
    language: str
    width: int
    height: int
    dark: bool = False
    home: bool = True
    path: str = ""


PICTURES = [
    Picture("page", "en", 1280, 1490),
    Picture("page-ar", "ar", 1280, 1490),
    Picture("page-phone", "en", 390, 1000),
    Picture("page-phone-ar-dark", "ar", 390, 1000, dark=True),
    Picture("page-empty", "en", 1280, 420, home=False),
    Picture("page-enter", "en", 390, 420, home=False, path="enter/once"),
]


def take(browser: Browser, picture: Picture, into: Path) -> None:
    """Let the browser draw one page into one file."""
    with Site(lambda: exhibit.NOW, exhibit.ZONE) as site:
        if picture.home:
            exhibit.furnish(site, picture.language)
        context = browser.new_context(
            viewport={"width": picture.width, "height": picture.height},
            device_scale_factor=2,
            color_scheme="dark" if picture.dark else "light",
            java_script_enabled=False,  # ages would tick away from the moment that stands still
        )
        context.add_cookies([site.cookie()])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{site.url}{picture.path}?lang={picture.language}")
        page.screenshot(path=into / f"{picture.name}.png")
        context.close()


def main(into: Path, pictures: Sequence[Picture]) -> int:
    """Take every picture."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.stderr.write("No Chromium on the path: sudo apt-get install chromium fonts-noto-core\n")
        return 2
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for picture in pictures:
            take(browser, picture, into)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(IMAGES, PICTURES))
