"""Web push to a browser that subscribed on our pages.

1. What the push service carries is encrypted for the browser (`webpush_crypto.py`); it learns urgency and length only.
2. `topic` is made from the alert: of several messages that wait for a phone that is off, the newest is shown.
3. A subscription that is gone (404, 410) is refused, so that another channel takes over.
"""

import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson

from gateway.notify.channels.contract import TIMEOUT, Message, Receipt, Refused, TryLater
from gateway.notify.channels.verdict import judge
from gateway.notify.channels.webpush_crypto import PLAIN_LIMIT, SALT, Subscription, authorization, encrypt, new_key
from gateway.notify.http import PostError, post

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as PrivateKey

KEPT = {"critical": 86400, "warning": 86400, "info": 6 * 3600}
"""Seconds the service keeps a message for a phone that is off; later it would only be late."""
URGENCY = {"critical": "high", "warning": "normal", "info": "low"}
VALID = 12 * 3600
"""Seconds our proof is valid: services refuse more than a day, and clocks differ."""


@dataclass(frozen=True, slots=True)
class WebPush:
    """Pushes to one browser; `key` is ours, `contact` the address a push service's operator may write to."""

    subscription: Subscription
    key: "PrivateKey" = field(repr=False)
    contact: str
    now: Callable[[], float]
    tls: ssl.SSLContext | None = None

    async def send(self, message: Message) -> Receipt:
        """Push one message."""
        body = orjson.dumps(_fields(message))
        if len(body) > PLAIN_LIMIT:
            return Refused("longer than a push message may be")
        sealed = encrypt(body, self.subscription, secrets.token_bytes(SALT), new_key())
        try:
            answer = await post(
                self.subscription.endpoint, self._headers(message), sealed, tls=self.tls, timeout=TIMEOUT
            )
        except PostError as error:
            return TryLater(str(error))
        return judge(answer, lambda said: said.headers.get("location", ""))

    def _headers(self, message: Message) -> dict[str, str]:
        url = urlsplit(self.subscription.endpoint)
        origin = f"{url.scheme}://{url.netloc}"
        return {
            "authorization": authorization(origin, self.contact, int(self.now()) + VALID, self.key),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(KEPT[message.severity]),
            "urgency": URGENCY[message.severity],
            "topic": message.thread[:32],
        }


def _fields(message: Message) -> dict[str, object]:
    """Give what the page's service worker shows."""
    words = message.words
    answers = [answer for answer in (words.acknowledge, words.mute) if answer]
    return {
        "tag": message.thread,
        "title": words.title,
        "body": words.text,
        "lang": words.language,
        "url": words.page.url if words.page else "",
        "silent": message.severity == "info",
        "actions": [{"action": answer.action, "title": answer.label, "url": answer.url} for answer in answers],
    }
