"""A webhook: the alert as a CloudEvent in structured JSON, signed, to a program of the operator's.

1. `webhook-id` and `idempotency-key` are the message's key; who keeps the keys seen gets nothing twice.
2. `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`, as Standard Webhooks has it, so
   a receiver verifies it with a library it has. The timestamp is that of sending; one older than minutes is a replay.
3. The event's data carry besides what the gateway said: `late`, `sent`, and `texts` in every language.
"""

import binascii
import hmac
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from gateway.notify.channels.contract import TIMEOUT, Message, Receipt, TryLater
from gateway.notify.channels.verdict import judge
from gateway.notify.http import PostError, post


def secret_bytes(text: str) -> bytes:
    """Read a signing secret: `whsec_` and base64, as Standard Webhooks writes them, or any text as it is."""
    if text.startswith("whsec_"):
        try:
            return b64decode(text.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass
    return text.encode()


def signature(secret: bytes, key: str, timestamp: int, body: bytes) -> str:
    """Sign a body as it will be sent."""
    mac = hmac.digest(secret, f"{key}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{b64encode(mac).decode()}"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts to `url`; `now` gives UTC seconds, `secret` is None for a receiver that checks nothing."""

    url: str = field(repr=False)  # who knows such an address may often post there
    now: Callable[[], float]
    secret: bytes | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    async def send(self, message: Message) -> Receipt:
        """Post one event."""
        timestamp = int(self.now())
        body = orjson.dumps(_document(message, timestamp))
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": message.key,
            "webhook-timestamp": str(timestamp),
            "idempotency-key": message.key,
        }
        if self.secret is not None:
            headers["webhook-signature"] = signature(self.secret, message.key, timestamp, body)
        try:
            answer = await post(self.url, headers, body, tls=self.tls, timeout=TIMEOUT)
        except PostError as error:
            return TryLater(str(error))
        return judge(answer)


def _document(message: Message, timestamp: int) -> dict[str, object]:
    texts = {language: {"title": words.title, "text": words.text} for language, words in message.every.items()}
    data = {**message.event["data"], "late": message.late, "sent": timestamp * 1000, "texts": texts}
    return {**message.event, "data": data}
