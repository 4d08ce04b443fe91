"""Outbox and notifier together, over hours of virtual time: nothing lost, nothing doubled, everything closed."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.alerts.event import AlertEvent
from gateway.notify.channels.contract import Refused
from gateway.notify.links import Link
from gateway.notify.router import Contact
from gateway.store.contract import TryAgain
from tests.support.telling import NOON, Telling, virtually

MINUTE, HOUR = 60, 3600
HOOK = {"hook": Contact("hook", machine=True)}
Make = Callable[..., AlertEvent]


def test_an_alert_is_told_repeated_and_closed(telling: Callable[..., Telling], make: Make) -> None:
    """Critical: at once on every channel, after 15 minutes, after 2 hours; then its end, once."""
    hub = telling("phone", "mail")

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await hub.arrive(make())
            await asyncio.sleep(4 * HOUR)
            await hub.arrive(make(state="cleared", seq=2, after=4 * HOUR))
            await asyncio.sleep(6 * HOUR)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    for receiver in hub.channels.values():
        assert receiver.told() == ["raised", "raised1", "raised2", "cleared"]
        first, second, third, _ = receiver.at
        assert first - 1000 <= 2
        assert 0 <= second - first - 15 * MINUTE <= 2
        assert 0 <= third - first - 2 * HOUR <= 3


@pytest.mark.parametrize("action", ["acknowledge", "mute"])
def test_an_answer_ends_the_reminders(action: str, telling: Callable[..., Telling], make: Make) -> None:
    """Whoever acknowledges by a link is not reminded, nor is anybody else; the end is told all the same."""
    hub = telling("phone", "mail")

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await hub.arrive(make())
            await asyncio.sleep(MINUTE)
            link = Link("mute" if action == "mute" else "acknowledge", "home", make().id, "phone", 10**10)
            assert await hub.outbox.act(link, hub.ms()) == "done"
            assert await hub.outbox.act(link, hub.ms()) == "done"
            await asyncio.sleep(5 * HOUR)
            await hub.arrive(make(state="cleared", seq=2, after=5 * HOUR))
            await asyncio.sleep(MINUTE)

        await hub.run(work)
        state = await hub.outbox.alert("home", make().id)
        assert state is not None
        assert state.by == "phone"
        await hub.database.close()

    virtually(story)
    assert [receiver.told() for receiver in hub.channels.values()] == [["raised", "cleared"]] * 2


def test_muting_silences_warnings_of_that_rule_and_meter_for_a_week(
    telling: Callable[..., Telling], make: Make
) -> None:
    """The next warning of its kind waits for the digest, another rule's does not, and after a week it is told again."""
    hub = telling("phone")

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await hub.arrive(make(severity="warning"))
            await asyncio.sleep(MINUTE)
            await hub.outbox.act(Link("mute", "home", make().id, "phone", 10**10), hub.ms())
            await hub.arrive(make(n=1, after=60, severity="warning"))
            await hub.arrive(replace(make(n=2, after=60, severity="warning"), rule="water_leak"))
            await asyncio.sleep(7 * 24 * HOUR)
            await hub.arrive(make(n=3, after=7 * 24 * HOUR + 60, severity="warning"))
            await asyncio.sleep(MINUTE)

        await hub.run(work)
        assert (await hub.outbox.counts())["digest"] == {"digest": 1}
        await hub.database.close()

    virtually(story)
    assert [message.alert.raised - NOON for message in hub.channels["phone"].got] == [0, 2, 3]


