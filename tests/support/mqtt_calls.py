"""A connection of the transport for a test: opened, listened to, lost; and a message with everything in it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway import mqtt
from gateway.transport import Arrived, Endpoint, Lost, Message

DATA = Message(
    "nabd/v1/home/gw-1/data",
    b'{"v":1}',
    qos=1,
    expiry=604800,
    content_type="application/vnd.nabd.block.v1",
    response_topic="nabd/v1/home/gw-1/ack",
    correlation=b"9f2c3a41b07d:812",
)


@contextlib.asynccontextmanager
async def opened(url: str, client_id: str = "gw-1", **options: Any) -> AsyncIterator[mqtt.PahoConnection]:
    """Connect for as long as the context lasts."""
    connection = await mqtt.connect(Endpoint(url, client_id, **options), timeout=5)
    try:
        yield connection
    finally:
        await connection.close()


async def first(connection: mqtt.PahoConnection, count: int = 1) -> list[Arrived]:
    """Take so many arrivals, unacknowledged."""
    taken: list[Arrived] = []
    async with asyncio.timeout(5):
        async for arrived in connection.messages():
            taken.append(arrived)
            if len(taken) == count:
                break
    return taken


async def loss(connection: mqtt.PahoConnection) -> Lost:
    """Wait for the connection's end and give its reason."""
    with pytest.raises(Lost) as lost:
        async with asyncio.timeout(5):
            await connection.closed()
    return lost.value
