"""What customers say becomes each gateway's settings: published once a connection, retained, never renumbered back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from gateway.alerts.event import AlertEvent, alert_id
from gateway.alerts.settings import MeterSettings, Settings, decode
from gateway.hubdb import BlockRecord, HubDatabase
from gateway.message import MeterInfo
from gateway.notify.answers import Answers
from gateway.notify.links import Link
from gateway.notify.outbox import Outbox
from gateway.settings_out import SettingsBook, SettingsOut, heard, settle
from gateway.store.contract import TryAgain
from gateway.transport import Connection, Endpoint, Lost, Message

NOW = 1_795_338_000_000
ZONE = ZoneInfo("Asia/Riyadh")
ENDPOINT = Endpoint("mqtt://broker.example", "hub-settings")


class Line:
    """A connection that keeps what is published until it is broken."""

    def __init__(self, published: list[Message]) -> None:
        self.published, self.broken = published, asyncio.Event()

    async def publish(self, message: Message) -> int:
        """Keep it."""
        self.published.append(message)
        return 0

    async def closed(self) -> None:
        """Wait for the break."""
        await self.broken.wait()
        raise Lost("broken by the test")

    async def close(self) -> None:
        """Let go."""


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[HubDatabase]:
    """Give a hub with two gateways of one meter each."""
    database = HubDatabase(tmp_path / "hub.sqlite")
    await database.open()
    for gw in ("gw", "gw-2"):
        info = MeterInfo(id=f"{gw}_main", name="Home", commodity="water", model="m", every=900, quantities={})
        await database.enrol("home", gw, [info])
    yield database
    await database.close()


async def answer(hub: HubDatabase, rule: str = "water_leak") -> None:
    """Let somebody find an alert of the first meter useless."""
    event = AlertEvent(
        id=alert_id(rule, "gw_main", NOW), seq=1, rule=rule, meter="gw_main", state="raised", severity="warning",
        raised=NOW, at=NOW,
    )  # fmt: skip
    await hub.write([BlockRecord("home", "gw", 1, hash(rule) % 1000, NOW, events=[event.encode()])])
    outbox = Outbox(hub.file, {})
    await outbox.plan(NOW)
    await outbox.act(Link("not_useful", "home", event.id, "phone", 10**10), NOW)


async def documents(book: SettingsBook) -> dict[str, dict[str, Any]]:
    """Give every document by gateway, each proven readable by an edge."""
    found = await book.documents()
    assert not isinstance(found, TryAgain)
    for document in found:
        assert decode(document.payload).rev == document.rev
    return {document.gw: orjson.loads(document.payload) for document in found}


async def test_nobody_who_said_nothing_gets_a_document(hub: HubDatabase) -> None:
    """An operator's own retained document stays what it is."""
    assert await documents(SettingsBook(hub.file, ZONE, lambda: NOW)) == {}


async def test_an_answer_becomes_a_factor_of_that_meter(hub: HubDatabase) -> None:
    """In the document of its gateway alone, whose revision is the time."""
    await answer(hub)
    found = await documents(SettingsBook(hub.file, ZONE, lambda: NOW))
    assert found == {"gw": {"v": 1, "rev": NOW // 1000, "meters": {"gw_main": {"factors": {"water_leak": 1.25}}}}}


async def test_away_goes_to_every_gateway_and_comes_back(hub: HubDatabase) -> None:
    """Taking it back is a newer document, even within the same second; nothing new is no new revision."""
    book, answers = SettingsBook(hub.file, ZONE, lambda: NOW), Answers(hub.file)
    await answers.set_away("home", NOW, away=True)
    first = await documents(book)
    assert [found["meters"] for found in first.values()] == [{"gw_main": {"away": True}}, {"gw-2_main": {"away": True}}]
    assert await documents(book) == first
    await answers.set_away("home", NOW, away=False)
    second = await documents(book)
    assert {gw: found["rev"] for gw, found in second.items()} == {"gw": NOW // 1000 + 1, "gw-2": NOW // 1000 + 1}
    assert [found["meters"] for found in second.values()] == [{}, {}]


async def test_a_restart_changes_no_revision(hub: HubDatabase) -> None:
    """Also much later: only something new is newer."""
    await answer(hub, "high_usage")
    first = await documents(SettingsBook(hub.file, ZONE, lambda: NOW))
    assert await documents(SettingsBook(hub.file, ZONE, lambda: NOW + 3_600_000)) == first


async def test_what_is_known_of_a_meter_is_told_too(hub: HubDatabase) -> None:
    """Its fuse, once there is anything to say, and on although a hub that restarts has not heard of it yet."""

    def facts(_tenant: str, meter: str) -> dict[str, Any]:
        return {"rating_a": 63} if meter == "gw_main" else {}

    assert await documents(SettingsBook(hub.file, ZONE, lambda: NOW, facts)) == {}
    await answer(hub)
    first = await documents(SettingsBook(hub.file, ZONE, lambda: NOW, facts))
    assert first["gw"]["meters"] == {"gw_main": {"rating_a": 63, "factors": {"water_leak": 1.25}}}
    assert await documents(SettingsBook(hub.file, ZONE, lambda: NOW)) == first


def test_what_an_operator_wrote_is_told_on_and_what_customers_said_is_not() -> None:
    """A factor that has shrunk since must not come back from the document of last week."""
    known = MeterSettings(rating_a=63, pv=True, away=True, known_slots=frozenset({7}), factors={"water_leak": 3})
    assert heard(lambda _tenant, _meter: known)("home", "m") == {"rating_a": 63, "pv": True}


async def test_in_a_house_the_rules_hear_of_it_directly(hub: HubDatabase) -> None:
    """Its own document, once for each revision."""
    taken: list[Settings] = []
    await answer(hub)
    async with running(settle(SettingsBook(hub.file, ZONE, lambda: NOW), "gw", taken.append)):
        await until(lambda: bool(taken))
    assert [found.rev for found in taken] == [NOW // 1000]
    assert taken[0].meters["gw_main"].factor("water_leak") == 1.25


async def test_it_is_published_once_a_connection_and_when_something_is_new(hub: HubDatabase) -> None:
    """Retained and acknowledged; a broker that forgot has it again after the next connection."""
    published: list[Message] = []
    lines: list[Line] = []

    async def connect(endpoint: Endpoint, timeout: float = 10.0) -> Connection:  # noqa: ARG001
        lines.append(Line(published))
        return lines[-1]  # type: ignore[return-value]

    await answer(hub)
    out = SettingsOut(SettingsBook(hub.file, ZONE, lambda: NOW), connect, ENDPOINT, after=0)
    async with running(out.run()):
        await until(lambda: len(published) == 1)
        assert (published[0].topic, published[0].qos, published[0].retain) == ("nabd/v1/home/gw/settings", 1, True)
        out.wake()
        await asyncio.sleep(0.05)
        assert len(published) == 1
        await answer(hub, "high_usage")
        out.wake()
        await until(lambda: len(published) == 2)
        assert orjson.loads(published[1].payload)["rev"] > orjson.loads(published[0].payload)["rev"]
        lines[0].broken.set()
        await until(lambda: len(published) == 3)
    assert replace(published[2]) == published[1]


class running:  # noqa: N801  read as a verb
    """Run a part while the block lasts."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self.task = asyncio.ensure_future(work)

    async def __aenter__(self) -> None:
        """Nothing more to do."""

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)