def test_a_provider_that_is_down_for_an_hour_loses_and_doubles_nothing(
    telling: Callable[..., Telling], make: Make
) -> None:
    """40 alerts while every provider is down, half of them over by then: each is told when they are back, once."""
    hub = telling("hook", "phone", **HOOK)

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            for receiver in hub.channels.values():
                receiver.down = True
            for n in range(40):
                await hub.arrive(make(n=n, after=n))
                await asyncio.sleep(1)
            for n in range(0, 40, 2):
                await hub.arrive(make(n=n, state="cleared", seq=2, after=100))
            await asyncio.sleep(HOUR)
            for receiver in hub.channels.values():
                receiver.down, receiver.lost_answers = False, 7
            await asyncio.sleep(15 * MINUTE)

        await hub.run(work)
        counts = await hub.outbox.counts()
        assert "aside" not in counts["phone"]
        await hub.database.close()

    virtually(story)
    hook, phone = hub.channels["hook"], hub.channels["phone"]
    assert len(hook.got) == 60
    # Of those that were over, a person is told once: that they were and are over.
    assert sorted(phone.told()) == ["cleared"] * 20 + ["raised"] * 20
    # The answer that was lost made it come again, with the key it had.
    assert len(hook.again) == len(phone.again) == 7
    assert len({message.key for message in phone.got}) == 40


def test_a_machine_hears_an_alerts_events_in_their_order(telling: Callable[..., Telling], make: Make) -> None:
    """Also when the first ones had to be tried again."""
    hub = telling("hook", **HOOK)
    hub.channels["hook"].down = True

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await hub.arrive(make())
            await asyncio.sleep(20)
            await hub.arrive(make(state="updated", seq=2, after=20), make(state="cleared", seq=3, after=20))
            await asyncio.sleep(1)
            hub.channels["hook"].down = False
            await asyncio.sleep(5 * MINUTE)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    assert hub.channels["hook"].told() == ["raised", "updated", "cleared"]


def test_another_channel_takes_over(telling: Callable[..., Telling], make: Make) -> None:
    """A warning that its channel refuses goes to the next at once; one that fails for ten minutes goes then, once."""
    hub = telling("phone", "mail")
    phone, mail = hub.channels["phone"], hub.channels["mail"]

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            phone.verdict = Refused("HTTP 404")
            await hub.arrive(make(severity="warning"))
            await asyncio.sleep(5)
            assert mail.told() == ["raised"]
            phone.verdict, phone.down = None, True
            await hub.arrive(make(n=1, after=5, severity="warning"))
            await asyncio.sleep(8 * MINUTE)
            assert mail.told() == ["raised"]
            await asyncio.sleep(20 * MINUTE)
            phone.down = False
            await asyncio.sleep(HOUR)
            assert mail.told() == ["raised", "raised"]
            await hub.arrive(make(n=1, after=2 * HOUR, state="cleared", seq=2, severity="warning"))
            await asyncio.sleep(MINUTE)

        await hub.run(work)
        assert (await hub.outbox.counts())["phone"] == {"aside": 1, "dropped": 1}
        await hub.database.close()

    virtually(story)
    assert phone.got == []
    assert mail.told() == ["raised", "raised", "cleared"]


def test_the_same_event_twice_is_told_once(telling: Callable[..., Telling], make: Make) -> None:
    """A gateway that replays, or another one that sends the same, changes nothing."""
    hub = telling("phone", "hook", **HOOK)

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            for gw in ("gw", "gw", "gw-2"):
                await hub.arrive(make(), gw=gw)
                await asyncio.sleep(5)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    assert [receiver.told() for receiver in hub.channels.values()] == [["raised"], ["raised"]]


def test_a_restart_anywhere_changes_nothing(telling: Callable[..., Telling], make: Make) -> None:
    """Stopped every few seconds, also with messages on their way, it tells the same, and keys stay what they were."""
    hub = telling("phone")

    async def story() -> None:
        await hub.open()
        for n in range(20):
            await hub.arrive(make(n=n, after=n))

            async def a_moment(n: int = n) -> None:
                await asyncio.sleep(0.01 * n)

            await hub.run(a_moment)

        async def a_minute() -> None:
            await asyncio.sleep(MINUTE)

        await hub.run(a_minute)
        await hub.database.close()

    virtually(story)
    assert hub.channels["phone"].told() == ["raised"] * 20


