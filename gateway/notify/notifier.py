"""The notifier: one task that plans what came in, and one for each channel that sends what is due.

1. The planner looks once a second, and at once when woken; what it plans wakes the senders.
2. A sender takes a few due messages at a time and hands them over side by side; what goes together is one message
   (`bundle.py`). A provider that is down is asked seldom (`breaker.py`); single failures are put off by the outbox and
   hold up nobody.
3. Receipts are written before more is taken. What was handed over and not yet written when the power went is handed
   over again, with the same key.

A bug in words or a channel costs the one message that meets it: it is set aside, counted, and logged by its type.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from gateway.alerts.event import cloud_event
from gateway.i18n import LANGUAGES
from gateway.notify.absence import RULE as AWAY_OVER
from gateway.notify.breaker import AT_ONCE, Breaker
from gateway.notify.bundle import Bundle, bundles
from gateway.notify.channels.contract import Channel, Delivered, Message, Receipt, Refused
from gateway.notify.costs import Costs, Priced
from gateway.notify.digest import Digest
from gateway.notify.digest_words import words_of
from gateway.notify.links import ACTIONS, LASTS, PATH, Action, Link
from gateway.notify.outbox import Outbox
from gateway.notify.planning import Waiting
from gateway.notify.render import Occasion, Words, render, render_together
from gateway.notify.router import Contact
from gateway.store.contract import TryAgain
from gateway.together import Together

LOOK_EVERY = 1.0
"""Seconds between two looks for new events, for the collector may be another program; a fifth of what may pass."""
SLEEP = 60.0
"""Seconds a sender sleeps at the most: it is woken for what is new, but nobody wakes it when the clock is set."""
DAY = 86400.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reader:
    """Who reads a channel: how to reach them, what they want, in which language and zone; `tenant` is whose alerts."""

    tenant: str
    contact: Contact
    channel: Channel
    language: Literal["en", "ar"]
    zone: ZoneInfo
    provider: str = ""
    """Whoever carries its messages; readers of one provider share a breaker."""
    emergency: str = ""
    """The number to call when it smells of gas."""

    @property
    def name(self) -> str:
        """The channel's name."""
        return self.contact.channel


