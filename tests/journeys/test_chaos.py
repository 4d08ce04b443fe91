"""Random catastrophes, one after another, from a fixed seed: nothing missing, nothing doubled, nothing altered.

The broker, the hub and the edge are killed with SIGKILL, the link between edge and broker swallows bytes in silence,
and the store refuses to write, in an order drawn by dice. What the meters said judges the store. The negative
control, that a broker which forgets does cost readings with `ack_mode = "puback"`, stands in test_wire_to_store.py.
"""

import asyncio
import contextlib
import random
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.proxy import TcpProxy
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Chaos:
    """Does one catastrophe after the other; `counts` says how many of each."""

    def __init__(self, stack: Stack, broker: Any, proxy: TcpProxy, dice: random.Random) -> None:
        self._stack, self._broker, self._proxy, self._dice = stack, broker, proxy, dice
        self.counts: dict[str, int] = {}

    async def run(self, seconds: float) -> None:
        """Choose and do, with short pauses, until the time is up."""
        loop = asyncio.get_running_loop()
        kinds: list[Callable[[], Awaitable[None]]] = [
            self._kill_broker,
            self._kill_hub,
            self._kill_edge,
            self._silence,
            self._cut,
            self._lock_store,
        ]
        until = loop.time() + seconds
        order: list[Callable[[], Awaitable[None]]] = []
        while loop.time() < until:
            # Each kind in turn, in a new order every time: all of them happen, whatever the dice say.
            order = order or self._dice.sample(kinds, len(kinds))
            kind = order.pop()
            self.counts[kind.__name__] = self.counts.get(kind.__name__, 0) + 1
            await kind()
            await asyncio.sleep(self._dice.uniform(0.2, 1.5))

    async def _kill_broker(self) -> None:
        self._broker.kill()
        await asyncio.sleep(self._dice.uniform(0, 1))
        self._broker.start()

    async def _kill_hub(self) -> None:
        await self._stack.kill("hub")
        await asyncio.sleep(self._dice.uniform(0, 1))
        await self._stack.run("hub")

    async def _kill_edge(self) -> None:
        await self._stack.kill("edge")
        await self._stack.run("edge")

    async def _silence(self) -> None:
        self._proxy.swallow()
        await asyncio.sleep(self._dice.uniform(0.5, 4))
        self._proxy.resume()

    async def _cut(self) -> None:
        self._proxy.cut()

    async def _lock_store(self) -> None:
        """Put the store down for everybody: another program holds its file for writing."""
        with contextlib.closing(sqlite3.connect(self._stack.folder / "readings.sqlite")) as other:
            other.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(self._dice.uniform(1, 8))
            other.rollback()


@pytest.mark.parametrize("seed", [1])
async def test_thirty_seconds_of_chaos_lose_nothing(stack: Stack, broker: Any, proxy: TcpProxy, seed: int) -> None:
    """Ten meters at ten readings a second each, thirty seconds of catastrophes, then the drain and the reckoning."""
    await _survive(stack, Chaos(stack, broker, proxy, random.Random(seed)), 30)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2])
async def test_fifteen_minutes_of_chaos_lose_nothing(stack: Stack, broker: Any, proxy: TcpProxy, seed: int) -> None:
    """D6: at least twenty kills of broker and edge and twenty lost links."""
    chaos = Chaos(stack, broker, proxy, random.Random(seed))
    await _survive(stack, chaos, 900)
    assert min(chaos.counts.values()) >= 20


async def _survive(stack: Stack, chaos: Chaos, seconds: float) -> None:
    await stack.until_stored(100)
    await chaos.run(seconds)
    assert len(chaos.counts) == 6
    await stack.drain(60)
    await stack.verdict(interrupted=chaos.counts["_kill_edge"])
