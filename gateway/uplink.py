"""Carries blocks from the journal to the broker, and frees each one only when the store has it.

1. New blocks go first, in order. What was pending at connect, or went unanswered, follows beside them at a bounded
   rate (`lanes.py` decides which block is next).
2. At most `window` blocks wait for a PUBACK (fewer if the broker's Receive Maximum says so), at most 2,000 for their
   stored ack; the journal holds the rest.
3. A block is freed by its stored ack alone; with `ack_mode = "puback"` by its PUBACK, for back ends that cannot answer.
4. Each connection is a fresh one: whatever lacked its PUBACK when a connection died is simply still pending.
5. A block that the broker refuses three times is set aside and costs the others nothing (`strikes.py`). It is never
   split, since a block's bytes do not change; it waits in the journal for a broker with a higher limit.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

from gateway.backoff import Backoff
from gateway.lanes import Lanes
from gateway.message import (
    CONTENT_TYPE,
    MessageError,
    Topics,
    correlation,
    count_readings,
    decode_ack,
    parse_correlation,
)
from gateway.strikes import reason_of
from gateway.together import Together
from gateway.transport import Arrived, Connect, Connection, Endpoint, Lost, Message, NotTaken, TransportError

WINDOW = 20
FIRST_RECONNECT = 1.0
LAST_RECONNECT = 60.0
"""A minute after a broker is back everybody is; ten thousand gateways then come at 170 a second, which one carries."""
EXPIRY = 7 * 86400
NOBODY = 0x10

AckMode = Literal["stored", "puback"]
Handler = Callable[[str, Message], Awaitable[Message | None]]


class Blocks(Protocol):
    """What the uplink needs of the journal."""

    stream: str

    def pending(self) -> Sequence[int]:
        """Give the numbers of committed, not yet stored blocks, ascending."""

    async def load(self, block: int) -> bytes | None:
        """Give a block's bytes, or None when it is gone."""

    async def wait(self) -> None:
        """Return when new blocks are pending."""

    def stored(self, block: int, rejected: Iterable[tuple[int, str]] = ()) -> bool:
        """Free a block; False if it is unknown."""


@dataclass
class Counters:
    """What the uplink did so far.

    `readings` are those in published blocks, each counted once; `nobody` counts PUBACKs without a subscriber.
    """

    connects: int = 0
    published: int = 0
    readings: int = 0
    stored: int = 0
    replayed: int = 0
    refused: int = 0
    rejected: int = 0
    unknown_acks: int = 0
    bad_acks: int = 0
    nobody: int = 0


