"""Events for third parties: CloudEvents on the topic `event`, sent while there is a broker and awaited by nobody."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from gateway.alerts.event import AlertEvent, cloud_event
from gateway.alerts.post import CONTENT_TYPE, WAITING, EventPoster
from gateway.message import Topics
from gateway.transport import Connection, Lost, Message
from tests.support.virtual_time import run_virtually


@dataclass
class FakeConnection:
    """Takes messages; one that is `gone` loses them."""

    messages: list[Message] = field(default_factory=list)
    gone: bool = False

    async def publish(self, message: Message) -> int:
        """Take one."""
        await asyncio.sleep(0.1)
        if self.gone:
            raise Lost("gone")
        self.messages.append(message)
        return 0


@dataclass
class Uplink:
    """Holds a connection, or none."""

    connection: Connection | None = None


def event(seq: int) -> AlertEvent:
    """Make one of many events."""
    return AlertEvent(
        id="0123456789abcdef", seq=seq, rule="overload", meter="gw-1_main", state="updated", severity="critical",
        raised=1000, at=1000 + seq,
    )  # fmt: skip


async def run(uplink: Uplink, script: Any) -> None:
    """Run the poster while `script` does."""
    poster = EventPoster(Topics("home", "gw-1"), uplink)
    task = asyncio.create_task(poster.run())
    await script(poster)
    await asyncio.sleep(60)
    task.cancel()


def test_an_event_goes_out_as_a_cloudevent() -> None:
    """On the agreed topic, at QoS 1, not retained."""
    connection = FakeConnection()

    async def script(poster: EventPoster) -> None:
        poster.post(event(1))

    run_virtually(run(Uplink(cast("Connection", connection)), script))
    (message,) = connection.messages
    assert (message.topic, message.qos, message.retain) == ("nabd/v1/home/gw-1/event", 1, False)
    assert message.content_type == CONTENT_TYPE
    assert orjson.loads(message.payload) == cloud_event(event(1), "home", "gw-1")


def test_without_a_broker_events_are_let_go() -> None:
    """They stand in their blocks; here they are neither kept nor sent later."""
    connection, uplink = FakeConnection(), Uplink()

    async def script(poster: EventPoster) -> None:
        poster.post(event(1))
        await asyncio.sleep(1)
        uplink.connection = cast("Connection", connection)
        connection.gone = True
        poster.post(event(2))
        await asyncio.sleep(1)
        connection.gone = False
        poster.post(event(3))

    run_virtually(run(uplink, script))
    assert [orjson.loads(message.payload)["id"] for message in connection.messages] == ["0123456789abcdef-3"]


def test_a_flood_is_bounded() -> None:
    """A thousand events at once wait in a queue that is not longer than it says."""
    connection = FakeConnection()

    async def script(poster: EventPoster) -> None:
        for n in range(1000):
            poster.post(event(n + 1))

    run_virtually(run(Uplink(cast("Connection", connection)), script))
    assert len(connection.messages) == WAITING
