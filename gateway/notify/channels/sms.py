"""Text messages by any provider that takes an HTTP POST: its address, and the body it wants as a template.

1. The template is JSON or a form, as the provider's page shows it, with `{to}`, `{text}`, `{key}` and `{token}` where
   those belong. It is taken apart before it is filled, so a text can add no field.
2. The token goes into the template where that has a place for it, else into the header; a user and a password go into
   the header.
3. The text is that of `sms.py`: two parts at most.
"""

import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from gateway.notify.channels.contract import TIMEOUT, Message, Receipt, TryLater
from gateway.notify.channels.verdict import judge
from gateway.notify.http import PostError, post
from gateway.notify.sms import fit


@dataclass(frozen=True, slots=True)
class Template:
    """A body with places: JSON, or the fields of a form."""

    content: Any
    form: bool

    @classmethod
    def read(cls, text: str) -> "Template":
        """Take a template apart; raises ValueError."""
        if "{text}" not in text:
            raise ValueError("the template has no place for the text")
        if text.startswith("{") and '"' in text:
            return cls(orjson.loads(text), form=False)
        return cls(parse_qsl(text, keep_blank_values=True, strict_parsing=True), form=True)

    def fill(self, places: Mapping[str, str]) -> bytes:
        """Make a body."""
        filled = _fill(self.content, places)
        return urlencode(filled).encode() if self.form else orjson.dumps(filled)

    def has(self, place: str) -> bool:
        """Tell whether a place occurs."""
        return place in str(self.content)


def _fill(part: Any, places: Mapping[str, str]) -> Any:
    """Fill texts, wherever they stand in lists and objects; what is filled in is not looked at again."""
    if isinstance(part, str):
        return _filled(part, places)
    if isinstance(part, list | tuple):
        return type(part)(_fill(one, places) for one in part)
    if isinstance(part, dict):
        return {name: _fill(one, places) for name, one in part.items()}
    return part


def _filled(text: str, places: Mapping[str, str]) -> str:
    for place, value in places.items():
        head, found, tail = text.partition(place)
        if found:
            return _filled(head, places) + value + _filled(tail, places)
    return text


@dataclass(frozen=True, slots=True)
class Sms:
    """Sends to `to`, a number like +9665…, by the provider at `url`."""

    url: str
    to: str = field(repr=False)
    template: Template = field(repr=False)
    token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    async def send(self, message: Message) -> Receipt:
        """Send one text message."""
        words = message.words
        text = words.sms or fit([f"{words.title}: {words.text}"])
        places = {"{to}": self.to, "{text}": text, "{key}": message.key, "{token}": self.token or ""}
        try:
            answer = await post(
                self.url, self._headers(message.key), self.template.fill(places), tls=self.tls, timeout=TIMEOUT
            )
        except PostError as error:
            return TryLater(str(error))
        return judge(answer)

    def _headers(self, key: str) -> dict[str, str]:
        kind = "application/x-www-form-urlencoded" if self.template.form else "application/json; charset=utf-8"
        headers = {"content-type": kind, "idempotency-key": key}
        if self.username is not None:
            login = b64encode(f"{self.username}:{self.password or ''}".encode()).decode()
            headers["authorization"] = f"Basic {login}"
        elif self.token is not None and not self.template.has("{token}"):
            headers["authorization"] = f"Bearer {self.token}"
        return headers
