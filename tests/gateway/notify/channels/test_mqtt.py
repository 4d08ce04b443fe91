"""Messages over MQTT: told to whoever subscribed, and to nobody twice."""

import asyncio
import json
from collections.abc import Callable

import pytest

from gateway.notify.channels.contract import Delivered, Message, Receipt, Refused, TryLater
from gateway.notify.channels.mqtt import Mqtt
from gateway.transport import Connection, Endpoint, Lost, NotTaken
from gateway.transport import Message as Publication

ENDPOINT = Endpoint("mqtt://broker.example", "nabd", password="canary")


class Line:
    """A connection that answers as told."""

    def __init__(self, answer: int | Exception | None) -> None:
        self.answer = answer
        self.published: list[Publication] = []
        self.endpoints: list[Endpoint] = []
        self.closed = 0

    async def connect(self, endpoint: Endpoint, timeout: float = 10.0) -> Connection:  # noqa: ARG002
        """Be opened."""
        self.endpoints.append(endpoint)
        return self  # type: ignore[return-value]

    async def publish(self, message: Publication) -> int:
        """Take a message, refuse it, or say nothing at all."""
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is None:
            await asyncio.Event().wait()
        self.published.append(message)
        return self.answer or 0

    async def close(self) -> None:
        """Count."""
        self.closed += 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (0, Delivered), (0x10, TryLater), (Lost("gone"), TryLater), (NotTaken("no", code=0x87), Refused),
        (NotTaken("later", code=0x97), TryLater), (None, TryLater),
    ],
)  # fmt: skip
async def test_what_the_broker_says_decides(
    answer: int | Exception | None,
    kind: type[Receipt],
    message: Callable[..., Message],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A topic without a subscriber told nobody; a connection is let go whatever happened on it."""
    monkeypatch.setattr("gateway.notify.channels.mqtt.TIMEOUT", 0.1)
    line = Line(answer)
    receipt = await Mqtt(line.connect, ENDPOINT, "nabd/message/home/phone").send(message())
    assert isinstance(receipt, kind)
    assert line.closed == 1
    assert "canary" not in repr(receipt)


async def test_the_message_is_json_with_its_links(message: Callable[..., Message]) -> None:
    """Acknowledged, not retained: what was told an hour ago is not news to who subscribes now."""
    line, made = Line(0), message()
    channel = Mqtt(line.connect, ENDPOINT, "nabd/message/home/phone")
    await channel.send(made)
    await channel.send(message(key="another-key"))
    publication = line.published[0]
    said = json.loads(publication.payload)
    assert (publication.topic, publication.qos, publication.retain) == ("nabd/message/home/phone", 1, False)
    assert (said["key"], said["title"], said["severity"]) == (made.key, made.words.title, "critical")
    assert said["links"]["fixed"] == "https://nabd.example/f"
    assert len({endpoint.client_id for endpoint in line.endpoints}) == 2
