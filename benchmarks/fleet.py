"""Ten thousand gateways on one broker and one hub: how soon blocks are stored, and what a broker's death costs.

1. Each gateway has a connection of its own (`thin_gateway.py`) and sends a block of three readings every ten
   seconds, each with five values.
2. In the middle the broker is killed and started again. Every gateway waits by full jitter, under a first cap of
   `SPREAD`, as `[mqtt] spread` makes an edge wait, and sends what was pending.
3. At the end every number of every gateway must be in the store, once.

Mosquitto and the hub are processes of their own; fleet, broker and hub share the machine.
"""

import asyncio
import contextlib
import math
import resource
import sqlite3
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.hub import HUB, House
from benchmarks.rig import Figure, Process, Rig, broker_command, rig, wait_for_port
from benchmarks.thin_gateway import Tally, ThinGateway

EVERY = 10.0
READINGS = 3
SPREAD = 60.0
ARRIVE = 400
"""Gateways that connect in a second at the beginning: a town does not switch on at once."""
DOWN = 3.0
PATIENCE = 180.0


@dataclass
class Story:
    """What was seen; times are the loop's, in seconds."""

    killed: float = 0.0
    back: float = math.inf
    end: float = 0.0
    left: int = 0


def full() -> list[Figure]:
    """Measure ten thousand for ten minutes."""
    return _measured(10_000, 600)


def quick() -> list[Figure]:
    """Measure a thousand for a minute and a half."""
    return _measured(1_000, 90)


def _measured(count: int, seconds: float) -> list[Figure]:
    with rig(1) as running:
        hub = _hub(running)
        tally, story = Tally(), Story()
        asyncio.run(_play(running, count, seconds, tally, story))
        memory, cpu = hub.rss(), hub.cpu() / (seconds * count / EVERY * READINGS) * 1e6
        hub.stop()
        missing, doubled = _judge(running.folder / "readings.sqlite", count, seconds)
    waits = sorted(wait for sent, wait in tally.waits if sent < story.killed - 1)
    p99 = waits[math.ceil(len(waits) * 0.99) - 1] * 1000 if waits else math.inf
    middle = waits[len(waits) // 2] * 1000 if waits else math.inf
    again = Counter(int(at - story.killed) for at in tally.connects if at > story.killed)
    peak = max(again.values(), default=0)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure(
            f"{count} gateways, {READINGS} readings every {EVERY:.0f} s: stored ack, p99",
            f"{p99:.0f} ms (median {middle:.0f})", "< 500 ms", p99 < 500,
        ),
        Figure("  broker killed: all back after", f"{story.back - story.killed:.0f} s", "<= 120 s",
               story.back - story.killed <= 120),
        Figure("  most connects in a second meanwhile", f"{peak}", "<= 500", peak <= 500),
        Figure("  readings missing, doubled; blocks unanswered", f"{missing}, {doubled}; {story.left}", "0, 0; 0",
               missing == doubled == story.left == 0),
        Figure("  memory of the fleet, of the hub", f"{own:.0f} MB, {memory:.0f} MB", "fleet <= 2,048 MB", own <= 2048),
        Figure("  CPU of the hub a reading", f"{cpu:.0f} us", "none", True),
    ]  # fmt: skip


async def _play(running: Rig, count: int, seconds: float, tally: Tally, story: Story) -> None:
    fleet = []
    for number in range(count):
        house = House(number, READINGS)
        topic = house.topics.of("ack")
        gateway = ThinGateway(house.topics.gw, topic, house.block, running.broker_port, tally)
        gateway.spread(SPREAD)
        fleet.append(gateway)
    await _arrive(fleet, tally)
    loop = asyncio.get_running_loop()
    begun, due = loop.time(), loop.time()
    death = asyncio.create_task(_death(running, seconds / 2, count, tally, story))
    for number in range(round(seconds * count / EVERY)):
        fleet[number % count].produce()
        due += EVERY / count
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        elif number % 20 == 0:
            await asyncio.sleep(0)
    story.end = loop.time() - begun
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while tally.pending:
                await asyncio.sleep(1)
                for gateway in fleet:
                    gateway.again()
            await death
    story.left = tally.pending


async def _arrive(fleet: list[ThinGateway], tally: Tally) -> None:
    for start in range(0, len(fleet), ARRIVE):
        await asyncio.gather(*(gateway.connect() for gateway in fleet[start : start + ARRIVE]))
        await asyncio.sleep(1)
    async with asyncio.timeout(PATIENCE):
        while tally.ready < len(fleet):
            await asyncio.sleep(0.1)


async def _death(running: Rig, after: float, count: int, tally: Tally, story: Story) -> None:
    """Kill the broker, start it again, and note when everybody is back."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(after)
    story.killed = loop.time()
    running.broker.popen.kill()
    await asyncio.sleep(DOWN)
    command = broker_command(running.folder, running.broker_port)
    start = partial(subprocess.Popen, command, stderr=subprocess.DEVNULL, text=True)
    running.broker = Process(await asyncio.to_thread(start))
    await asyncio.to_thread(wait_for_port, running.broker_port)
    while tally.ready < count:
        await asyncio.sleep(0.1)
    story.back = loop.time()


def _judge(path: Path, count: int, seconds: float) -> tuple[int, int]:
    """Count what is missing and what is there twice, of all that was sent."""
    blocks = round(seconds * count / EVERY)
    wanted = {number + 1: (blocks // count + (number < blocks % count)) * READINGS for number in range(count)}
    missing = doubled = 0
    with contextlib.closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT stream, COUNT(*), COUNT(DISTINCT seq) FROM reading GROUP BY stream")
        there = {stream: (rows, distinct) for stream, rows, distinct in rows}
    for stream, number in wanted.items():
        rows, distinct = there.get(stream, (0, 0))
        missing += number - distinct
        doubled += rows - distinct
    return missing, doubled


def _hub(running: Rig) -> Process:
    text = HUB.format(port=running.broker_port, store='path = "readings.sqlite"')
    (running.folder / "hub.toml").write_text(text, encoding="utf-8")
    hub = running.nabd("hub")
    running.wait_for("hub")
    return hub
