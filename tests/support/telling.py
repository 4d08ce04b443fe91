"""Telling on virtual time: a hub database whose work takes no time, and receivers that notice what comes twice."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from gateway.alerts.event import AlertEvent
from gateway.hubdb import BlockRecord, HubDatabase
from gateway.notify.channels.contract import Channel, Delivered, Message, Receipt, TryLater
from gateway.notify.notifier import Notifier, Reader
from gateway.notify.outbox import Outbox
from gateway.notify.planning import Customer
from gateway.notify.router import Contact
from tests.support.virtual_time import run_virtually

T = TypeVar("T")

ZONE = ZoneInfo("Asia/Riyadh")
NOON = 1_795_338_000_000
"""2026-11-22, noon in Riyadh, in UTC ms."""
KEY = b"k" * 32
HOUR = 3600.0


@dataclass
class Receiver:
    """A channel that honours the key: `got` holds what is new to it, `again` the keys that came twice."""

    down: bool = False
    verdict: Receipt | None = None
    got: list[Message] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    lost_answers: int = 0

    async def send(self, message: Message) -> Receipt:
        """Take a message, or be down; with `lost_answers` it takes it and does not say so."""
        if self.down:
            return TryLater("down")
        if self.verdict is not None:
            return self.verdict
        if message.key in {known.key for known in self.got}:
            self.again.append(message.key)
        else:
            self.got.append(message)
            self.at.append(asyncio.get_running_loop().time())
        if self.lost_answers:
            self.lost_answers -= 1
            return TryLater("the answer was lost")
        return Delivered("1")

    def told(self) -> list[str]:
        """List what was told, as state and repeat."""
        return [f"{m.alert.state}{m.repeat or ''}{' late' if m.late else ''}" for m in self.got]


@dataclass
class Telling:
    """A hub database, its outbox and a notifier that runs while `run` does; `channels` in the file's order."""

    path: Path
    channels: dict[str, Receiver]
    contacts: dict[str, Contact] = field(default_factory=dict)
    blocks: int = 0
    running: Notifier | None = None

    def now(self) -> float:
        """Give UTC seconds: noon when the loop began, which says 1000."""
        return NOON / 1000 + asyncio.get_running_loop().time() - 1000.0

    def ms(self) -> int:
        """Give UTC ms."""
        return round(self.now() * 1000)

    async def open(self) -> None:
        """Open the database and make the outbox."""
        self.database = HubDatabase(self.path)
        await self.database.open()
        self.outbox = Outbox(self.database.file, self.customers())

    def contact(self, name: str) -> Contact:
        """Give a channel's contact."""
        return self.contacts.get(name, Contact(name))

    def customers(self) -> dict[str, Customer]:
        """Give the one customer there is."""
        return {"home": Customer("home", ZONE, tuple(self.contact(name) for name in self.channels))}

    def notifier(self) -> Notifier:
        """Make a notifier, as after a restart."""
        readers = [Reader("home", self.contact(name), self._channel(name), "en", ZONE) for name in self.channels]
        return Notifier(self.outbox, readers, KEY, page="https://nabd.example/", now=self.now, look_every=HOUR)

    def _channel(self, name: str) -> Channel:
        return self.channels[name]

    async def arrive(self, *events: AlertEvent, gw: str = "gw") -> None:
        """Write events as the collector does, in one block."""
        self.blocks += 1
        record = BlockRecord("home", gw, 1, self.blocks, self.ms(), events=[event.encode() for event in events])
        await self.database.write([record])
        if self.running is not None:
            self.running.wake()

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Let the notifier run while `work` does."""
        self.running = self.notifier()
        task = asyncio.create_task(self.running.run())
        try:
            return await work()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def virtually(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run on virtual time, the database's thread included: its work is done at once, so that no hour passes over it."""

    async def main() -> T:
        loop = asyncio.get_running_loop()

        def at_once(_executor: Any, function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
            future: asyncio.Future[Any] = loop.create_future()
            try:
                future.set_result(function(*arguments))
            except BaseException as error:  # noqa: BLE001  handed on to who awaits it
                future.set_exception(error)
            return future

        loop.run_in_executor = at_once  # type: ignore[method-assign,assignment]
        return await work()

    return run_virtually(main())
