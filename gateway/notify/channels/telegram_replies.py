"""Answers from Telegram: the buttons that people press under a bot's messages.

1. One poller a bot asks Telegram for what was pressed; the request stays open until there is something.
2. Who pressed is proven by the chat: only those of our own channels count, anything else is left out and counted.
3. Each answer is done before it is confirmed by asking for the next one: a hub that dies in between does it again,
   which changes nothing.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from gateway.backoff import Backoff
from gateway.notify.channels.telegram import HEADERS, Telegram
from gateway.notify.http import PostError, post
from gateway.notify.links import ACTIONS, Link
from gateway.store.contract import TryAgain

OPEN_FOR = 50
"""Seconds Telegram keeps a request open; long enough to ask twice a minute, short enough for any proxy."""
PAUSE = 0.5
"""Seconds between two requests of which the first brought nothing, should a server not keep them open."""
ALERT_ID = 16


class Acts(Protocol):
    """Takes what people answer."""

    async def act(self, link: Link, now: int) -> str | TryAgain:
        """Do what was answered."""


@dataclass
class TelegramReplies:
    """Listens to one bot; `chats` names tenant and channel by chat, `now` gives UTC seconds."""

    bot: Telegram
    chats: Mapping[str, tuple[str, str]]
    acts: Acts
    now: Callable[[], float]
    left_out: Counter[str] = field(default_factory=Counter)
    error: str = ""
    _next: int = 0

    async def run(self) -> None:
        """Listen until cancelled."""
        backoff = Backoff(1.0, 60.0)
        while True:
            pressed = await self._ask()
            if pressed is None:
                await asyncio.sleep(backoff.next())
                continue
            backoff.reset()
            if not pressed:
                await asyncio.sleep(PAUSE)
            for update in pressed:
                await self._take(update)

    async def _ask(self) -> list[Any] | None:
        """Wait for the next button; None when Telegram gave no answer that can be read."""
        # One at a time: an answer holds the message it belongs to, and no more than 16 kB are read.
        wish = {"offset": self._next, "limit": 1, "timeout": OPEN_FOR, "allowed_updates": ["callback_query"]}
        try:
            answer = await self._post("getUpdates", wish, OPEN_FOR + 10)
            said = orjson.loads(answer)
        except (PostError, orjson.JSONDecodeError) as error:
            self.error = str(error) if isinstance(error, PostError) else "what the bot's server says cannot be read"
            return None
        result = said.get("result") if isinstance(said, dict) else None
        if not isinstance(result, list):
            self.error = "the bot's server refuses to tell what was pressed"
            return None
        self.error = ""
        return result

    async def _take(self, update: Any) -> None:
        """Do what one update says, and be done with it."""
        number = self._next
        try:
            number = int(update["update_id"])
            query = update.get("callback_query") or {}
            chat = str(query["message"]["chat"]["id"]) if query else ""
            action, _, alert = str(query.get("data", "")).partition(":")
        except (KeyError, TypeError, ValueError, AttributeError):
            self.left_out["unreadable"] += 1
            self._next = number + 1
            await asyncio.sleep(PAUSE)
            return
        known = next((name for name in ACTIONS if name == action), None)
        if chat not in self.chats or known is None or len(alert) != ALERT_ID:
            self.left_out["not_ours"] += 1
        else:
            tenant, channel = self.chats[chat]
            done = await self.acts.act(Link(known, tenant, alert, channel, 0), round(self.now() * 1000))
            if isinstance(done, TryAgain):
                await asyncio.sleep(done.after)
                return
            await self._confirm(str(query.get("id", "")))
        self._next = number + 1

    async def _confirm(self, query: str) -> None:
        """Let the button stop turning; it matters to nobody whether that got through."""
        with contextlib.suppress(PostError):
            await self._post("answerCallbackQuery", {"callback_query_id": query, "text": "✓"}, 10.0)

    async def _post(self, method: str, wish: Mapping[str, object], timeout: float) -> bytes:
        body = orjson.dumps(wish)
        return (await post(self.bot.address(method), HEADERS, body, tls=self.bot.tls, timeout=timeout)).body
