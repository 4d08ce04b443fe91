"""Telegram by a bot's plain HTTP interface: one POST a message, with buttons that answer it.

1. A button carries the answer and the alert's id; Telegram hands it back to the bot (`telegram_replies.py`), so answers
   work although nobody outside can open the pages.
2. What is over comes without a sound. The text is plain: nothing in it can become markup.
3. Telegram knows no key: a message whose answer was lost on the way comes twice.
"""

import ssl
from dataclasses import dataclass, field

import orjson

from gateway.notify.channels.contract import TIMEOUT, Message, Receipt, TryLater
from gateway.notify.channels.verdict import LONGEST_WAIT, judge
from gateway.notify.http import Answer, PostError, post

SERVER = "https://api.telegram.org"
TEXT_LIMIT = 4096
"""Characters Telegram takes; ours have under a thousand."""
HEADERS = {"content-type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Telegram:
    """Writes to `chat` as the bot whose token it has."""

    token: str = field(repr=False)
    chat: str
    server: str = SERVER
    tls: ssl.SSLContext | None = None

    async def send(self, message: Message) -> Receipt:
        """Send one message."""
        body = orjson.dumps({"chat_id": self.chat, **_fields(message)})
        try:
            answer = await post(self.address("sendMessage"), HEADERS, body, tls=self.tls, timeout=TIMEOUT)
        except PostError as error:
            return TryLater(str(error))
        receipt = judge(answer, _id)
        return TryLater(receipt.why, _wait(answer)) if isinstance(receipt, TryLater) else receipt

    def address(self, method: str) -> str:
        """Name the address of one of the bot's methods."""
        return f"{self.server}/bot{self.token}/{method}"


def _fields(message: Message) -> dict[str, object]:
    words = message.words
    fields: dict[str, object] = {
        "text": f"{words.title}\n\n{words.text}"[:TEXT_LIMIT],
        "disable_notification": message.severity == "info",
        "link_preview_options": {"is_disabled": True},
    }
    answers = [answer for answer in (words.acknowledge, *words.replies, words.mute) if answer]
    rows = [[{"text": answer.label, "callback_data": f"{answer.action}:{message.thread}"}] for answer in answers]
    return fields | ({"reply_markup": {"inline_keyboard": rows}} if rows else {})


def _said(answer: Answer) -> dict[str, object]:
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _id(answer: Answer) -> str:
    result = _said(answer).get("result")
    return str(result.get("message_id", "")) if isinstance(result, dict) else ""


def _wait(answer: Answer) -> float:
    """Give the seconds Telegram asks us to wait, which stand in its body."""
    parameters = _said(answer).get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return float(min(max(seconds, 0), LONGEST_WAIT)) if isinstance(seconds, int) else 0.0
