"""Being away until a day: it ends by itself at that day's midnight, is told once, and never in quiet hours."""

import asyncio
from datetime import date, time
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.hubdb import HubDatabase
from gateway.message import MeterInfo
from gateway.notify.absence import Absences, midnight
from gateway.notify.answers import Answers
from gateway.notify.planning import Customer
from gateway.notify.router import Contact
from tests.support.telling import HOUR, NOON, ZONE, Receiver, Telling, virtually

TOMORROW = midnight(date(2026, 11, 23), ZONE)
METERS = [
    MeterInfo(id=name, name=name, commodity="water", model="m", every=900, quantities={})
    for name in ("home_a", "home_b")
]


def story(path: Path, contacts: dict[str, Contact], until: int | None, *, hours: float, back: bool = False) -> Any:
    """Be away from noon on; give the receivers, whether one is away at the end, and since when nobody is."""
    told = Telling(path / "hub.sqlite", {name: Receiver() for name in contacts}, contacts)
    ended: list[float] = []

    async def days() -> bool:
        await told.open()
        await told.database.enrol("home", "gw", METERS)
        absences = Absences(told.database.file, told.customers(), told.now)
        await absences.open()
        answers = Answers(told.database.file)
        await answers.set_away("home", told.ms(), away=True, until=until)
        assert await answers.away_until("home") == until
        if back:
            await answers.set_away("home", told.ms(), away=False)
            assert await answers.away_until("home") is None

        async def work() -> None:
            absences.wake = told.running.wake if told.running is not None else absences.wake
            task = asyncio.create_task(absences.run())
            while told.ms() < NOON + hours * HOUR * 1000:
                await asyncio.sleep(60)
                if not ended and not await answers.away("home"):
                    ended.append((told.ms() - NOON) / 3_600_000)
            task.cancel()

        await told.run(work)
        away = await answers.away("home")
        await told.database.close()
        return away

    return virtually(days), told.channels, ended


def test_it_ends_at_the_days_midnight_and_is_told_in_the_morning(tmp_path: Path) -> None:
    """All meters of the home at once; the first person's channel tells it when quiet hours are over."""
    contacts = {
        "hook": Contact("hook", machine=True),
        "aunt": Contact("aunt", second=True),
        "phone": Contact("phone", quiet=(time(22), time(7))),
        "mail": Contact("mail"),
    }
    away, channels, ended = story(tmp_path, contacts, TOMORROW, hours=30)
    assert not away
    assert ended[0] == pytest.approx(12, abs=0.1)
    (message,) = channels["phone"].got
    assert message.words.title == "You are no longer marked as away"
    assert message.words.page is not None
    assert message.words.page.url == "https://nabd.example/"
    assert (message.words.acknowledge, message.words.replies, message.severity) == (None, (), "info")
    assert channels["phone"].at[0] - 1000 == pytest.approx(19 * HOUR, abs=120)
    assert [receiver.got for name, receiver in channels.items() if name != "phone"] == [[], [], []]


def test_without_a_day_it_lasts(tmp_path: Path) -> None:
    """Until somebody says that they are back."""
    away, channels, ended = story(tmp_path, {"phone": Contact("phone")}, None, hours=24 * 10)
    assert (away, ended, channels["phone"].got) == (True, [], [])


def test_who_comes_back_sooner_is_told_nothing(tmp_path: Path) -> None:
    """They know."""
    away, channels, _ = story(tmp_path, {"phone": Contact("phone")}, TOMORROW, hours=30, back=True)
    assert (away, channels["phone"].got) == (False, [])


def test_two_looks_and_a_restart_tell_it_once(tmp_path: Path) -> None:
    """And an absence that began anew, without a day, is not ended by the day of the one before."""

    async def looks() -> None:
        database = HubDatabase(tmp_path / "hub.sqlite")
        await database.open()
        await database.enrol("home", "gw", METERS)
        customers = {"home": Customer("home", ZONE, (Contact("phone"),))}
        answers = Answers(database.file)
        moments: list[int] = []
        for until in (TOMORROW, None):
            absences = Absences(database.file, customers, lambda: moments[-1] / 1000)
            moments.append(TOMORROW - 1)
            await absences.open()
            await answers.set_away("home", NOON, away=True, until=until)
            await absences.look()
            assert await answers.away("home")
            moments.append(TOMORROW)
            for _ in range(2):
                await absences.look()
            assert await answers.away("home") == (until is None)
        rows = await database.file.read(lambda c: c.execute("SELECT telling, body FROM outbox").fetchall())
        await database.close()
        assert [(telling, orjson.loads(body)["rule"]) for telling, body in rows] == [("cleared", "away_over")]

    asyncio.run(looks())


def test_a_home_that_nobody_can_tell_comes_back_all_the_same(tmp_path: Path) -> None:
    """With a webhook alone, or with no channel at all."""
    away, channels, _ = story(tmp_path, {"hook": Contact("hook", machine=True)}, TOMORROW, hours=13)
    assert (away, channels["hook"].got) == (False, [])
