"""What meters are called changes the words of every page and nothing else: elements and attributes stay (S33)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support import desk
from tests.support.whole_site import ALERT, Whole, filled, signed, whole_site

PLAIN = "Zqx"
PAYLOADS = [
    broken + form
    for broken in ("", '">', "'>", "</title>", "</bdi></p>", "{{7*7}}")
    for form in (
        "<script>hit()</script>", "<img src=x onerror=hit()>", "<svg onload=hit()>", '" onmouseover="hit()',
        "' autofocus onfocus='hit()", "<a href=javascript:hit()>", "<base href=//evil.example>", "&lt;script&gt;",
    )
]  # fmt: skip


class Shape(HTMLParser):
    """The elements of a page with their attributes, but for values that hold the meter's name."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names, self.parts = names, list[object]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element; where the name stands in a value is noted, not the name."""
        kept = [(key, self._plain(value or "")) for key, value in attrs if key != "data-key"]
        self.parts.append((tag, kept))  # a data-key is another one in each database

    def _plain(self, value: str) -> str:
        for name in sorted(self.names, key=len, reverse=True):
            value = value.replace(name, PLAIN)
        return value

    def handle_endtag(self, tag: str) -> None:
        """Note its end."""
        self.parts.append(tag)


async def shapes(whole: Whole, names: list[str]) -> dict[str, list[object]]:
    """Look at every page that can be looked at, and give its shape."""
    whole.let_in()
    found = {}
    for method, route in whole.routes():
        if method != "GET" or route == "/events":
            continue
        path = filled(route, alert=ALERT, meter="home_main", channel="phone", tenant="home", token=signed())
        answer = await whole.browser.get(path)
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        assert answer.status_code == 200, path
        shape = Shape(names)
        shape.feed(answer.text)
        found[route] = shape.parts
        whole.shown += "hit()" in answer.text
    return found


@asynccontextmanager
async def called(names: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whole]:
    """Give the site of a meter of each name; the live page's one has all names at once."""
    folder.mkdir()
    monkeypatch.setattr(desk, "METERS", [(f"home_{n or 'main'}", name, "water") for n, name in enumerate(names)])
    async with whole_site(folder, "".join(names), names[0]) as whole:
        yield whole


async def test_no_name_changes_the_shape_of_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty-eight ways to break out leave each page's elements as plain names do."""
    names = [PLAIN] * len(PAYLOADS)
    async with called(names, tmp_path / "plain", monkeypatch) as whole:
        plain = await shapes(whole, ["".join(names), PLAIN])
    assert len(plain) >= 5
    assert len(PAYLOADS) == 48
    async with called(PAYLOADS, tmp_path / "evil", monkeypatch) as whole:
        assert await shapes(whole, ["".join(PAYLOADS), *PAYLOADS]) == plain
        assert whole.shown >= 3
