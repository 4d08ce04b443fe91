"""Takes blocks from the broker to the stores, and tells each gateway when its block is safe. Keeps nothing itself.

1. `_receive` hands on what arrives. Nothing gets its PUBACK before the stores have it, so the Receive Maximum bounds
   what waits here, and a store that is away makes the broker wait.
2. `_intake` takes whatever has gathered as one batch, writes it to the series store until that takes it, and sends the
   PUBACKs. While one batch is written the next one gathers, so batches grow with the load and need no timer.
3. `_settle` waits until the series store is durable, writes the hub database, and only then lets the stored acks go.
4. `_answer` publishes them, a window of them at a time.
5. A lost connection ends all four and forgets what they held: a gateway without its ack sends the block again, and
   writing it again changes nothing. That is also why killing the collector at any point loses nothing.
6. Each of these steps says that it made a turn, and rests while nothing waits for it (`progress.py`): a connection that
   is open says nothing of a step that hangs.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from gateway.ask_again import Asker, commands
from gateway.backoff import Backoff
from gateway.batch import Batch, Line, Written, share_out
from gateway.flatten import Poison, birth, flatten
from gateway.hubdb import PAYLOAD_LIMIT, DeadLetter, HubDatabase
from gateway.message import MessageError, Topics
from gateway.progress import Progress, Pulse
from gateway.store.contract import Store, TryAgain
from gateway.together import Together
from gateway.transport import Arrived, Connect, Connection, Endpoint, Message, NotTaken, TransportError

T = TypeVar("T")

BATCH_BLOCKS = 500
BATCH_BYTES = 128 * 1024
"""Payload bytes of one batch, some 2,000 readings: a tenth of a second of work between two rounds of acks."""
TURN_BYTES = 8 * 1024
"""Payload bytes decoded before the loop lets pages and sockets in: some 3 ms."""
LOOK_EVERY = 60.0
"""Seconds between two looks for readings that are missing."""
ACK_WINDOW = 20
"""Stored acks on their way to the broker at once; more made the client no faster (messaging 1.2)."""
PATIENCE = 180.0
"""Seconds one step may take: a disk or a database that does not answer gives up sooner, and is then asked again."""


@dataclass
class Counters:
    """What the collector did so far."""

    connects: int = 0
    blocks: int = 0
    readings: int = 0
    duplicates: int = 0
    acks: int = 0
    acks_refused: int = 0
    replays: int = 0
    enrolled: int = 0
    store_waits: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)


class Collector:
    """Runs until cancelled; `error` says why there is no connection, `troubles` what the stores complain of."""

    def __init__(
        self,
        connect: Connect,
        endpoint: Endpoint,
        store: Store,
        hubdb: HubDatabase,
        *,
        root: str = "nabd",
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        backoff: Backoff | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        asker: Asker | None = None,
        look_every: float = LOOK_EVERY,
    ) -> None:
        """The stores are open; `clock` gives UTC ms for dead letters, `sleep` and `backoff` are handed in by tests."""
        self.counters = Counters()
        self.error = "not connected yet"
        self.troubles: dict[str, str] = {}
        self._connect, self._endpoint = connect, replace(endpoint, session_expiry=0)
        self._store, self._hubdb, self._root = store, hubdb, root
        self._clock, self._sleep = clock, sleep
        self._asker, self._look_every = asker or Asker(), look_every
        self._backoff = backoff or Backoff(1.0, 60.0)
        self._taking, self._settling = Pulse(resting=True), Pulse(resting=True)
        self._answering = [Pulse(resting=True) for _ in range(ACK_WINDOW)]

    def watch(self, progress: Progress) -> None:
        """Have every step watched."""
        progress.watch("collector[intake]", PATIENCE, self._taking.mark)
        progress.watch("collector[settle]", PATIENCE, self._settling.mark)
        for n, pulse in enumerate(self._answering):
            progress.watch(f"collector[ack-{n}]", PATIENCE, pulse.mark)

    def status(self) -> dict[str, Any]:
        """Give counters and complaints as JSON shows them."""
        return {**asdict(self.counters), "error": self.error, "troubles": self.troubles}

    async def run(self) -> None:
        """Keep a connection open and blocks flowing; ends only when cancelled."""
        while True:
            await self._sleep(await self._one_connection())

    async def _one_connection(self) -> float:
        """Serve one connection to its end and give the pause before the next, in seconds."""
        pause = self._backoff.next
        try:
            connection = await self._connect(self._endpoint)
            try:
                await self._serve(connection)
            finally:
                await connection.close()
        except NotTaken as error:  # a wrong password or a forbidden topic: a person must act first
            self.error = str(error)
            pause = self._backoff.longest
        except TransportError as error:
            self.error = str(error)
        return pause()

    async def _serve(self, connection: Connection) -> None:
        arrivals: asyncio.Queue[Arrived] = asyncio.Queue(self._endpoint.receive_maximum)
        window = min(ACK_WINDOW, connection.receive_maximum)
        line = Line(window)
        together = Together()
        together.start(self._receive(connection, arrivals), "collector[receive]")
        together.start(self._intake(arrivals, line), "collector[intake]")
        together.start(self._settle(line), "collector[settle]")
        for n, pulse in enumerate(self._answering[:window]):
            together.start(self._answer(connection, line, pulse), f"collector[ack-{n}]")
        together.start(self._subscribe(connection), "collector[subscribe]")
        together.start(self._ask_again(connection), "collector[replay]")
        try:
            await together.until_one_fails()
        finally:
            for pulse in (self._taking, self._settling, *self._answering):
                pulse.rest()

    async def _subscribe(self, connection: Connection) -> None:
        await connection.subscribe([f"{self._root}/v1/+/+/info", f"$share/store/{self._root}/v1/+/+/data"])
        self.counters.connects += 1
        self.error = ""
        self._backoff.reset()

    async def _ask_again(self, connection: Connection) -> None:
        """Ask gateways for readings that should be here and are not."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._look_every)
            for gap in self._asker.due(await self._hubdb.gaps(), loop.time()):
                for command in commands(gap, self._root):
                    try:
                        await connection.publish(command)
                        self.counters.replays += 1
                    except NotTaken as refused:
                        self.troubles["replay"] = f"the broker refuses commands: {refused}"

    async def _receive(self, connection: Connection, arrivals: asyncio.Queue[Arrived]) -> None:
        async for arrived in connection.messages():
            await arrivals.put(arrived)

    async def _intake(self, arrivals: asyncio.Queue[Arrived], line: Line) -> None:
        while True:
            self._taking.rest()
            arrived = await arrivals.get()
            self._taking.alive()
            written = await self._write(await self._gather(arrived, arrivals))
            self._taking.rest()
            await line.room()
            line.put(written)

    async def _gather(self, arrived: Arrived, arrivals: asyncio.Queue[Arrived]) -> Batch:
        """Take a message and those that lie behind it, within the bounds of a batch."""
        batch, size, turn = Batch(), 0, 0
        while True:
            await self._sort(arrived, batch)
            size += len(arrived.message.payload)
            if size - turn >= TURN_BYTES:
                turn = size
                await asyncio.sleep(0)
            if arrivals.empty() or size >= BATCH_BYTES or len(batch.flats) + len(batch.letters) >= BATCH_BLOCKS:
                return batch
            arrived = arrivals.get_nowait()

    async def _sort(self, arrived: Arrived, batch: Batch) -> None:
        message = arrived.message
        try:
            topics, kind, _ = Topics.parse(message.topic)
            if kind == "info":
                await self._enrol(topics, message)
                arrived.ack()
                return
            flat = flatten(topics, message, self._hubdb.owner)
        except (Poison, MessageError) as error:
            reason = error.reason if isinstance(error, Poison) else "bad_topic"
            batch.letters.append(self._letter(reason, message))
            batch.buried.append(arrived.ack)
            return
        batch.flats.append(flat)
        if any(reason == "meter_conflict" for _, reason in flat.rejected):
            batch.letters.append(self._letter("meter_conflict", message))
            batch.buried.append(arrived.ack)
        else:
            batch.stored.append(arrived.ack)

    async def _enrol(self, topics: Topics, message: Message) -> None:
        enrol = partial(self._hubdb.enrol, topics.tenant, topics.gw, birth(message))
        await self._until_taken("hub database", enrol, self._taking)
        self.counters.enrolled += 1

    async def _write(self, batch: Batch) -> Written:
        """Have the series store take the batch's readings, then acknowledge the messages to the broker."""
        rows = [row for flat in batch.flats for row in flat.rows]
        durable_after = 0.0
        if rows:
            verdict = await self._until_taken("store", partial(self._store.write, rows), self._taking)
            durable_after = verdict.durable_after
            share_out(verdict.rejected, batch.flats)
        for ack in batch.stored:
            ack()
        return Written(
            asyncio.get_running_loop().time() + durable_after,
            [flat.record() for flat in batch.flats],
            batch.letters,
            batch.buried,
            [flat.ack() for flat in batch.flats],
            [reason for flat in batch.flats for _, reason in flat.rejected],
        )

    async def _settle(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._settling.rest()
            batch = await line.next()
            self._settling.alive()
            if (wait := batch.due - loop.time()) > 0:
                await self._sleep(wait)
            write = partial(self._hubdb.write, batch.records, batch.letters)
            recorded = await self._until_taken("hub database", write, self._settling)
            for ack in batch.buried:
                ack()
            self._count(batch, recorded.duplicates)
            for message in batch.acks:
                await line.acks.put(message)
            line.done(batch)

    async def _answer(self, connection: Connection, line: Line, pulse: Pulse) -> None:
        while True:
            pulse.rest()
            ack = await line.acks.get()
            pulse.alive()
            try:
                await connection.publish(ack)
                self.counters.acks += 1
            except NotTaken as refused:
                self.counters.acks_refused += 1
                self.troubles["acks"] = f"the broker refuses stored acks: {refused}"

    async def _until_taken(self, what: str, write: Callable[[], Awaitable[T | TryAgain]], pulse: Pulse) -> T:
        """Write until it is taken, waiting as long as the store asks, and a while more."""
        backoff = Backoff(0.5, 30.0)
        while isinstance(answer := await write(), TryAgain):
            self.counters.store_waits += 1
            self.troubles[what] = answer.why
            pulse.rest()
            await self._sleep(answer.after + backoff.next())
            pulse.alive()
        self.troubles.pop(what, None)
        return answer

    def _letter(self, reason: str, message: Message) -> DeadLetter:
        payload = message.payload[:PAYLOAD_LIMIT]
        return DeadLetter(reason, message.topic, message.correlation, payload, self._clock())

    def _count(self, batch: Written, duplicates: int) -> None:
        self.counters.blocks += len(batch.records)
        self.counters.readings += sum(len(record.seqs) for record in batch.records)
        self.counters.duplicates += duplicates
        self.counters.rejected.update(batch.rejected)
        self.counters.dead_letters.update(letter.reason for letter in batch.letters)
