"""Push by ntfy, the publicly run server or one's own.

1. Published as JSON to the server's root: UTF-8 by itself, and no header that a title could break out of.
2. Critical is `max`, which rings through; a warning `high`; what is over arrives without a sound.
3. Buttons: "seen" acts at once, from the notification; "mute" opens its page, for it should be thought over.
4. `sequence_id` is made from the message's key: servers and phones that know it show the same message once.
"""

import ssl
from dataclasses import dataclass, field
from hashlib import blake2b

import orjson

from gateway.alerts.event import Severity
from gateway.notify.channels.contract import TIMEOUT, Message, Receipt, TryLater
from gateway.notify.channels.verdict import judge
from gateway.notify.http import Answer, PostError, post

PRIORITY: dict[Severity, int] = {"critical": 5, "warning": 4, "info": 2}
TAGS: dict[str, str] = {"critical": "rotating_light", "warning": "warning", "info": "information_source"}
OVER = "white_check_mark"


@dataclass(frozen=True, slots=True)
class Ntfy:
    """Publishes to `topic` at `server`, with an access token where the server wants one."""

    server: str
    topic: str = field(repr=False)  # who knows its name may read it
    token: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    async def send(self, message: Message) -> Receipt:
        """Publish one message."""
        headers = {"content-type": "application/json; charset=utf-8"}
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        body = orjson.dumps({"topic": self.topic, **_fields(message)})
        try:
            answer = await post(f"{self.server}/", headers, body, tls=self.tls, timeout=TIMEOUT)
        except PostError as error:
            return TryLater(str(error))
        return judge(answer, _id)


def _fields(message: Message) -> dict[str, object]:
    words = message.words
    fields: dict[str, object] = {
        "title": words.title,
        "message": words.text,
        "priority": PRIORITY[message.severity],
        "tags": [TAGS[message.severity] if message.alert.open else OVER],
        "sequence_id": blake2b(message.key.encode(), digest_size=16).hexdigest(),
    }
    if words.page:
        fields["click"] = words.page.url
    actions: list[dict[str, object]] = []
    if words.acknowledge:
        seen = {"label": words.acknowledge.label, "url": words.acknowledge.url}
        actions.append({"action": "http", "method": "POST", "clear": True, **seen})
    if words.mute:
        actions.append({"action": "view", "label": words.mute.label, "url": words.mute.url})
    return fields | ({"actions": actions} if actions else {})


def _id(answer: Answer) -> str:
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return ""
    return str(said.get("id", "")) if isinstance(said, dict) else ""
