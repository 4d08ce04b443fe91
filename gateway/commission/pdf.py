"""Prints the page as PDF by a browser that is installed, and does without where none is.

Of the ways there are, this is the one with one layout: a browser shapes Arabic, mixes directions and breaks pages as it
does on the screen, and brings its fonts. Libraries that write PDF themselves want a second layout, a font to ship, and
a shaping engine (fpdf2 with HarfBuzz, LGPL), or forty packages of the system (WeasyPrint). The page prints as well from
any browser by hand, so nothing is lost without one.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
"""All of one family, which prints without a window."""
PATIENCE = 60.0
"""Seconds for one page: a Raspberry Pi takes ten."""


async def print_pdf(page: Path, pdf: Path, find: Callable[[str], str | None] = shutil.which) -> str:
    """Print a page; gives "" when it is there, else why not."""
    browser = next((found for name in BROWSERS if (found := find(name))), None)
    if browser is None:
        return "no Chromium is installed"
    with tempfile.TemporaryDirectory(prefix="nabd-pdf-") as profile:
        # A browser may not shut root in its sandbox; the one page it opens is ours, and has no script.
        alone = ["--no-sandbox"] if os.geteuid() == 0 else []
        process = await asyncio.create_subprocess_exec(
            browser, "--headless", "--disable-gpu", *alone, "--no-pdf-header-footer", "--disable-extensions",
            f"--user-data-dir={profile}", f"--print-to-pdf={pdf.absolute()}", page.absolute().as_uri(),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                code = await process.wait()
        except TimeoutError:
            return f"{browser} took too long"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return "" if code == 0 and pdf.is_file() and pdf.stat().st_size else f"{browser} failed"
