"""From the wire to the store on real brokers, through every catastrophe: nothing missing, nothing doubled.

The meters count their own answers, so the store is judged by what the meters said, not by what Nabd says of itself.
"""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from gateway.message import decode_block
from gateway.uplink import LAST_RECONNECT
from tests.support.brokers import Mosquitto
from tests.support.fake_broker import FakeBroker
from tests.support.proxy import TcpProxy
from tests.support.stack import Stack


async def test_readings_reach_the_store_and_the_edge_leaves_in_order(stack: Stack) -> None:
    """The plain way, and SIGTERM ends both programs with code 0."""
    await stack.until_stored(200)
    await stack.drain(15)
    await stack.verdict()
    assert await stack.kill("edge", signal.SIGTERM) == 0
    assert await stack.kill("hub", signal.SIGTERM) == 0
    assert stack.log("edge") == ""


async def test_a_silent_link_loses_nothing(stack: Stack, proxy: TcpProxy, broker: Any) -> None:
    """A link that swallows everything, without FIN, for 60 s under load (15 s on the embedded broker)."""
    await stack.until_stored(100)
    proxy.swallow()
    await asyncio.sleep(60 if isinstance(broker, Mosquitto) else 15)
    proxy.resume()
    await stack.until_stored(1000, seconds=LAST_RECONNECT + 30)
    await stack.drain(30)
    await stack.verdict()


async def test_a_broker_killed_and_restarted_empty_loses_nothing(stack: Stack, broker: Any) -> None:
    """SIGKILL to a broker without persistence, three times under load."""
    for _ in range(3):
        await stack.until_stored(100)
        broker.kill()
        await asyncio.sleep(1)
        broker.start()
    await stack.until_stored(100, seconds=60)
    await stack.drain(40)
    await stack.verdict()


async def test_a_killed_collector_loses_nothing(stack: Stack) -> None:
    """SIGKILL to the hub three times under load."""
    for _ in range(3):
        await stack.until_stored(100)
        await stack.kill("hub")
        await asyncio.sleep(1)
        await stack.run("hub")
    await stack.until_stored(100, seconds=60)
    await stack.drain(40)
    await stack.verdict()


async def test_a_killed_edge_loses_nothing_it_read(stack: Stack) -> None:
    """SIGKILL to the edge three times under load: the mirror gives back the open window."""
    for _ in range(3):
        await stack.until_stored(100)
        await asyncio.sleep(0.5)
        await stack.kill("edge")
        await stack.run("edge")
    await stack.until_stored(100, seconds=60)
    await stack.drain(40)
    await stack.verdict(interrupted=3)


@pytest.mark.parametrize("mode", ["puback", "stored"])
async def test_what_a_broker_forgets_is_lost_by_puback_alone(tmp_path: Path, mode: str) -> None:
    """A broker that acknowledges and forgets costs exactly what it forgot with ack_mode puback, and nothing else."""
    async with FakeBroker() as broker:
        stack = Stack(tmp_path, broker.port, broker.port, meters=3, ack_mode=mode)
        await stack.start()
        try:
            await stack.until_stored(50)
            before = len(broker.published)
            broker.forget = True
            await asyncio.sleep(3)
            broker.forget = False
            data = [message for message in broker.published[before:] if message.topic.endswith("/data")]
            forgotten = {row.seq for message in data for row in decode_block(message.payload).readings}
            await stack.until_stored(100, seconds=60)
            await stack.drain(40)
            kept = {seq for _, _, seq, _ in stack.rows()}
            missing = set(range(1, max(kept) + 1)) - kept
            assert forgotten
            assert missing == (forgotten if mode == "puback" else set())
        finally:
            await stack.stop()
