"""What the hub wishes of each gateway, on its retained topic `settings`: made from what its customers said.

1. A document is made from the hub database: who is away, and how answers moved thresholds (`notify/retune.py`). `facts`
   adds what else is known of a meter, such as its main fuse; what was once told of it is told on.
2. One that says something new gets a higher `rev`, the time in seconds, and is written down before it is published.
   The time, because a hub whose database was lost must still be newer than the document at the broker.
3. Every document is published once a connection, for brokers forget; a gateway that has it leaves it out by its `rev`.
   A gateway whose customers never said anything gets no document, so one that an operator publishes stays.
4. In a house the same document goes to the rules of the same program (`settle`).
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from gateway.alerts.settings import MeterSettings, Settings, decode
from gateway.backoff import Backoff
from gateway.message import Topics
from gateway.notify import answers_sql as sql
from gateway.notify.answers import tuning_of
from gateway.store.contract import TryAgain
from gateway.store.database import Database
from gateway.transport import Connect, Connection, Endpoint, Message, TransportError

LOOK_EVERY = 5.0
"""Seconds between two looks; who toggles "away" at the door is heard before the car has left."""

HOUR_MS = 3_600_000
HEARD_AFTER = 10.0
"""Seconds after which a hub has heard the documents there are, and may know what an operator wrote into them."""
OURS = frozenset({"away", "factors", "known_slots"})
"""What customers say; all else in a document is told on."""

Facts = Callable[[str, str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Document:
    """One gateway's settings as they are to be published."""

    tenant: str
    gw: str
    rev: int
    payload: bytes


class SettingsBook:
    """The documents of every gateway of a hub; `now` gives UTC ms, `facts` what is known of (tenant, meter)."""

    def __init__(
        self, database: Database, zone: ZoneInfo, now: Callable[[], int], facts: Facts = lambda _tenant, _meter: {}
    ) -> None:
        """`database` is the hub's, opened by its owner; `zone` is where its customers live."""
        self._database, self._zone, self._now, self._facts = database, zone, now, facts
        self._said: tuple[Any, ...] = ()
        self._known: list[Document] = []

    async def documents(self) -> list[Document] | TryAgain:
        """Give the documents in force, newly numbered where something changed."""
        # What moved a threshold shrinks by itself, but no faster than an hour tells.
        said = (self._now() // HOUR_MS, *await self._database.read(lambda c: c.execute(sql.SAID).fetchone()))
        if said == self._said:
            return self._known

        def look(connection: sqlite3.Connection) -> tuple[list[Document], list[Document]]:
            found = [self._document(connection, *row) for row in connection.execute(sql.GATEWAYS).fetchall()]
            told = [(document, changed) for document, changed in found if document.rev]
            return [document for document, _ in told], [document for document, changed in told if changed]

        def keep(connection: sqlite3.Connection) -> None:
            for document in changed:
                connection.execute(sql.SET_SENT, (document.tenant, document.gw, document.rev, document.payload))

        documents, changed = await self._database.read(look)
        # Most of the time nothing is new, and then nothing is written.
        if changed and isinstance(refused := await self._database.write(keep), TryAgain):
            return refused
        self._said, self._known = said, documents
        return documents

    def _document(self, connection: sqlite3.Connection, tenant: str, gw: str) -> tuple[Document, bool]:
        away = {meter for (meter,) in connection.execute(sql.AWAY, (tenant,))}
        sent = connection.execute(sql.SENT, (tenant, gw)).fetchone()
        rev, body = sent or (0, b'{"meters":{}}')
        before = orjson.loads(body)["meters"]
        meters: dict[str, dict[str, Any]] = {}
        for (meter,) in connection.execute(sql.METERS, (tenant, gw)).fetchall():
            tuned = tuning_of(connection, tenant, meter, self._zone, self._now())
            told = {name: value for name, value in before.get(meter, {}).items() if name not in OURS}
            said = {**told, **self._facts(tenant, meter)}
            said |= {"away": True} if meter in away else {}
            said |= {"factors": tuned.factors} if tuned.factors else {}
            said |= {"known_slots": list(tuned.known_slots)} if tuned.known_slots else {}
            if said:
                meters[meter] = said
        ours = any(OURS & said.keys() for said in meters.values())
        if meters == before or not (ours or rev):
            return Document(tenant, gw, rev, body), False
        rev = max(rev + 1, self._now() // 1000)
        payload = orjson.dumps({"v": 1, "rev": rev, "meters": meters}, option=orjson.OPT_SORT_KEYS)
        return Document(tenant, gw, rev, payload), True


def heard(about: Callable[[str, str], MeterSettings]) -> Facts:
    """Take for facts what a hub hears of a meter in the documents there are, less what customers say."""
    return lambda tenant, meter: about(tenant, meter).model_dump(mode="json", exclude_defaults=True, exclude=set(OURS))


class SettingsOut:
    """Publishes a book's documents; `error` says what the broker or the database complains of."""

    def __init__(
        self,
        book: SettingsBook,
        connect: Connect,
        endpoint: Endpoint,
        root: str = "nabd",
        *,
        after: float = HEARD_AFTER,
    ) -> None:
        """`connect` opens a connection of this part's own; nothing is published in the first `after` seconds."""
        self.error = ""
        self._after = after
        self._book, self._connect, self._endpoint, self._root = book, connect, endpoint, root
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Say that a customer said something, so that nobody waits for the next look."""
        self._changed.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        await asyncio.sleep(self._after)
        backoff = Backoff(1.0, 60.0)
        while True:
            try:
                connection = await self._connect(self._endpoint)
                try:
                    backoff.reset()
                    await self._serve(connection)
                finally:
                    await connection.close()
            except TransportError as error:
                self.error = str(error)
                await asyncio.sleep(backoff.next())

    async def _serve(self, connection: Connection) -> None:
        published: dict[tuple[str, str], int] = {}
        while True:
            self._changed.clear()
            documents = await self._book.documents()
            self.error = documents.why if isinstance(documents, TryAgain) else ""
            for document in documents if isinstance(documents, list) else ():
                name = (document.tenant, document.gw)
                if published.get(name) != document.rev:
                    topic = Topics(*name, self._root).of("settings")
                    await connection.publish(Message(topic, document.payload, qos=1, retain=True))
                    published[name] = document.rev
            await self._wait(connection)

    async def _wait(self, connection: Connection) -> None:
        """Wait for the next look, a wake-up or the connection's loss; raises Lost."""
        waits = [asyncio.ensure_future(self._changed.wait()), asyncio.ensure_future(connection.closed())]
        try:
            done, _ = await asyncio.wait(waits, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        for task in done:
            task.result()


async def settle(book: SettingsBook, gw: str, take: Callable[[Settings], None]) -> None:
    """Hand the documents of one gateway to its own program, as they change; ends only when cancelled."""
    taken = 0
    while True:
        documents = await book.documents()
        for document in documents if isinstance(documents, list) else ():
            if document.gw == gw and document.rev > taken:
                take(decode(document.payload))
                taken = document.rev
        await asyncio.sleep(LOOK_EVERY)
