"""Each customer of a hub listens to their own home: how soon they see a value, and what that costs the hub.

1. Every home has a gateway with a connection of its own (`thin_gateway.py`): a live value every two seconds, a block
   of three readings every ten.
2. In turns nobody listens, and the customer of every home does, each by a session of their own. Stored acks are timed
   both ways, and of the turns the middle one counts: what else the machine does in one of them says nothing of a hub.
3. A value that a newer one overtook counts until that one is seen. Each home has a voltage of its own, by which
   somebody else's value would be known.

Mosquitto and the hub are processes of their own; all gateways and browsers are one more on the same machine.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from statistics import fmean
from urllib.parse import urlsplit

from benchmarks.customer import Customer, meter_of
from benchmarks.hub import HUB, House
from benchmarks.rig import Figure, Process, Rig, rig
from benchmarks.thin_gateway import Tally, ThinGateway
from benchmarks.watch import percentile
from gateway import control
from gateway.message import Topics, encode_live

EVERY = 2.0
BLOCK_EVERY = 5
"""Live values after which a gateway sends a block."""
READINGS = 3
SETTLE = 8.0
TURNS = 3
AT_ONCE = 10
"""Customers who enter at the same moment."""
SOON = 0.01
"""Seconds for each customer: what all views cost decides how long each rests, so a page is as slow as they are many."""
WEIGHT, SLOWER = 150.0, 1.5


class Home:
    """A gateway with one meter, and the customer who lives there."""

    def __init__(self, number: int, port: int, tally: Tally) -> None:
        """Make both; `port` is the broker's."""
        self.tenant, self.number = f"flat-{number}", number
        self.customer: Customer | None = None
        self._house = House(number, READINGS)
        self._house.topics = self._topics = Topics(self.tenant, f"gw-{number}")
        name = f"{self.tenant}/gw-{number}"
        self.gateway = ThinGateway(name, self._topics.of("ack"), self._house.block, port, tally)
        self._meter = meter_of(number)

    def announce(self) -> None:
        """Send the birth document."""
        meter = self._meter
        row = {"id": meter.id, "name": meter.name, "commodity": meter.commodity, "model": meter.model}
        document = {"v": 1, "meters": [row | {"every": meter.every, "quantities": {}}]}
        self.gateway.post(self._topics.of("info"), json.dumps(document).encode())

    def read(self, turn: int) -> None:
        """Send a live value, and a block now and then."""
        ts = time.time_ns() // 1_000_000
        values = {**self._meter.values, "power_w": 100 + turn % 900, "energy_import_wh": 600_000 + turn}
        if self.customer is not None:
            self.customer.expect(ts)
        self.gateway.post(self._topics.of("live", self._meter.id), encode_live(ts, self._meter.id, 0, values))
        if (turn + self.number) % BLOCK_EVERY == 0:
            self.gateway.produce()


@dataclass
class Phase:
    """What was measured in all turns: seconds, `cpu` in shares of a core, `rss` in MB; `acks` are each turn's p99."""

    acks: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)
    seen: list[float] = field(default_factory=list)
    unseen: int = 0
    wrong: int = 0
    lost: int = 0


def full() -> list[Figure]:
    """A thousand for a minute and a half."""
    return _measured(1000, 30)


def quick() -> list[Figure]:
    """Three hundred for half a minute."""
    return _measured(300, 10)


