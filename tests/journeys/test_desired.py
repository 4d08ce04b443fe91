"""What a hub wishes of a gateway, over a real broker: taken, told back, kept, and refused where it is no document."""

import asyncio
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from gateway.message import Topics
from gateway.mqtt import connect
from gateway.transport import Connection, Endpoint, Message
from tests.support.brokers import Mosquitto
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

GW = Topics("home", "gw")


async def wish(connection: Connection, payload: bytes) -> None:
    """Publish a document as a hub does."""
    await connection.publish(Message(GW.of("settings"), payload, qos=1, retain=True))


async def until(stack: Stack, seen: "Callable[[dict[str, Any]], bool]") -> dict[str, Any]:
    """Wait until the edge says so of its settings."""
    async with asyncio.timeout(20):
        while not seen(said := (await stack.status("edge")).get("settings", {})):
            await asyncio.sleep(0.1)
    return dict(said)


async def test_settings_are_taken_told_back_and_kept(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """One is in force at once and echoed in `health`; rubbish changes nothing; a start without a broker keeps it."""
    stack = Stack(tmp_path, mosquitto.port, mosquitto.port, meters=1)
    await stack.start()
    try:
        hub = await connect(Endpoint(mosquitto.url, "asker"))
        await hub.subscribe([GW.of("health")])
        await wish(hub, json.dumps({"v": 1, "rev": 7, "live_every_s": 3600}).encode())
        await until(stack, lambda said: said["rev"] == 7)
        async with asyncio.timeout(30):
            async for arrived in hub.messages():
                arrived.ack()
                if arrived.message.topic == GW.of("health"):
                    break
        assert orjson.loads(arrived.message.payload)["settings"] == {"rev": 7, "refused": {}, "error": ""}
        await wish(hub, b'{"v":1,"rev":8,"live_every_s":-1}')
        said = await until(stack, lambda said: bool(said["error"]))
        assert said == {"rev": 7, "refused": {"malformed": 1}, "error": said["error"]}
        assert "live_every_s" in said["error"]
        await hub.close()
        assert await stack.kill("edge", signal.SIGTERM) == 0
        mosquitto.kill()
        await stack.run("edge")
        assert (await stack.status("edge"))["settings"]["rev"] == 7
    finally:
        await stack.stop()
