"""Answers in the hub database: kept once, listed for who calls back, and they end the reminders."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.alerts.event import AlertEvent
from gateway.hubdb import BlockRecord, HubDatabase
from gateway.message import MeterInfo
from gateway.notify.answers import Answers, CallBack, tuning_of
from gateway.notify.links import REPLIES, Action, Link
from gateway.notify.outbox import Outbox
from tests.gateway.notify.moments import MS

RIYADH = ZoneInfo("Asia/Riyadh")


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[HubDatabase]:
    """Give a hub database with one meter."""
    database = HubDatabase(tmp_path / "hub.sqlite")
    await database.open()
    info = MeterInfo(id="gw_main", name="Home", commodity="water", model="m", every=900, quantities={})
    await database.enrol("home", "gw", [info])
    yield database
    await database.close()


async def answer(hub: HubDatabase, event: AlertEvent, *actions: Action) -> None:
    """Let an alert arrive and be answered."""
    outbox = Outbox(hub.file, {})
    await hub.write([BlockRecord("home", "gw", 1, 1, MS, events=[event.encode()])])
    await outbox.plan(MS)
    for action in actions:
        assert await outbox.act(Link(action, "home", event.id, "phone", 10**10), MS) == "done"


@pytest.mark.parametrize("reply", REPLIES)
async def test_an_answer_is_kept_once_and_acknowledges(
    reply: Action, hub: HubDatabase, event: Callable[..., AlertEvent]
) -> None:
    """A link opened twice is one answer; whoever answers has seen it."""
    await answer(hub, event(), reply, reply)
    assert await Answers(hub.file).of_alert("home", event().id) == [reply]
    state = await Outbox(hub.file, {}).alert("home", event().id)
    assert state is not None
    assert (state.acknowledged, state.by) == (MS, "phone")


async def test_seeing_and_muting_are_no_answers(hub: HubDatabase, event: Callable[..., AlertEvent]) -> None:
    """They change what is told, not what rules think."""
    await answer(hub, event(), "acknowledge", "mute")
    assert await Answers(hub.file).of_alert("home", event().id) == []


async def test_a_call_waits_until_somebody_called(hub: HubDatabase, event: Callable[..., AlertEvent]) -> None:
    """It is listed once, and no longer after the call."""
    answers = Answers(hub.file)
    await answer(hub, event(), "call_me", "useful")
    assert await answers.calls() == [CallBack("home", event().id, "gw_main", "overload", "phone", MS)]
    assert await answers.called("home", event().id, MS) is True
    assert await answers.called("home", event().id, MS) is False
    assert await answers.calls() == []


async def test_answers_become_the_tuning_of_their_meter(hub: HubDatabase, event: Callable[..., AlertEvent]) -> None:
    """In the hour of the week in which the alert began, by the customer's clock."""
    await answer(hub, event(rule="high_usage", severity="warning"), "normal")
    found = await hub.file.read(lambda c: tuning_of(c, "home", "gw_main", RIYADH, MS))
    # The evening of Sunday 22 November, shortly before half past six.
    assert (found.factors, found.known_slots) == ({"high_usage": 1.25}, (6 * 24 + 18,))


async def test_away_is_said_and_taken_back(hub: HubDatabase) -> None:
    """For the meters the tenant has, and no other tenant's."""
    answers = Answers(hub.file)
    await answers.set_away("home", MS, away=True)
    assert await answers.away("home")
    assert not await answers.away("other")
    await answers.set_away("home", MS, away=False)
    assert not await answers.away("home")