def test_six_hours_without_any_provider_lose_and_double_nothing(telling: Callable[..., Telling], make: Make) -> None:
    """A hundred alerts meanwhile; the breakers let one message ask now and then, and every key arrives once."""
    hub = telling("hook", "phone", **HOOK)

    async def story() -> dict[str, Any]:
        await hub.open()

        async def work() -> dict[str, Any]:
            for receiver in hub.channels.values():
                receiver.down = True
            await hub.arrive(*(make(n=n, after=n / 10) for n in range(100)))
            await asyncio.sleep(6 * HOUR)
            assert hub.running is not None
            given_up = hub.running.providers()
            for receiver in hub.channels.values():
                receiver.down = False
            # The reminders are not due within this.
            await asyncio.sleep(10 * MINUTE)
            assert hub.running.providers()["phone"]["state"] == "closed"
            return given_up

        given_up = await hub.run(work)
        await hub.database.close()
        return given_up

    given_up = virtually(story)
    assert {name: said["state"] for name, said in given_up.items()} == {"hook": "open", "phone": "open"}
    assert all(said["given_up"] == 1 for said in given_up.values())
    for receiver in hub.channels.values():
        assert len(receiver.got) == 100
        assert receiver.again == []


async def test_event_cursor_and_messages_are_one_transaction(telling: Callable[..., Telling], make: Make) -> None:
    """A disk that fails in the middle leaves neither half a plan nor a cursor past it."""
    hub = telling("phone", "mail")
    await hub.open()
    await hub.arrive(make())
    await hub.database.file.write(
        lambda c: c.execute(
            "CREATE TRIGGER full BEFORE INSERT ON outbox WHEN NEW.channel = 'mail' "
            "BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
    )
    with pytest.raises(sqlite3.IntegrityError):
        await hub.outbox.plan(NOON)
    assert await hub.outbox.due("phone", NOON, 9) == []
    await hub.database.file.write(lambda c: c.execute("DROP TRIGGER full"))
    assert await hub.outbox.plan(NOON) == 1
    assert await hub.outbox.plan(NOON) == 0
    assert [len(await hub.outbox.due(name, NOON, 9)) for name in ("phone", "mail")] == [1, 1]
    await hub.database.close()


async def test_the_key_of_links_is_made_once(telling: Callable[..., Telling]) -> None:
    """Links of before a restart work after it."""
    hub = telling("phone")
    await hub.open()
    key = await hub.outbox.link_key()
    await hub.database.close()
    await hub.open()
    assert await hub.outbox.link_key() == key
    assert len(key) == 32
    await hub.database.close()


async def test_the_newest_event_is_the_alerts_state_whatever_came_last(
    telling: Callable[..., Telling], make: Make
) -> None:
    """Its beginning, arriving after its end, opens nothing again."""
    hub = telling("phone")
    await hub.open()
    await hub.arrive(make(state="cleared", seq=2, after=5))
    await hub.arrive(make())
    assert await hub.outbox.plan(NOON) == 2
    state = await hub.outbox.alert("home", make().id)
    assert state is not None
    assert state.event.state == "cleared"
    assert await hub.outbox.alerts("home", only_open=True) == []
    assert [known.event.seq for known in await hub.outbox.alerts("home")] == [2]
    await hub.database.close()


def test_a_receipt_that_cannot_be_written_is_written_later(
    telling: Callable[..., Telling], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk is full nobody is told again and again: the same receipt is offered until it is taken."""
    hub = telling("phone")

    async def story() -> None:
        await hub.open()
        settle, refusals = hub.outbox.settle, [TryAgain("full", after=5.0)] * 20

        async def full_for_a_while(*arguments: Any) -> TryAgain | None:
            return refusals.pop() if refusals else await settle(*arguments)

        monkeypatch.setattr(hub.outbox, "settle", full_for_a_while)

        async def work() -> None:
            await hub.arrive(make(severity="warning"))
            await asyncio.sleep(10 * MINUTE)

        await hub.run(work)
        await hub.database.close()
        assert refusals == []

    virtually(story)
    assert hub.channels["phone"].told() == ["raised"]
    assert hub.channels["phone"].again == []
