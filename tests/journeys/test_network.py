"""F1, F6, F29: real TCP between two namespaces over a line that is slow and lossy, goes silent, or gets new addresses.

The meters and the edge live on the near side, broker and hub on the far one. The line between them is carried by this
process (`tests/support/network.py`).
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.support.brokers import Mosquitto
from tests.support.counting_meters import CountingMeter, CountingMeters
from tests.support.network import Cable, Sides, missing
from tests.support.stack import Stack

KEEPALIVE = 5
"""Seconds; `tests/support/stack.py` configures it."""
PORT = 1883


class EverywhereMeters(CountingMeters):
    """Listen on every address of their side."""

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        for number in range(len(self.counts)):
            meter = partial(CountingMeter, self.counts, number, self._open)
            server = await loop.create_server(meter, "10.77.0.2", 0)
            self._servers.append(server)
            self.ports.append(server.sockets[0].getsockname()[1])


class SplitStack(Stack):
    """A stack whose edge reaches its broker over the cable, by the host that `broker` names."""

    def __init__(self, folder: Path, sides: Sides, broker: str, *, meters: int = 4, across: bool = False) -> None:
        super().__init__(folder, PORT, PORT, meters=meters)
        self.sides, self._broker, self._across = sides, broker, across
        if across:
            self.meters = EverywhereMeters(meters)

    async def run(self, program: str) -> None:
        """Start a program on its own side."""
        with self.sides.far if program == "hub" else self.sides.near:
            await super().run(program)

    async def start(self) -> None:
        """Start the meters beside the edge, or with `across` beside the hub."""
        with self.sides.far if self._across else self.sides.near:
            await super().start()

    def _edge_toml(self) -> str:
        text = super()._edge_toml().replace(f"mqtt://127.0.0.1:{PORT}", f"mqtt://{self._broker}:{PORT}")
        text = text.replace('live_every = "1s"', 'live_every = "1h"')  # blocks are what is counted here
        return text.replace("tcp://127.0.0.1", "tcp://10.77.0.2") if self._across else text


class EverywhereMosquitto(Mosquitto):
    """Listens on every address of its side, old and new family."""

    def __init__(self, folder: Path) -> None:
        super().__init__(PORT, folder, ("max_queued_messages 0", "max_inflight_messages 100"))
        text = self._config.read_text().replace(f"listener {PORT} 127.0.0.1", f"listener {PORT}")
        self._config.write_text(text)


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Sides]:
    """Both sides, with a broker on the far one."""
    if why := missing():
        skip_or_fail(why)
    if Mosquitto.program() is None:
        skip_or_fail("mosquitto is not installed (apt install mosquitto)")
    broker = EverywhereMosquitto(tmp_path / "broker")
    with Sides() as sides:
        with sides.far:
            broker.start()
        try:
            yield sides
        finally:
            broker.kill()


@asynccontextmanager
async def standing(stack: Stack) -> AsyncIterator[Stack]:
    """Start a stack and stop it."""
    await stack.start()
    try:
        yield stack
    finally:
        await stack.stop()


async def uplink(stack: Stack) -> dict[str, int]:
    """Give the uplink's figures."""
    return dict((await stack.status("edge"))["uplink"])


async def reconnected(stack: Stack, connects: int) -> float:
    """Wait for one more connection than `connects` and say how many seconds that took."""
    start = time.monotonic()
    while True:
        now = await uplink(stack)
        if now["connects"] > connects and now["connected"]:
            return time.monotonic() - start
        assert time.monotonic() - start < 75, now
        await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_a_slow_and_lossy_line_carries_each_block_about_once(tmp_path: Path, sides: Sides) -> None:
    """F6: 64 kbit/s with 20 % loss each way; a block goes out again only when its connection died."""
    async with Cable(sides, rate=8000, loss=0.2), standing(SplitStack(tmp_path, sides, "10.77.0.2")) as stack:
        await stack.until_stored(400, seconds=60)
        await stack.drain(60)
        figures = await uplink(stack)
        assert figures["published"] <= 1.5 * figures["stored"], figures
        await stack.verdict()


@pytest.mark.slow
async def test_a_backlog_over_a_slow_and_lossy_line_is_no_storm(tmp_path: Path, sides: Sides) -> None:
    """F6: what gathered in a silence goes out over 64 kbit/s with 20 % loss at 1.5 times its own size, all told."""
    async with Cable(sides) as cable, standing(SplitStack(tmp_path, sides, "10.77.0.2", meters=10)) as stack:
        await stack.until_stored(100)
        cable.silent = True
        await asyncio.sleep(60)
        before, stored = cable.offered, (await stack.status("edge"))["journal"]
        cable.silent, cable.rate, cable.loss = False, 8000, 0.2
        await stack.drain(240)
        figures = await uplink(stack)
        assert figures["published"] <= 1.5 * figures["stored"], figures
        assert stored["pending_bytes"] > 20_000
        assert cable.offered - before <= 2.5 * stored["pending_bytes"], "TCP's own repeats and headers included"
        await stack.verdict()


async def test_silence_is_noticed_and_a_line_that_comes_back_is_used(tmp_path: Path, sides: Sides) -> None:
    """F1: packets vanish without a word, for broker and Modbus TCP alike; nothing is lost, nothing read twice."""
    async with Cable(sides) as cable, standing(SplitStack(tmp_path, sides, "10.77.0.2", across=True)) as stack:
        await stack.until_stored(50)
        connects = (await uplink(stack))["connects"]
        cable.silent = True
        start = time.monotonic()
        while (await uplink(stack))["connected"]:
            assert time.monotonic() - start < KEEPALIVE * 1.5 + 1
            await asyncio.sleep(0.1)
        buses = (await stack.status("edge"))["buses"]
        assert all(meter["error"] for bus in buses for meter in bus["meters"]), "a silent meter is one that failed"
        cable.silent = False
        assert await reconnected(stack, connects) <= 60
        await stack.until_stored(50, seconds=60)
        await stack.drain(30)
        await stack.verdict(interrupted=len(buses))


@pytest.mark.slow
async def test_new_addresses_and_then_ipv6_alone(tmp_path: Path, sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    """F29: a new address, then IPv6 alone; the edge is back within a minute each time, by the same host name."""
    sides.near.readdress("fd77::1/64")
    monkeypatch.setattr("sys.executable", str(_with_hosts(tmp_path, ["10.77.0.2", "fd77::2"])))
    async with Cable(sides) as cable, standing(SplitStack(tmp_path, sides, "broker.test")) as stack:
        await stack.until_stored(50)
        for old, new in (("10.77.0.1/24", "10.77.0.9/24"), ("10.77.0.9/24", "fd77::1/64")):
            connects = (await uplink(stack))["connects"]
            sides.near.readdress(old, new)
            cable.abandon(old.removesuffix("/24"))
            assert await reconnected(stack, connects) <= 60
            await stack.until_stored(50)
        await stack.drain(30)
        await stack.verdict()


def _with_hosts(folder: Path, addresses: list[str]) -> Path:
    """Make a Python that finds broker.test at these addresses: a mount namespace with an /etc/hosts of its own."""
    hosts, program = folder / "hosts", folder / "python"
    hosts.write_text("".join(f"{address} broker.test\n" for address in addresses), encoding="ascii")
    inner = f'mount --bind {hosts} /etc/hosts && exec {sys.executable} "$@"'
    program.write_text(f"#!/bin/sh\nexec unshare --mount sh -c '{inner}' sh \"$@\"\n", encoding="ascii")
    program.chmod(0o700)
    return program
