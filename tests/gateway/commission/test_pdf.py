"""Printing by a browser that is there, is not there, or does not print."""

import shutil
from pathlib import Path

import pytest

from gateway.commission.pdf import print_pdf


async def test_without_a_browser_it_says_so(tmp_path: Path) -> None:
    """The page is whole without one."""
    assert await print_pdf(tmp_path / "a.html", tmp_path / "a.pdf", lambda _name: None) == "no Chromium is installed"


async def test_a_browser_that_fails_is_said(tmp_path: Path) -> None:
    """An exit code that is not 0, or no file, is no PDF."""
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\nexit 0\n")
    browser.chmod(0o755)
    assert "failed" in await print_pdf(tmp_path / "a.html", tmp_path / "a.pdf", lambda _name: str(browser))


async def test_the_browser_is_given_the_page_and_the_file(tmp_path: Path) -> None:
    """It prints what it is given, to where it is told, without a window."""
    browser = tmp_path / "browser"
    browser.write_text(
        '#!/bin/sh\nfor word; do case $word in --print-to-pdf=*) echo "$@" > "${word#--print-to-pdf=}";; esac; done\n'
    )
    browser.chmod(0o755)
    pdf = tmp_path / "a b.pdf"
    assert (
        await print_pdf(tmp_path / "a b.html", pdf, lambda name: str(browser) if name == "google-chrome" else None)
        == ""
    )
    assert "--headless" in pdf.read_text()
    assert "/a%20b.html" in pdf.read_text()


@pytest.mark.slow
async def test_a_real_browser_prints_arabic(tmp_path: Path) -> None:
    """Chromium, where it is installed, makes a PDF of a page."""
    if shutil.which("chromium") is None:
        pytest.skip("no chromium is installed (apt install chromium)")
    page = tmp_path / "a.html"
    page.write_text('<!doctype html><html lang="ar" dir="rtl"><p>قراءة', encoding="utf-8")
    assert await print_pdf(page, tmp_path / "a.pdf") == ""
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
