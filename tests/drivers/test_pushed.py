"""The port of meters that talk by themselves."""

import asyncio
from collections import Counter

import pytest

from drivers.contract import NotConnected
from drivers.pushed import PushedPort


class Lines:
    """A decoder of lines."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()

    def feed(self, data: bytes) -> list[bytes]:
        """Give each line."""
        return data.split()


async def test_a_slow_reader_gets_the_newest() -> None:
    """What came meanwhile is left out, and the number says so."""
    port = PushedPort(Lines(), lambda: 7)
    port.data_received(b"a b c")
    assert await port.after(0) == (3, 7, b"c")


async def test_everybody_who_waits_is_woken() -> None:
    """Two readers that wait get the same telegram."""
    port = PushedPort(Lines(), lambda: 7)
    waiting = [asyncio.ensure_future(port.after(0)) for _ in range(2)]
    await asyncio.sleep(0)
    port.data_received(b"a")
    assert await asyncio.gather(*waiting) == [(1, 7, b"a")] * 2


async def test_the_first_reason_for_the_end_stands() -> None:
    """Who waits when the link ends, or asks later, hears why it ended first."""
    port = PushedPort(Lines(), lambda: 7)
    waiting = asyncio.ensure_future(port.after(0))
    await asyncio.sleep(0)
    port.connection_lost(OSError("pulled"))
    port.lose(NotConnected("closed"))
    for reader in (waiting, port.after(0)):
        with pytest.raises(NotConnected, match="pulled"):
            await reader
