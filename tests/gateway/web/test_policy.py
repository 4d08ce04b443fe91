"""Where to report a weakness: told to everybody, without a word of whose installation this is."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from gateway.live import LiveBook
from gateway.web.access import Access
from gateway.web.page import app
from gateway.web.policy import SUPPORT_UNTIL
from gateway.web.screen import Sources

ROOT = Path(__file__).parents[3]


async def fetch(path: str) -> httpx.Response:
    """Ask for a page as a stranger."""
    site = app(Sources(LiveBook(), lambda: 0, None, None), Access(None, stay=1, now=lambda: 0), names={"nabd.test"})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://nabd.test") as browser:
        return await browser.get(path)


async def test_security_txt_is_whole() -> None:
    """Strangers get a contact that answers and an end within a year, as RFC 9116 wants both."""
    answer = await fetch("/.well-known/security.txt")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    left = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < left < timedelta(days=365)
    contact = await fetch(fields["Contact"].removeprefix("http://nabd.test"))
    assert contact.status_code == 200
    assert "within 5 days" in contact.text


async def test_the_page_and_the_policy_name_one_date() -> None:
    """SECURITY.md, the page and the code agree until when there are fixes, and how soon there is an answer."""
    policy = (ROOT / "SECURITY.md").read_text()
    until = f"{SUPPORT_UNTIL:%Y-%m-%d}"
    assert re.findall(r"\d{4}-\d\d-\d\d", policy) == [until]
    assert until in (await fetch("/security")).text
    assert "acknowledgement within five days" in policy
