"""A collector on its stores and a broker in memory, and the messages that edges send it."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from gateway.ask_again import Asker
from gateway.backoff import Backoff
from gateway.collector import Collector
from gateway.hubdb import HubDatabase
from gateway.message import Topics, correlation, encode_block, encode_reading
from gateway.store.contract import Row, Stored, TryAgain, Verdict
from gateway.store.sqlite import SQLiteStore
from gateway.transport import Endpoint, Message
from tests.support.memory_transport import MemoryBroker

STREAM = "9f2c3a41b07d"
GW = Topics("t", "gw-1")
ENDPOINT = Endpoint("mqtt://127.0.0.1", "hub", session_expiry=3600)
T0 = 1795219200000


def block(number: int, seqs: Sequence[int], topics: Topics = GW, **changes: Any) -> Message:
    """Make a data message as an edge sends it; `changes` spoils the message, `meter`, `ts`, `v` the readings."""
    meter, v = changes.pop("meter", "m-1"), changes.pop("v", {"energy_import_wh": 1.5})
    rows = [encode_reading(seq, {"ts": changes.get("ts", T0) + seq}, meter, 0, v) for seq in seqs]
    changes.pop("ts", None)
    lists = {name: changes.pop(name) for name in ("events", "losses", "untimed") if name in changes}
    payload = encode_block(changes.pop("gw", topics.gw), STREAM, number, T0, "synced", readings=rows, **lists)
    message: dict[str, Any] = {
        "topic": topics.of("data"), "payload": payload, "qos": 1, "response_topic": topics.of("ack"),
        "correlation": correlation(STREAM, number),
    }  # fmt: skip
    return Message(**{**message, **changes})


def info(topics: Topics, *meters: str) -> Message:
    """Make a birth document that names these meters."""
    rows = [
        {"id": meter, "name": "", "commodity": "water", "model": "x", "every": 10, "quantities": {}} for meter in meters
    ]
    return Message(topics.of("info"), json.dumps({"v": 1, "meters": rows}).encode(), qos=1, retain=True)


class FaultyStore(SQLiteStore):
    """A real store that answers as the test says first."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.answers: list[TryAgain] = []
        self.durable_after = 0.0
        self.rejects: dict[int, str] = {}
        self.hold = asyncio.Event()
        self.hold.set()

    async def write(self, rows: Sequence[Row]) -> Verdict:
        """Give a scripted answer, or write."""
        await self.hold.wait()
        if self.answers:
            return self.answers.pop(0)
        kept = [row for row in rows if row.seq not in self.rejects]
        verdict = await super().write(kept)
        rejected = tuple((i, self.rejects[row.seq]) for i, row in enumerate(rows) if row.seq in self.rejects)
        return verdict if isinstance(verdict, TryAgain) else Stored(self.durable_after, rejected)


class Hub:
    """A collector on its stores and a broker, with the waits it asked for; waits of a second and more end by hand."""

    def __init__(self, folder: Path, look_every: float = 3600.0) -> None:
        self.broker = MemoryBroker()
        self.store = FaultyStore(folder / "series.db")
        self.database = HubDatabase(folder / "hub.db")
        self.waits: list[float] = []
        self.tick = asyncio.Event()
        self.tick.set()
        self.collector = Collector(
            self.broker, ENDPOINT, self.store, self.database, clock=lambda: T0, sleep=self._sleep,
            backoff=Backoff(1.0, 60.0), asker=Asker(0), look_every=look_every,
        )  # fmt: skip

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await self.tick.wait()
        await asyncio.sleep(0)

    async def connected(self) -> None:
        """Wait for a subscribed connection."""
        await self.until(lambda: self.broker.connections and self.broker.connections[-1].filters)

    async def until(self, true: Callable[[], Any]) -> None:
        """Wait until something holds; the loop's turns are the clock."""
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.001)

    async def stored(self, number: int) -> list[Message]:
        """Wait for so many stored acks in all, and give them."""
        await self.until(lambda: len(self.broker.published) >= number)
        assert len(self.broker.published) == number
        return self.broker.published

    async def __aenter__(self) -> Self:
        await self.store.open()
        await self.database.open()
        self.task = asyncio.create_task(self.collector.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.database.close()
        await self.store.close()