class Notifier:
    """Tells readers what the outbox holds; `page` is the address of the pages, `now` gives UTC seconds."""

    def __init__(
        self,
        outbox: Outbox,
        readers: Sequence[Reader],
        key: bytes,
        *,
        page: str,
        now: Callable[[], float],
        look_every: float = LOOK_EVERY,
        besides: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] | None = None,
        costs: Costs | None = None,
    ) -> None:
        """`key` signs links (`Outbox.link_key`); `besides` names tasks that run as long as this does.

        `costs` prices events; without it messages tell units only.
        """
        self._outbox = outbox
        self._readers = readers
        self._key = key
        self._page = page.rstrip("/")
        self._now = now
        self._look_every = look_every
        self._besides = besides or {}
        self._costs = costs
        self._came = asyncio.Event()
        self._planned: Mapping[str, asyncio.Event] = {reader.name: asyncio.Event() for reader in readers}
        self._breakers = {_provider(reader): Breaker() for reader in readers}

    def wake(self) -> None:
        """Say that events or digests were written, so that nobody waits for the next look."""
        self._came.set()
        self._wake_senders()

    async def run(self) -> None:
        """Plan and send until cancelled; a task that fails ends all."""
        together = Together()
        together.start(self._plan(), "plan")
        for reader in self._readers:
            together.start(self._serve(reader), f"send[{reader.name}]")
        for name, work in self._besides.items():
            together.start(work(), name)
        await together.until_one_fails()

    async def _plan(self) -> None:
        forgot = 0.0
        while True:
            self._came.clear()
            now = self._now()
            taken = await self._outbox.plan(round(now * 1000))
            if isinstance(taken, TryAgain):
                await asyncio.sleep(taken.after)
            elif taken:
                self._wake_senders()
            else:
                if now - forgot > DAY:
                    forgot = now
                    await self._outbox.forget(round(now * 1000))
                await _within(self._came, self._look_every)

    async def _serve(self, reader: Reader) -> None:
        planned, breaker = self._planned[reader.name], self._breakers[_provider(reader)]
        clock = asyncio.get_running_loop().time
        while True:
            planned.clear()
            if pause := breaker.wait(clock()):
                await asyncio.sleep(pause)
                continue
            waiting = await self._outbox.due(reader.name, self._ms(), AT_ONCE)
            if not waiting:
                await _within(planned, await self._until_due(reader))
                continue
            going = bundles(waiting, machine=reader.contact.machine)[: breaker.take()]
            receipts = await asyncio.gather(*(self._send(reader, bundle) for bundle in going))
            breaker.heard(receipts, clock())
            sent = zip(going, receipts, strict=True)
            await self._settle([(part, receipt) for bundle, receipt in sent for part in bundle.parts])

    async def _until_due(self, reader: Reader) -> float:
        due = await self._outbox.next_due(reader.name)
        return SLEEP if due is None else min(max((due - self._ms()) / 1000, 0.01), SLEEP)

    async def _settle(self, done: list[tuple[Waiting, Receipt]]) -> None:
        """Write receipts until they are written: forgetting them would tell people twice."""
        while isinstance(verdict := await self._outbox.settle(done, self._ms()), TryAgain):
            await asyncio.sleep(verdict.after)
        if not all(isinstance(receipt, Delivered) for _, receipt in done):
            # Another channel may have taken something over.
            self._wake_senders()

    def _wake_senders(self) -> None:
        for event in self._planned.values():
            event.set()

    async def _send(self, reader: Reader, bundle: Bundle) -> Receipt:
        try:
            return await reader.channel.send(self._message(reader, bundle, await self._prices(bundle)))
        except Exception as error:  # noqa: BLE001  one message must not end the others
            _log.error("message %s set aside: %s", bundle.key, type(error).__name__)
            return Refused(f"bug: {type(error).__name__}")

    async def _prices(self, bundle: Bundle) -> Priced | None:
        """Price the one alert of a message; what is told together is told in short."""
        first = bundle.first
        if self._costs is None or first.digest is not None or len(bundle.parts) > 1:
            return None
        return await self._costs.of(first.tenant, first.event)

    def _message(self, reader: Reader, bundle: Bundle, priced: Priced | None) -> Message:
        first, event = bundle.first, bundle.first.event
        spoken = LANGUAGES if reader.contact.machine else [reader.language]
        every = {language: self._words(reader, bundle, language, priced) for language in spoken}
        return Message(
            key=bundle.key,
            thread=event.id,
            words=every[reader.language],
            alert=event,
            event=cloud_event(event, first.tenant, first.gw),
            every=every,
            late=first.late,
            repeat=first.repeat,
        )

    def _words(self, reader: Reader, bundle: Bundle, language: str, priced: Priced | None) -> Words:
        if bundle.first.digest is not None:
            now = datetime.fromtimestamp(self._now(), reader.zone)
            return words_of(Digest.from_dict(bundle.first.digest), language, now, f"{self._page}/")
        occasions = [self._occasion(reader, part, language, priced) for part in bundle.parts]
        return render(occasions[0]) if len(occasions) == 1 else render_together(occasions)

    def _occasion(self, reader: Reader, waiting: Waiting, language: str, priced: Priced | None) -> Occasion:
        answered = waiting.event.open and not reader.contact.machine
        return Occasion(
            waiting.event,
            waiting.name,
            language,
            datetime.fromtimestamp(self._now(), reader.zone),
            page=f"{self._page}/",
            links={action: self._link(action, waiting) for action in ACTIONS} if answered else {},
            late=waiting.late,
            repeat=waiting.repeat,
            emergency=reader.emergency,
            priced=priced,
            own="" if waiting.event.rule == AWAY_OVER else f"{self._page}/alert/{waiting.event.id}",
        )

    def _link(self, action: Action, waiting: Waiting) -> str:
        expires = int(self._now()) + LASTS
        link = Link(action, waiting.tenant, waiting.event.id, waiting.channel, expires)
        return f"{self._page}{PATH}{link.sign(self._key)}"

    def _ms(self) -> int:
        return round(self._now() * 1000)

    def providers(self) -> dict[str, dict[str, Any]]:
        """Say of each provider how its breaker stands and how often it was given up, for `nabd status`."""
        return {
            name: {"state": breaker.state, "failures": breaker.failures, "given_up": breaker.opened}
            for name, breaker in self._breakers.items()
        }


def _provider(reader: Reader) -> str:
    return reader.provider or reader.name


async def _within(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but no longer than so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
