"""The stage of the journeys: a real broker, the edge's way to it, and edge and hub as programs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.proxy import TcpProxy
from tests.support.stack import Stack

QUEUES = ("max_queued_messages 0", "max_inflight_messages 100")
"""Mosquitto's own limits are 1,000 and 20: a collector that is away a while would find messages dropped."""


@pytest.fixture(params=["mosquitto", "iotcore"])
def broker(request: pytest.FixtureRequest) -> Any:
    """Each real broker in turn, without persistence: killed, it forgets all it acknowledged."""
    if request.param == "mosquitto":
        return request.getfixturevalue("mosquitto_with")(*QUEUES)
    return request.getfixturevalue("iotcore_broker")


@pytest.fixture
async def proxy(broker: Any) -> AsyncIterator[TcpProxy]:
    """The edge's way to the broker."""
    async with TcpProxy("127.0.0.1", broker.port) as proxy:
        yield proxy


@pytest.fixture
async def stack(tmp_path: Path, broker: Any, proxy: TcpProxy) -> AsyncIterator[Stack]:
    """Edge behind the proxy, hub beside the broker."""
    stack = Stack(tmp_path, proxy.port, broker.port)
    await stack.start()
    yield stack
    await stack.stop()
