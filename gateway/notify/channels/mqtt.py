"""Messages over MQTT, for a home's own automation: one topic a customer, JSON, QoS 1.

A message that nobody subscribed to was told to nobody: it is tried again, and another channel takes it over.
"""

import asyncio
from dataclasses import dataclass, replace

import orjson

from gateway.notify.channels.contract import TIMEOUT, Delivered, Message, Receipt, Refused, TryLater
from gateway.transport import Connect, Endpoint, Lost, NotTaken
from gateway.transport import Message as Publication

PASSING = frozenset({0x88, 0x89, 0x8B, 0x93, 0x96, 0x97, 0x9F})
"""Reason codes of a broker that may take the same message later: it is busy, stopping, or has had enough for now."""
NO_SUBSCRIBERS = 0x10


@dataclass(frozen=True, slots=True)
class Mqtt:
    """Publishes to `topic`; each message has a connection of its own, under a client id of its own."""

    connect: Connect
    endpoint: Endpoint
    topic: str

    async def send(self, message: Message) -> Receipt:
        """Publish one message."""
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._publish(message)
        except (TimeoutError, Lost) as error:
            return TryLater(str(error) or "the broker did not answer in time")
        except NotTaken as error:
            return TryLater(str(error)) if error.code in PASSING else Refused(str(error))

    async def _publish(self, message: Message) -> Receipt:
        # Two messages at once must not push each other out.
        name = f"{self.endpoint.client_id}-{message.key[-24:]}"
        connection = await self.connect(replace(self.endpoint, client_id=name), timeout=TIMEOUT)
        try:
            payload = orjson.dumps(_document(message))
            reason = await connection.publish(Publication(self.topic, payload, qos=1, content_type="application/json"))
        finally:
            await connection.close()
        return TryLater("nobody subscribed to the topic") if reason == NO_SUBSCRIBERS else Delivered()


def _document(message: Message) -> dict[str, object]:
    words, alert = message.words, message.alert
    links = [answer for answer in (words.acknowledge, *words.replies, words.mute) if answer]
    return {
        "v": 1,
        "key": message.key,
        "alert": alert.id,
        "rule": alert.rule,
        "meter": alert.meter,
        "state": alert.state,
        "severity": message.severity,
        "title": words.title,
        "text": words.text,
        "language": words.language,
        "late": message.late,
        "links": {answer.action: answer.url for answer in links},
    }
