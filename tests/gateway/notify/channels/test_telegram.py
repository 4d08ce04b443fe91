"""Telegram: what a chat shows, and what its buttons do."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.notify.channels.contract import Delivered, Message, Refused, TryLater
from gateway.notify.channels.telegram import Telegram
from gateway.notify.channels.telegram_replies import TelegramReplies
from gateway.notify.links import Link
from gateway.store.contract import TryAgain
from tests.support.http_sink import HttpSink

ALERT = "0123456789abcdef"


async def test_a_message_has_a_button_for_each_answer(message: Callable[..., Message]) -> None:
    """Whose data fit what a button may carry; the text is plain."""
    made = message()
    async with HttpSink() as sink:
        sink.say(200, b'{"ok":true,"result":{"message_id":77}}')
        receipt = await Telegram("1:t", "-42", f"http://127.0.0.1:{sink.port}").send(made)
    assert receipt == Delivered("77")
    (posted,) = sink.posted
    said = json.loads(posted.body)
    assert posted.path == "/bot1:t/sendMessage"
    assert (said["chat_id"], said["disable_notification"]) == ("-42", False)
    assert said["text"] == f"{made.words.title}\n\n{made.words.text}"
    assert "parse_mode" not in said
    data = [row[0]["callback_data"] for row in said["reply_markup"]["inline_keyboard"]]
    assert [one.partition(":")[0] for one in data] == [
        "acknowledge", "useful", "not_useful", "normal", "fixed", "call_me", "mute",
    ]  # fmt: skip
    assert all(one.endswith(f":{made.thread}") and len(one) <= 64 for one in data)


async def test_what_is_over_is_silent_and_asks_nothing(message: Callable[..., Message]) -> None:
    """No sound, no buttons but what is still to be answered."""
    async with HttpSink() as sink:
        await Telegram("1:t", "42", f"http://127.0.0.1:{sink.port}").send(message(state="cleared", seq=2))
    assert json.loads(sink.posted[0].body)["disable_notification"] is True


@pytest.mark.parametrize(
    ("status", "body", "receipt"),
    [
        (429, b'{"ok":false,"parameters":{"retry_after":7}}', TryLater("HTTP 429", 7.0)),
        (429, b'{"ok":false,"parameters":{"retry_after":-7}}', TryLater("HTTP 429", 0.0)),
        (429, b'{"ok":false,"parameters":[]}', TryLater("HTTP 429", 0.0)),
        (429, b"\0", TryLater("HTTP 429", 0.0)),
        (502, b"<html>", TryLater("HTTP 502", 0.0)),
        (403, b'{"ok":false,"description":"bot was blocked by the user"}', Refused("HTTP 403")),
        (200, b"[]", Delivered("")),
    ],
)
async def test_what_telegram_says_is_understood(
    status: int, body: bytes, receipt: object, message: Callable[..., Message]
) -> None:
    """Its wish to wait stands in the body."""
    async with HttpSink() as sink:
        sink.say(status, body)
        assert await Telegram("1:t", "42", f"http://127.0.0.1:{sink.port}").send(message()) == receipt


class Bot:
    """A bot's server that hands out updates one by one, and notes what is confirmed."""

    def __init__(self, updates: list[Any]) -> None:
        self.updates, self.offsets, self.confirmed = updates, [], 0  # type: list[Any], list[int], int

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line.split(": ")[1]) for line in head.lower().split("\r\n") if "content-length" in line)
        wish = json.loads(await reader.readexactly(length))
        result: Any = True
        if "getUpdates" in head:
            self.offsets.append(wish["offset"])
            result = [update for update in self.updates if update["update_id"] >= wish["offset"]][:1]
        else:
            self.confirmed += 1
        body = json.dumps({"ok": True, "result": result}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()


class Acts:
    """Notes what was answered; the first `full` times the disk is full."""

    def __init__(self, full: int = 0) -> None:
        self.links: list[Link] = []
        self.full = full

    async def act(self, link: Link, _now: int) -> str | TryAgain:
        """Take an answer."""
        if self.full:
            self.full -= 1
            return TryAgain("full", after=0.01)
        self.links.append(link)
        return "done"


def pressed(number: int, data: object, chat: object = 42) -> dict[str, Any]:
    """Make an update: a button pressed in a chat."""
    return {"update_id": number, "callback_query": {"id": "q", "data": data, "message": {"chat": {"id": chat}}}}


@pytest.mark.parametrize("full", [0, 2])
async def test_buttons_become_answers(full: int) -> None:
    """Those of our chats, in order, each once, also over a full disk; strangers and rubbish are left out."""
    updates = [
        pressed(10, f"fixed:{ALERT}"), pressed(11, f"useful:{ALERT}", chat=666), pressed(12, f"delete:{ALERT}"),
        pressed(13, "fixed:"), pressed(14, None), {"update_id": 1_000_000, "callback_query": {"id": "no message"}},
        pressed(1_000_015, f"call_me:{ALERT}"),
    ]  # fmt: skip
    bot, acts = Bot(updates), Acts(full)
    async with await asyncio.start_server(bot.serve, "127.0.0.1", 0) as server:
        channel = Telegram("1:t", "42", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        replies = TelegramReplies(channel, {"42": ("home", "phone")}, acts, lambda: 1000.0)
        task = asyncio.ensure_future(replies.run())
        async with asyncio.timeout(10):
            while 1_000_016 not in bot.offsets:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert acts.links == [Link("fixed", "home", ALERT, "phone", 0), Link("call_me", "home", ALERT, "phone", 0)]
    assert bot.confirmed == 2
    assert replies.left_out == {"not_ours": 4, "unreadable": 1}


async def test_a_server_that_says_rubbish_is_asked_again_later() -> None:
    """And what is wrong is told, without the token."""
    async with HttpSink() as sink:
        sink.say(401, b'{"ok":false}')
        replies = TelegramReplies(Telegram("canary", "42", f"http://127.0.0.1:{sink.port}"), {}, Acts(), lambda: 0.0)
        task = asyncio.ensure_future(replies.run())
        async with asyncio.timeout(5):
            while not replies.error:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(sink.posted) == 1
    assert "canary" not in replies.error + repr(replies)
