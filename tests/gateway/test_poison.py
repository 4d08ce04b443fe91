"""D18: a block that a broker will not have costs the others nothing and ends in quarantine, on the real brokers."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.backoff import Backoff
from gateway.message import Topics
from gateway.mqtt import connect
from gateway.transport import Endpoint
from gateway.uplink import Uplink

LARGE = 6
GOOD = [*range(1, LARGE), *range(LARGE + 1, 12)]


@dataclass
class Blocks:
    """Blocks of a hundred bytes, but for one of `large` bytes."""

    large: int
    stream: str = "0123456789ab"
    blocks: list[int] = field(default_factory=lambda: sorted([*GOOD, LARGE]))
    loads: int = 0

    def pending(self) -> list[int]:
        """What was not taken yet."""
        return self.blocks

    async def load(self, block: int) -> bytes | None:
        """Bytes that nothing compresses, and that look like no compressed ones."""
        self.loads += block == LARGE
        return b"{" + os.urandom(self.large if block == LARGE else 100)

    async def wait(self) -> None:
        """Nothing is added."""
        await asyncio.Event().wait()

    def stored(self, block: int, rejected: Iterable[tuple[int, str]] = ()) -> bool:
        """Free a block."""
        assert not list(rejected)
        self.blocks.remove(block)
        return True


@asynccontextmanager
async def running(blocks: Blocks, url: str, ack_timeout: float = 0.2) -> AsyncIterator[Uplink]:
    """Run an uplink which a PUBACK is enough for; a refused block is tried again after `ack_timeout`, then doubled."""
    uplink = Uplink(
        blocks, connect, Endpoint(url, "gw"), Topics("t", "gw"), list,
        ack_mode="puback", ack_timeout=ack_timeout, backoff=Backoff(0.1, 0.4),
    )  # fmt: skip
    task = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(what: Callable[[], object], seconds: float) -> float:
    """Wait for a condition and say how long it took."""
    start = time.monotonic()
    while not what():
        assert time.monotonic() - start < seconds
        await asyncio.sleep(0.01)
    return time.monotonic() - start


WAYS = [
    pytest.param("message_size_limit 10000", 20_000, "too_large", id="mosquitto says 0x95"),
    pytest.param("max_packet_size 10000", 20_000, "too_large", id="mosquitto has a limit"),
    pytest.param("", 1_100_000, "connection_lost", id="iotcore hangs up"),
]
"""How each broker says no: by PUBACK, in CONNACK, or by hanging up."""


@pytest.mark.parametrize(("setting", "large", "reason"), WAYS)
async def test_one_block_too_large_is_set_aside_and_the_others_pass(
    request: pytest.FixtureRequest, setting: str, large: int, reason: str
) -> None:
    """Ten small blocks are through within five seconds; three tries later the large one rests, and so does the link."""
    if setting:
        broker = request.getfixturevalue("mosquitto_with")(setting)
    else:
        broker = request.getfixturevalue("iotcore_broker")
    blocks = Blocks(large)
    async with running(blocks, broker.url, 0.2 if setting else 60) as uplink:
        await until(lambda: blocks.blocks == [LARGE], 5)
        await until(lambda: uplink.status()["quarantined"], 10)
        assert uplink.status()["quarantined"] == {reason: 1}
        assert blocks.loads <= 5  # once with the others, then three times by itself
        await until(lambda: uplink.connection is not None, 5)
        assert uplink.counters.connects <= (1 if setting else 5)
        assert blocks.blocks == [LARGE]
        assert reason == "connection_lost" or "(0x95)" in uplink.error or "larger than the broker's" in uplink.error


async def test_a_limit_that_is_raised_lets_the_block_through(mosquitto_with: Any) -> None:
    """A quarantine loses nothing: on a broker that takes it the block goes out, and nothing is said any more."""
    small, wide = mosquitto_with("message_size_limit 10000"), mosquitto_with()
    blocks = Blocks(20_000)
    async with running(blocks, small.url) as uplink:
        await until(lambda: uplink.status()["quarantined"], 10)
        uplink._endpoint = Endpoint(wide.url, "gw")
        small.kill()
        await until(lambda: not blocks.blocks, 20)
        assert uplink.status()["quarantined"] == {}
        assert uplink.error == ""
