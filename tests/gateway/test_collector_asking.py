"""The collector asks again for readings that it misses, and for no others."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.message import Loss
from tests.support.collecting import GW, STREAM, Hub, block


@pytest.fixture
async def asking(tmp_path: Path) -> AsyncIterator[Hub]:
    """Give a hub that looks for missing readings all the time."""
    async with Hub(tmp_path, look_every=0.02) as running:
        await running.connected()
        yield running


async def test_what_is_missing_is_asked_for_again(asking: Hub) -> None:
    """Readings 4 and 5 never came and no loss names them: their gateway is told to replay, and not once they came."""
    asking.broker.deliver(block(1, [1, 2, 3]))
    asking.broker.deliver(block(3, [6, 7]))
    await asking.until(lambda: asking.collector.counters.replays)
    command = next(message for message in asking.broker.published if "/cmd/" in message.topic)
    assert command.topic == GW.of("cmd", "replay")
    fields = json.loads(command.payload)
    assert {name: fields[name] for name in ("stream", "from", "to")} == {"stream": STREAM, "from": 4, "to": 5}
    asking.broker.deliver(block(2, [4, 5]))
    await asking.until(lambda: asking.collector.counters.acks == 3)
    asked = asking.collector.counters.replays
    await asyncio.sleep(0.1)
    assert asking.collector.counters.replays <= asked + 1


LOST = Loss.model_validate({"reason": "evicted", "first": 4, "last": 5, "count": 2})


async def test_a_named_loss_is_not_asked_for(asking: Hub) -> None:
    """What the ledger explains is gone for good."""
    asking.broker.deliver(block(1, [1, 2, 3]))
    asking.broker.deliver(block(3, [6, 7], losses=[LOST]))
    await asking.stored(2)
    await asyncio.sleep(0.1)
    assert asking.collector.counters.replays == 0