def _measured(count: int, seconds: float) -> list[Figure]:
    with rig(1) as running:
        text = HUB.format(port=running.broker_port, store='path = "readings.sqlite"')
        (running.folder / "hub.toml").write_text(text, encoding="utf-8")
        hub = running.nabd("hub")
        running.wait_for("hub")
        alone, crowd = asyncio.run(_play(running, hub, count, seconds))
    turns = sorted(zip(alone.acks, crowd.acks, strict=True), key=lambda turn: turn[1] / turn[0])
    before, after = turns[len(turns) // 2]
    seen, weight = percentile(crowd.seen, 0.95), (crowd.rss[0] - alone.rss[0]) * 1024 / count
    return [
        Figure(
            f"{count} customers listen, a value every {EVERY:g} s: seen, p95",
            f"{seen:.2f} s (median {percentile(crowd.seen, 0.5):.2f} s)", f"<= {SOON * count:g} s",
            seen <= SOON * count,
        ),
        Figure("  values never seen, shown to another, lines lost", f"{crowd.unseen}, {crowd.wrong}, {crowd.lost}",
               "0, 0, 0", crowd.unseen == crowd.wrong == crowd.lost == 0),
        Figure("  memory a listener", f"{weight:.0f} kB, hub {max(crowd.rss):.0f} MB", f"<= {WEIGHT:g} kB",
               weight <= WEIGHT),
        Figure("  stored ack, p99, against nobody listening", f"{after * 1000:.0f} ms = {after / before:.2f} x",
               f"<= {SLOWER:g} x {before * 1000:.0f} ms", after <= SLOWER * before),
        Figure("  CPU of the hub, against nobody listening", f"{fmean(crowd.cpu):.0%}, {fmean(alone.cpu):.0%}", "none",
               True),
    ]  # fmt: skip


async def _play(running: Rig, hub: Process, count: int, seconds: float) -> tuple[Phase, Phase]:
    tally = Tally()
    homes = [Home(number, running.broker_port, tally) for number in range(count)]
    for home in homes:
        await home.gateway.connect()
    async with asyncio.timeout(60):
        while tally.ready < count:
            await asyncio.sleep(0.1)
    for home in homes:
        home.announce()
    sending = asyncio.create_task(_send(homes))
    await asyncio.sleep(SETTLE)
    alone, crowd, customers = Phase(), Phase(), list[Customer]()
    for turn in range(TURNS):
        await _watch(hub, tally, [], seconds, alone)
        customers = customers if turn else await _enter(running, homes)
        for customer in customers:
            await customer.listen()
        await asyncio.sleep(SETTLE)
        await _watch(hub, tally, customers, seconds, crowd)
        for customer in customers:
            customer.leave()
    sending.cancel()
    return alone, crowd


async def _send(homes: list[Home]) -> None:
    """Let every home send in its turn, evenly over the time."""
    loop, turn = asyncio.get_running_loop(), 0
    due = loop.time()
    while True:
        turn += 1
        for home in homes:
            home.read(turn)
            due += EVERY / len(homes)
            await asyncio.sleep(max(due - loop.time(), 0))


async def _enter(running: Rig, homes: list[Home]) -> list[Customer]:
    """Let a customer of every home in."""
    socket = running.folder / "hub.sock"
    address = (await control.ask(socket, {"do": "status"}))["pages"][0]
    port = urlsplit(str(address)).port
    assert port is not None

    async def let_in(home: Home) -> Customer:
        link = str((await control.ask(socket, {"do": "link", "role": "customer", "tenant": home.tenant}))["link"])
        home.customer = Customer(home.number, port)
        await home.customer.enter(link.rpartition("/")[2])
        return home.customer

    customers = []
    for start in range(0, len(homes), AT_ONCE):
        customers += await asyncio.gather(*(let_in(home) for home in homes[start : start + AT_ONCE]))
    return customers


async def _watch(hub: Process, tally: Tally, customers: list[Customer], seconds: float, into: Phase) -> None:
    """Measure for a while, after which whatever is under way has time to arrive."""
    loop = asyncio.get_running_loop()
    begun, cpu = loop.time(), hub.cpu()
    for customer in customers:
        customer.waits.clear()
    await asyncio.sleep(seconds)
    end = loop.time()
    into.cpu.append((hub.cpu() - cpu) / (end - begun))
    into.rss.append(hub.rss())
    into.seen += [wait for customer in customers for wait in customer.waits]
    await asyncio.sleep(SETTLE)
    answered = [wait for made, wait in tally.waits if begun <= made < end]
    assert answered, "no block was stored"
    into.acks.append(percentile(answered, 0.99))
    into.unseen += sum(sent < end for customer in customers for _, sent in customer.sent)
    into.wrong = sum(customer.wrong for customer in customers)
    into.lost = sum(customer.lost for customer in customers)
