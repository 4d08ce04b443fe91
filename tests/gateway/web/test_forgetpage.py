"""A box forgets everything by its page: only the operator's, only by its name, and only where somebody would do it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.live import LiveBook
from gateway.reset.wanted import Reset
from gateway.web.access import Access, Door
from gateway.web.page import app
from gateway.web.screen import Sources
from tests.support.desk import open_desk

NOW = 1_795_219_210_000
HERE = "http://nabd.test"
PAGE = "/operator/forget"


class House:
    """A house that was let to the operator and a customer; `ended` counts how often its program was told to end."""

    def __init__(self, file: Path) -> None:
        self.file, self.ended = file, 0
        self.reset = Reset("<home>", file, self._end)
        self.browsers: dict[str, httpx.AsyncClient] = {}

    def _end(self) -> None:
        self.ended += 1

    async def send(self, name: str, who: str = "operator", origin: str = HERE) -> httpx.Response:
        """Type a name and press the button."""
        return await self.browsers[who].post(PAGE, data={"name": name}, headers={"origin": origin})


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Give a house that may be reset."""
    made = House(tmp_path / "state" / "factory-reset")
    made.file.parent.mkdir()
    async with open_desk(tmp_path, lambda: NOW, reset=made.reset) as (desk, _):
        access = Access(None, stay=3600, now=lambda: NOW)
        page = app(Sources(LiveBook(), lambda: NOW), access, names={"nabd.test"}, answers=desk.telling, desk=desk)
        for who, door in (("operator", Door()), ("customer", Door("customer", "home"))):
            browser = httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url=HERE)
            browser.cookies.set("nabd", access.enter(access.link(door), "") or "")
            made.browsers[who] = browser
        yield made
        for browser in made.browsers.values():
            await browser.aclose()


async def test_who_types_the_name_has_everything_forgotten(house: House) -> None:
    """The file for the reset lies there before the program is told to end."""
    browser = house.browsers["operator"]
    assert PAGE in (await browser.get("/operator")).text
    asking = await browser.get(PAGE, headers={"accept-language": "ar"})
    assert (asking.status_code, house.file.exists()) == (200, False)
    assert "<bdi>&lt;home&gt;</bdi>" in asking.text  # fmt: skip
    done = await house.send(" <home> ")
    assert (done.status_code, house.file.exists(), house.ended) == (200, True, 1)
    assert "This box forgets everything now" in done.text


@pytest.mark.parametrize("name", ["", "home", "<HOME>", "yes"])
async def test_another_name_changes_nothing(house: House, name: str) -> None:
    """The mistake is said at the field."""
    said = await house.send(name)
    assert (said.status_code, house.file.exists(), house.ended) == (422, False, 0)
    assert "Nothing was erased." in said.text


async def test_nobody_else_can_ask_for_it(house: House) -> None:
    """For a customer the page is none, and what another site sends is refused."""
    assert (await house.browsers["customer"].get(PAGE)).status_code == 404
    assert (await house.send("<home>", "customer")).status_code == 404
    assert (await house.send("<home>", origin="http://evil.test")).status_code == 403
    assert (house.file.exists(), house.ended) == (False, 0)


async def test_a_disk_that_refuses_is_said_and_nothing_ends(house: House) -> None:
    """Without its file the reset would not come, and the box would only have been restarted."""
    house.file.parent.rmdir()
    assert (await house.send("<home>")).status_code == 503
    assert house.ended == 0


async def test_where_nobody_would_do_it_nothing_is_offered(tmp_path: Path) -> None:
    """A hub, a container or a checkout has no reset unit."""
    async with open_desk(tmp_path, lambda: NOW) as (desk, _):
        access = Access(None, stay=3600, now=lambda: NOW)
        page = app(Sources(LiveBook(), lambda: NOW), access, names={"nabd.test"}, answers=desk.telling, desk=desk)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url=HERE) as browser:
            browser.cookies.set("nabd", access.enter(access.link(), "") or "")
            assert PAGE not in (await browser.get("/operator")).text
            assert (await browser.get(PAGE)).status_code == 404
