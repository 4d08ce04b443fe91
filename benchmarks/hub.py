"""The hub alone: how soon a block's stored ack is back, and how many readings a second go into its store.

Gateways are played by one client: each block has its gateway's own topic, stream and meters, and carries what a house
sends in ten seconds, 18 readings (a P1 meter every second, eight meters every ten). Mosquitto and the hub are
processes of their own; PostgreSQL is measured where it is installed.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable

from benchmarks.rig import Figure, Process, Rig, rig
from gateway.message import Topics, correlation, encode_block, encode_reading, parse_correlation
from gateway.mqtt import connect
from gateway.transport import Connection, Endpoint, Message
from tests.support.servers import Postgres

GATEWAYS = 1000
READINGS = 18
HUB = """[hub]
database = "hub.sqlite"
[mqtt]
url = "mqtt://127.0.0.1:{port}"
[store]
{store}
[web]
listen = "127.0.0.1:0"
"""


class House:
    """One gateway: makes blocks, each newer than the last."""

    def __init__(self, number: int, readings: int = READINGS) -> None:
        """`number` names it; each block carries so many readings."""
        self._readings = readings
        self.topics = Topics("home", f"gw-{number}")
        self.stream = f"{number + 1:012x}"
        self._block = self._seq = 0
        self._dice = random.Random(number)
        self._now = time.time_ns() // 1_000_000 - 3_600_000

    def block(self) -> Message:
        """Make the next block as the edge would send it."""
        self._block += 1
        rows = []
        for n in range(self._readings):
            self._seq += 1
            meter = f"{self.topics.gw}_{'p1' if n < 10 else n}"
            values = {"power_w": round(self._dice.uniform(100, 4000), 1), "energy_import_wh": 600_000.0 + self._seq}
            values |= {f"voltage_l{phase}_v": round(self._dice.gauss(230, 1), 1) for phase in (1, 2, 3)}
            ts = self._now + self._block * 10_000 + 1000 * n
            rows.append(encode_reading(self._seq, {"ts": ts}, meter, 0, values))
        payload = encode_block(self.topics.gw, self.stream, self._block, self._now, "synced", readings=rows)
        return Message(
            self.topics.of("data"), payload, qos=1, response_topic=self.topics.of("ack"),
            correlation=correlation(self.stream, self._block),
        )  # fmt: skip


class Fleet:
    """All gateways on one connection; `waits` are the seconds from sending a block to its stored ack."""

    def __init__(self, connection: Connection) -> None:
        """Take an open connection that hears the ack topics."""
        self.houses = [House(number) for number in range(GATEWAYS)]
        self.waits: list[float] = []
        self._connection = connection
        self._sent: dict[tuple[str, int], float] = {}
        self._room = asyncio.Event()

    async def hear(self) -> None:
        """Take acks until cancelled."""
        async for arrived in self._connection.messages():
            arrived.ack()
            sent = self._sent.pop(parse_correlation(arrived.message.correlation), None)
            if sent is not None:
                self.waits.append(time.monotonic() - sent)
            self._room.set()

    async def send(self, message: Message) -> None:
        """Publish a block and note when."""
        self._sent[parse_correlation(message.correlation)] = time.monotonic()
        await self._connection.publish(message)

    async def room(self, most: int) -> None:
        """Wait until fewer than `most` blocks are unanswered."""
        while len(self._sent) >= most:
            self._room.clear()
            await self._room.wait()


async def steady(fleet: Fleet, rate: float, seconds: float) -> None:
    """Send `rate` blocks a second from the fleet, evenly, and await the last answers."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    pending = set()
    for number in range(round(rate * seconds)):
        pending.add(asyncio.create_task(fleet.send(fleet.houses[number % GATEWAYS].block())))
        due += 1 / rate
        await asyncio.sleep(max(due - loop.time(), 0))
        pending = {task for task in pending if not task.done()}
    async with asyncio.timeout(30):
        await fleet.room(1)


async def flood(fleet: Fleet, seconds: float) -> float:
    """Keep 500 blocks under way for so many seconds; give readings a second that were acknowledged."""
    made = [fleet.houses[number % GATEWAYS].block() for number in range(round(seconds * 2000))]
    loop = asyncio.get_running_loop()
    begun, before = loop.time(), len(fleet.waits)

    async def sender(own: list[Message]) -> None:
        for message in own:
            if loop.time() - begun > seconds:
                return
            await fleet.room(500)
            await fleet.send(message)

    await asyncio.gather(*(sender(made[n::50]) for n in range(50)))
    async with asyncio.timeout(60):
        await fleet.room(1)
    return (len(fleet.waits) - before) * READINGS / (loop.time() - begun)


async def _play(port: int, story: Callable[[Fleet], Awaitable[None]]) -> None:
    connection = await connect(Endpoint(f"mqtt://127.0.0.1:{port}", "fleet", receive_maximum=2000))
    await connection.subscribe(["nabd/v1/+/+/ack"])
    fleet = Fleet(connection)
    ears = asyncio.create_task(fleet.hear())
    try:
        await story(fleet)
    finally:
        ears.cancel()
        await asyncio.gather(ears, return_exceptions=True)
        await connection.close()


def stored(seconds: float) -> list[Figure]:
    """Measure each store at hand."""
    figures = [*_measured("SQLite", 'path = "readings.sqlite"', seconds)]
    if Postgres.program() is None:
        return [*figures, Figure("PostgreSQL is not installed", "not measured", "none", True)]
    with Postgres() as server:
        server.sql("CREATE DATABASE bench")
        store = f'kind = "postgres"\nurl = "{server.url("bench")}"\nusername = "nabd"'
        return [*figures, *_measured("PostgreSQL", store, seconds)]


def _measured(name: str, store: str, seconds: float) -> list[Figure]:
    waits: list[float] = []
    rates: list[float] = []

    async def story(fleet: Fleet) -> None:
        await steady(fleet, 20, 2)  # the hub's first blocks compile and connect
        fleet.waits.clear()
        await steady(fleet, GATEWAYS / 10, seconds)
        waits.extend(sorted(fleet.waits))
        rates.append(await flood(fleet, seconds))

    with rig(1) as running:
        hub = _hub(running, store)
        asyncio.run(_play(running.broker_port, story))
        memory, cpu = hub.rss(), hub.cpu()
    p99 = waits[math.ceil(len(waits) * 0.99) - 1] * 1000 if waits else math.inf
    middle = waits[len(waits) // 2] * 1000 if waits else math.inf
    return [
        Figure(
            f"{name}: stored ack, p99 at {GATEWAYS} houses ({GATEWAYS // 10} blocks/s)",
            f"{p99:.0f} ms (median {middle:.0f})", "< 500 ms", p99 < 500,
        ),
        Figure(f"  {name}: readings a second, flooded", f"{rates[0]:,.0f}", ">= 2 x those houses", rates[0] >= 3600),
        Figure(f"  {name}: memory and CPU of the hub", f"{memory:.0f} MB, {cpu:.0f} s", "none", True),
    ]  # fmt: skip


def _hub(running: Rig, store: str) -> Process:
    text = HUB.format(port=running.broker_port, store=store)
    (running.folder / "hub.toml").write_text(text, encoding="utf-8")
    hub = running.nabd("hub")
    running.wait_for("hub")
    return hub