class Uplink:
    """Connects, publishes, awaits; `connection` is the open one or None."""

    def __init__(
        self,
        journal: Blocks,
        connect: Connect,
        endpoint: Endpoint,
        topics: Topics,
        birth: Callable[[], Sequence[Message]],
        *,
        ack_mode: AckMode = "stored",
        ack_timeout: float = 75.0,
        handle: Handler | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """`birth` makes the retained messages of a new connection, `handle` answers commands and settings."""
        self.connection: Connection | None = None
        self._error = "not connected yet"
        self._refusal = ""
        self.counters = Counters()
        self.lanes = Lanes(ack_timeout)
        self._journal, self._connect, self._endpoint, self._topics = journal, connect, endpoint, topics
        self._birth, self._handle, self._frees_on_puback = birth, handle, ack_mode == "puback"
        self._backoff = backoff or Backoff(FIRST_RECONNECT, LAST_RECONNECT)
        self._work = asyncio.Event()

    @property
    def error(self) -> str:
        """Say why there is no connection, or what the broker refuses on the open one; "" when all is well."""
        return self._error or (self._refusal if self.lanes.strikes else "")

    async def run(self) -> None:
        """Keep a connection open and the journal flowing; ends only when cancelled."""
        watcher = asyncio.create_task(self._watch_journal(), name="uplink[journal]")
        try:
            while True:
                pause = await self._one_connection()
                await asyncio.sleep(pause)
        finally:
            watcher.cancel()

    async def stop(self, farewell: Message) -> None:
        """Say goodbye on the open connection, if there is one; never raises."""
        if self.connection is None:
            return
        try:
            async with asyncio.timeout(2):
                await self.connection.publish(farewell)
        except (TransportError, TimeoutError):
            pass
        await self.connection.close()

    def status(self) -> dict[str, object]:
        """Say how the broker and the store are doing, for people and for `health`."""
        lanes = {
            "awaiting": self.lanes.awaiting,
            "missing_acks": self.lanes.missing_acks,
            "quarantined": self.lanes.strikes.quarantined,
        }
        return {"connected": self.connection is not None, "error": self.error, **asdict(self.counters), **lanes}

    def replay(self, blocks: Iterable[int]) -> int:
        """Send stored blocks once more, as backlog; give how many were not being replayed already."""
        count = self.lanes.replay(blocks)
        self._work.set()
        return count

    async def _one_connection(self) -> float:
        pause = 0.0
        try:
            self.connection = await self._connect(self._endpoint)
            await self._serve(self.connection)
        except NotTaken as error:  # a wrong password or a forbidden topic: a person must act first
            self._error = str(error)
            pause = self._backoff.longest()
        except TransportError as error:
            self._error = str(error)
            pause = self._backoff.next()
        finally:
            connection, self.connection = self.connection, None
            self.lanes.lost(asyncio.get_running_loop().time())
            if connection is not None:
                await connection.close()
        return pause

    async def _serve(self, connection: Connection) -> None:
        await connection.subscribe([self._topics.of(*kind) for kind in (("ack",), ("cmd", "+"), ("settings",))])
        for message in self._birth():
            await connection.publish(message)
        self.counters.connects += 1
        self._error = ""
        self.lanes.connected(self._journal.pending())
        together = Together()
        together.start(connection.closed(), "uplink[closed]")
        together.start(self._receive(connection), "uplink[receive]")
        together.start(self._send(connection, together), "uplink[send]")
        await together.until_one_fails()

    async def _watch_journal(self) -> None:
        while True:
            await self._journal.wait()
            self.lanes.committed(self._journal.pending(), asyncio.get_running_loop().time())
            self._work.set()

    async def _send(self, connection: Connection, together: Together) -> None:
        loop = asyncio.get_running_loop()
        window = asyncio.Semaphore(min(WINDOW, connection.receive_maximum))
        while True:
            await window.acquire()
            block = self.lanes.next(loop.time())
            while block is None:
                await self._wait_for_work(self.lanes.wake_at(loop.time()))
                block = self.lanes.next(loop.time())
            together.start(self._publish(connection, block, window), f"publish[{block}]")

    async def _wait_for_work(self, until: float | None) -> None:
        self._work.clear()
        try:
            async with asyncio.timeout_at(until):
                await self._work.wait()
        except TimeoutError:
            pass

    async def _publish(self, connection: Connection, block: int, window: asyncio.Semaphore) -> None:
        loop = asyncio.get_running_loop()
        try:
            payload = await self._journal.load(block)
            if payload is None:
                self._not_there(block, loop.time())
                return
            code = await connection.publish(self._message(block, payload))
        except NotTaken as error:
            self.counters.refused += 1
            self._refusal = str(error)
            self.lanes.refused(block, loop.time(), reason_of(error.code))
            return
        except Lost:  # whoever awaits `closed` ends the connection
            return
        finally:
            window.release()
            self._work.set()
        self._published(block, code, count_readings(payload))

    def _not_there(self, block: int, now: float) -> None:
        pending = self._journal.pending()
        at = bisect_left(pending, block)
        if at < len(pending) and pending[at] == block:  # the disk fails: the block is there, and may come yet
            self.lanes.unread(block, now)
        else:
            self.lanes.freed(block)

    def _published(self, block: int, code: int, readings: int) -> None:
        self._backoff.reset()  # not before: some brokers take a connection only to drop it
        self.counters.published += 1
        self.counters.readings += 0 if self.lanes.sent_before(block) else readings
        self.counters.nobody += code == NOBODY
        self.lanes.sent(block, asyncio.get_running_loop().time())
        if self._frees_on_puback:
            self._free(block, ())

    def _message(self, block: int, payload: bytes) -> Message:
        return Message(
            self._topics.of("data"),
            payload,
            qos=1,
            expiry=EXPIRY,
            content_type=CONTENT_TYPE,
            response_topic=self._topics.of("ack"),
            correlation=correlation(self._journal.stream, block),
        )

    async def _receive(self, connection: Connection) -> None:
        ack_topic = self._topics.of("ack")
        async for arrived in connection.messages():
            if arrived.message.topic == ack_topic:
                self._stored(arrived.message)
            elif self._handle is not None:
                await self._answer(connection, arrived)
            arrived.ack()

    def _stored(self, message: Message) -> None:
        try:
            stream, block = parse_correlation(message.correlation)
            ack = decode_ack(message.payload)
        except MessageError:
            self.counters.bad_acks += 1
            return
        if stream == self._journal.stream:
            self._free(block, [(row.seq, row.reason) for row in ack.rejected])
        else:
            self.counters.unknown_acks += 1

    def _free(self, block: int, rejected: Sequence[tuple[int, str]]) -> None:
        replayed = self.lanes.freed(block)
        if self._journal.stored(block, rejected):
            self.counters.stored += 1
            self.counters.rejected += len(rejected)
        elif replayed:
            self.counters.replayed += 1
        else:
            self.counters.unknown_acks += 1
        self._work.set()

    async def _answer(self, connection: Connection, arrived: Arrived) -> None:
        kind = arrived.message.topic.removeprefix(self._topics.base + "/")
        reply = await self._handle(kind, arrived.message) if self._handle else None
        if reply is not None:
            await connection.publish(reply)
