"""A store that lost what it had is filled again from the journals of the gateways."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import orjson

from gateway.mqtt import connect
from gateway.transport import Endpoint, Message
from tests.support.brokers import Mosquitto
from tests.support.stack import Stack


async def test_a_store_restored_from_nothing_is_filled_by_replay(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """The hub's files are gone; live readings go on, the gap is asked for, and nothing is missing or doubled."""
    stack = Stack(tmp_path, mosquitto.port, mosquitto.port, meters=3)
    await stack.start()
    try:
        await stack.until_stored(100)
        await stack.kill("hub")
        for file in [*tmp_path.glob("readings.sqlite*"), *tmp_path.glob("hub.sqlite*")]:
            file.unlink()
        await stack.run("hub")
        await stack.until_stored(30)
        first = min(seq for _, _, seq, _ in stack.rows())
        assert first > 100
        answer = await _replay(mosquitto, 1, first - 1)
        assert answer["blocks"] >= 1
        async with asyncio.timeout(60):
            while min(seq for _, _, seq, _ in stack.rows()) > 1 or _ranges(tmp_path) > 1:
                await asyncio.sleep(0.2)
        await stack.drain(20)
        await stack.verdict()
        assert (await stack.status("edge"))["uplink"]["replayed"] == answer["blocks"]
    finally:
        await stack.stop()


async def _replay(broker: Mosquitto, first: int, last: int) -> dict[str, int]:
    """Command it as a hub does and give the gateway's reply."""
    connection = await connect(Endpoint(broker.url, "asker"))
    await connection.subscribe(["nabd/v1/home/gw/reply"])
    payload = orjson.dumps({"role": "operator", "from": first, "to": last})
    await connection.publish(Message("nabd/v1/home/gw/cmd/replay", payload, qos=1, correlation=b"q", expiry=60))
    async with asyncio.timeout(10):
        reply = (await anext(connection.messages())).message
    await connection.close()
    assert reply.correlation == b"q"
    return dict(orjson.loads(reply.payload))


def _ranges(folder: Path) -> int:
    """Count the ranges of numbers the hub has: one when none is missing."""
    with contextlib.closing(sqlite3.connect(f"file:{folder / 'hub.sqlite'}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM covered").fetchone()[0])
