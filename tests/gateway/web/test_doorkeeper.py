"""What `nabd web` asks of a running program, and what it prints."""

import argparse
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway import control
from gateway.moves import Moves
from gateway.web.access import Access, Door
from gateway.web.doorkeeper import Doorkeeper
from gateway.web.serve import Served
from gateway.web_cmd import run
from tests.support.desk import open_desk

NOW = 1_795_219_210_000


class Office:
    """A program that answers on its socket, and somebody at a terminal; `pages` are served or not yet."""

    def __init__(self, socket: Path) -> None:
        """Begin with pages."""
        self.access = Access(None, stay=3600, now=lambda: NOW)
        self.pages: Served | None = Served("http://nabd.test/", self.access)
        self.socket = socket

    async def type(self, what: str, **options: str) -> tuple[int, list[str], list[str]]:
        """Type `nabd web …`; give its code, what it printed and what it complained of."""
        said: list[str] = []
        complained: list[str] = []
        code = await run(argparse.Namespace(what=what, **options), self.socket, said.append, complained.append)
        return code, said, complained

    async def door(self, **options: str) -> Door:
        """Make a link and open it; give what it opens."""
        code, said, _ = await self.type("link", **options)
        assert code == 0
        secret = self.access.enter(said[0].removeprefix("http://nabd.test/enter/"), "")
        session = self.access.session(secret)
        assert session is not None
        return session.door


@pytest.fixture(params=["", "home"])
async def office(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    """Give a hub, whose tenant is "", and a house."""
    made = Office(tmp_path / "hub.sock")
    async with open_desk(tmp_path, lambda: NOW) as (desk, database):
        kept = replace(desk, moves=Moves(database.file, ZoneInfo("UTC")))
        await kept.open()
        answers = Doorkeeper(lambda: made.pages, kept, request.param).answers()
        async with control.listening(made.socket, answers):
            yield made


async def test_a_link_opens_what_was_asked_for(office: Office) -> None:
    """Without options the operator's, with a tenant that home, with a role what it says."""
    assert await office.door() == Door("operator", "")
    assert await office.door(role="operator") == Door("operator", "")
    assert await office.door(tenant="home") == Door("customer", "home")
    assert await office.door(tenant="home", role="customer") == Door("customer", "home")


@pytest.mark.parametrize("office", ["home"], indirect=True)
async def test_a_house_knows_its_customer(office: Office) -> None:
    """A house has one tenant, so a customer's link need not name it, and no other can be named."""
    assert await office.door(role="customer") == Door("customer", "home")
    assert (await office.type("link", tenant="other"))[0] == 1


@pytest.mark.parametrize(
    ("what", "options", "why"),
    [
        ("link", {"tenant": "home", "role": "operator"}, "sees every home"),
        ("link", {"tenant": "a/b"}, "a/b"),
        ("link", {"tenant": "x" * 65}, "xxx"),
        ("revoke", {}, "name a session or a tenant"),
        ("revoke", {"tenant": "home", "session": "00000000"}, "name a session or a tenant"),
        ("move-in", {"tenant": "home", "since": "soon"}, "2026-11-01"),
        ("move-in", {"tenant": "+", "since": "2026-11-01"}, "+"),
    ],
)
@pytest.mark.parametrize("office", [""], indirect=True)
async def test_what_cannot_be_is_said(office: Office, what: str, options: dict[str, str], why: str) -> None:
    """A mistake is told with what to type instead, and ends nobody's session."""
    await office.door(tenant="home")
    code, said, complained = await office.type(what, **options)
    assert (code, said) == (1, [])
    assert why in complained[0]
    assert len(office.access.sessions()) == 1


async def test_sessions_are_listed_and_ended(office: Office) -> None:
    """Each line begins with the name by which it is ended."""
    assert await office.type("sessions") == (0, ["nobody"], [])
    await office.door()
    await office.door(tenant="home")
    _, said, _ = await office.type("sessions")
    customer = next(line for line in said if "customer" in line)
    assert "home" in customer
    assert customer.count("2026-11-21 00:00Z") == 2
    assert await office.type("revoke", session=customer[:8]) == (0, ["sessions ended: 1"], [])
    assert [one.role for one in office.access.sessions().values()] == ["operator"]
    await office.door(tenant="home")
    assert await office.type("revoke", tenant="home") == (0, ["sessions ended: 1"], [])


async def test_before_the_pages_are_served_it_says_so(office: Office) -> None:
    """A program that just starts makes no link to nowhere."""
    office.pages = None
    assert await office.type("link") == (1, [], ["nabd: the pages are not served yet"])


async def test_without_a_program_it_says_so(tmp_path: Path) -> None:
    """Nobody there is no traceback."""
    complained: list[str] = []
    options: Any = argparse.Namespace(what="sessions")
    assert await run(options, tmp_path / "none.sock", print, complained.append) == 1
    assert "nothing runs" in complained[0]
