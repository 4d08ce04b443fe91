"""The outbox and people, over hours of virtual time: seldom woken, told together, another one when nobody answers."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.alerts.event import AlertEvent
from gateway.notify.links import Link
from gateway.notify.router import Contact
from gateway.notify.wishes import Wishes
from tests.support.telling import NOON, Telling, virtually

MINUTE, HOUR = 60, 3600
MIDNIGHT = 12 * HOUR
HOOK = {"hook": Contact("hook", machine=True)}
Make = Callable[..., AlertEvent]


def test_a_backlog_tells_what_is_open_and_keeps_what_is_over(telling: Callable[..., Telling], make: Make) -> None:
    """After an outage: the open alert is told late, the closed one becomes lines of the digest, whatever came first."""
    hub = telling("phone")

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await asyncio.sleep(3 * HOUR)
            warning = {"severity": "warning"}
            await hub.arrive(make(n=1, state="cleared", seq=2, after=60, **warning))
            await hub.arrive(make(n=0, after=10, **warning), make(n=1, after=20, **warning), make(n=2, **warning))
            await asyncio.sleep(20)
            await hub.arrive(make(n=2, state="cleared", seq=2, after=60, **warning))
            await asyncio.sleep(10 * MINUTE)

        await hub.run(work)
        assert (await hub.outbox.counts())["digest"] == {"digest": 3}
        await hub.database.close()

    virtually(story)
    assert hub.channels["phone"].told() == ["raised late"]
    assert "late" in hub.channels["phone"].got[0].words.text


def test_a_warning_of_the_night_comes_in_the_morning_unless_it_is_over(
    telling: Callable[..., Telling], make: Make
) -> None:
    """Two warnings at midnight, one over at two: at seven one message."""
    hub = telling("phone")

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await asyncio.sleep(MIDNIGHT)
            await hub.arrive(*(make(n=n, after=MIDNIGHT, severity="warning") for n in range(2)))
            await asyncio.sleep(2 * HOUR)
            await hub.arrive(make(n=0, after=14 * HOUR, state="cleared", seq=2, severity="warning"))
            await asyncio.sleep(4.9 * HOUR)
            assert hub.channels["phone"].got == []
            await asyncio.sleep(0.2 * HOUR)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    (message,) = hub.channels["phone"].got
    assert message.alert.raised == NOON + 1
    assert not message.late


def test_the_caps_hold_and_the_rest_waits_for_the_digest(telling: Callable[..., Telling], make: Make) -> None:
    """Five warnings, a quarter of an hour apart, make three messages, each closed; critical ones come on top."""
    hub = telling("phone")

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            for n in range(5):
                await hub.arrive(make(n=n, after=n * 15 * MINUTE, severity="warning"))
                await asyncio.sleep(15 * MINUTE)
            await hub.arrive(make(n=9, after=75 * MINUTE))
            await hub.arrive(
                *(make(n=n, after=75 * MINUTE, state="cleared", seq=2, severity="warning") for n in range(5))
            )
            await asyncio.sleep(MINUTE)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    assert hub.channels["phone"].told() == ["raised"] * 4 + ["cleared"]
    assert "3" in hub.channels["phone"].got[-1].words.title


def test_what_happens_together_is_one_message(telling: Callable[..., Telling], make: Make) -> None:
    """The first at once, the next three ten minutes later in one message; machines hear each by itself."""
    hub = telling("hook", "phone", **HOOK)

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            for n in range(4):
                await hub.arrive(make(n=n, after=n * MINUTE, severity="warning"))
                await asyncio.sleep(MINUTE)
            await asyncio.sleep(HOUR)

        await hub.run(work)
        assert (await hub.outbox.counts())["phone"] == {"sent": 4}
        await hub.database.close()

    virtually(story)
    phone = hub.channels["phone"]
    assert len(hub.channels["hook"].got) == 4
    assert phone.told() == ["raised", "raised"]
    assert phone.at[1] - phone.at[0] == pytest.approx(10 * MINUTE, abs=2)
    assert phone.got[1].words.title == "\u20683\u2069 alerts"
    assert phone.got[1].key.startswith("bundle-")
    assert phone.got[1].words.text.count("gw_main") == 3


def test_a_bundle_whose_answer_was_lost_comes_again_as_it_was(telling: Callable[..., Telling], make: Make) -> None:
    """Under the same key, so that nothing is told twice."""
    hub = telling("phone")
    hub.channels["phone"].lost_answers = 1

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await hub.arrive(*(make(n=n, severity="warning") for n in range(3)))
            await asyncio.sleep(MINUTE)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    phone = hub.channels["phone"]
    assert len(phone.got) == 1
    assert phone.again == [phone.got[0].key]


@pytest.mark.parametrize("answered", [False, True])
def test_the_second_contact_is_told_unless_somebody_answered(
    answered: bool, telling: Callable[..., Telling], make: Make
) -> None:
    """After both reminders; and of its end only when of its beginning."""
    hub = telling("phone", "neighbour", neighbour=Contact("neighbour", second=True))

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await hub.arrive(make())
            await asyncio.sleep(2.1 * HOUR)
            if answered:
                await hub.outbox.act(Link("fixed", "home", make().id, "phone", 10**10), hub.ms())
            await asyncio.sleep(HOUR)
            await hub.arrive(make(state="cleared", seq=2, after=3.1 * HOUR))
            await asyncio.sleep(MINUTE)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    neighbour = hub.channels["neighbour"]
    assert neighbour.told() == ([] if answered else ["raised3", "cleared"])
    if not answered:
        assert neighbour.got[0].words.title.startswith("Unanswered: ")
        assert neighbour.at[0] - 1000 == pytest.approx(135 * MINUTE, abs=2)


def test_the_second_contact_hears_nothing_of_what_was_over_before(telling: Callable[..., Telling], make: Make) -> None:
    """Neither that it began nor that it ended."""
    hub = telling("phone", "neighbour", neighbour=Contact("neighbour", second=True))

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await hub.arrive(make())
            await asyncio.sleep(HOUR)
            await hub.arrive(make(state="cleared", seq=2, after=HOUR))
            await asyncio.sleep(3 * HOUR)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    assert hub.channels["neighbour"].got == []


def test_the_second_contact_is_told_at_once_when_nobody_can_be_reached(
    telling: Callable[..., Telling], make: Make
) -> None:
    """Ten minutes of silence from the only channel are enough."""
    hub = telling("phone", "neighbour", neighbour=Contact("neighbour", second=True))
    hub.channels["phone"].down = True

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await hub.arrive(make())
            await asyncio.sleep(20 * MINUTE)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    assert hub.channels["neighbour"].told() == ["raised"]


async def test_what_a_customer_chose_wins_over_the_file(telling: Callable[..., Telling], make: Make) -> None:
    """Kept over a restart; nobody can switch off what is critical everywhere."""
    hub = telling("phone", "mail")
    await hub.open()
    leak = replace(make(severity="warning"), rule="water_leak")
    assert await hub.outbox.wish("home", "phone", Wishes(frequency={"leak": "off", "safety": "off"}), NOON) == "done"
    assert await hub.outbox.wish("home", "mail", Wishes(frequency={"safety": "off"}), NOON) == "unsafe"
    assert await hub.outbox.wish("home", "pigeon", Wishes(), NOON) == "unknown"
    await hub.database.close()
    await hub.open()
    await hub.arrive(leak)
    await hub.outbox.plan(NOON)
    assert [len(await hub.outbox.due(name, NOON, 9)) for name in ("phone", "mail")] == [0, 1]
    assert [contact.often("leak") for contact in await hub.outbox.contacts("home")] == ["off", None]
    await hub.database.close()
