"""What the outbox sets aside: it is counted, and holds up nobody."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.alerts.event import AlertEvent
from gateway.hubdb import BlockRecord
from gateway.notify.channels.contract import Message, Receipt
from gateway.store.contract import TryAgain
from tests.support.telling import NOON, Receiver, Telling, virtually

MINUTE, HOUR = 60, 3600
Make = Callable[..., AlertEvent]


def test_what_no_channel_takes_for_a_day_is_set_aside(telling: Callable[..., Telling], make: Make) -> None:
    """It is counted, and what comes later gets through."""
    hub = telling("phone")
    phone = hub.channels["phone"]
    phone.down = True

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await hub.arrive(make())
            await asyncio.sleep(25 * HOUR)
            assert (await hub.outbox.counts())["phone"] == {"aside": 1}
            phone.down = False
            await hub.arrive(make(n=1, after=25 * HOUR))
            await asyncio.sleep(2 * MINUTE)

        await hub.run(work)
        await hub.database.close()

    virtually(story)
    assert phone.told() == ["raised"]


class Poison(Receiver):
    """A channel with a bug that one alert brings out."""

    async def send(self, message: Message) -> Receipt:
        """Break, or take it."""
        if message.alert.raised == NOON + 1:
            raise ZeroDivisionError("canary-words")
        return await super().send(message)


def test_poison_is_set_aside_and_holds_up_nobody(
    telling: Callable[..., Telling], make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug costs the message that meets it; the log names the bug, not the message's words."""
    hub = telling("phone")
    hub.channels["phone"] = Poison()

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            await hub.arrive(*(make(n=n) for n in range(3)))
            await asyncio.sleep(MINUTE)

        await hub.run(work)
        assert (await hub.outbox.counts())["phone"] == {"aside": 1, "sent": 2, "waiting": 2}
        await hub.database.close()

    virtually(story)
    assert len(caplog.records) == 1
    assert "ZeroDivisionError" in caplog.text
    assert "canary-words" not in caplog.text


def test_events_nobody_can_read_are_counted(telling: Callable[..., Telling], make: Make) -> None:
    """Rubbish among events of a block is skipped, once, and the rest is told."""
    hub = telling("phone")

    async def story() -> None:
        await hub.open()

        async def work() -> None:
            rubbish = [b"{}", b'{"v":1}', b"[]", b'{"v":2,"id":"x"}']
            await hub.database.write([BlockRecord("home", "gw", 1, 99, NOON, events=rubbish)])
            await hub.arrive(make())
            await asyncio.sleep(MINUTE)

        await hub.run(work)
        assert (await hub.outbox.counts())["events"] == {"unreadable": 4}
        await hub.database.close()

    virtually(story)
    assert hub.channels["phone"].told() == ["raised"]


async def test_messages_of_a_channel_that_is_gone_are_set_aside(telling: Callable[..., Telling], make: Make) -> None:
    """A channel taken out of the file leaves nothing waiting for ever."""
    hub = telling("phone", "mail")
    await hub.open()
    await hub.arrive(make())
    assert not isinstance(await hub.outbox.plan(NOON), TryAgain)
    await hub.outbox.retire({"mail"}, NOON)
    assert {name: (await hub.outbox.counts())[name] for name in ("phone", "mail")} == {
        "phone": {"aside": 1},
        "mail": {"waiting": 1},
    }
    await hub.database.close()
