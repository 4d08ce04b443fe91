"""F5 on a real Mosquitto: certificate, key and authority are replaced while blocks flow, and none is lost."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway import mqtt
from gateway.backoff import Backoff
from gateway.identity import dialling
from gateway.identity.dialling import Dialler
from gateway.identity.folder import Folder
from gateway.identity.pairs import TRIES
from gateway.message import Topics, encode_ack
from gateway.transport import Endpoint, Lost, Message
from gateway.uplink import Uplink
from tests.support.identities import Town, at, endpoint

if TYPE_CHECKING:
    from tests.support.brokers import Mosquitto

NAME = "home/gw-1"
TOPICS = Topics("home", "gw-1")


class Blocks:
    """A journal in memory: blocks pending and blocks the store has."""

    stream = "0123456789ab"

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.freed: list[int] = []
        self._changed = asyncio.Event()

    def commit(self, block: int) -> None:
        """Add a block."""
        self.waiting.append(block)
        self._changed.set()

    def pending(self) -> list[int]:
        """Give what is not stored."""
        return self.waiting

    async def load(self, block: int) -> bytes:
        """Give a block's bytes."""
        return b"block %d" % block

    async def wait(self) -> None:
        """Wait for a commit."""
        await self._changed.wait()
        self._changed.clear()

    def stored(self, block: int, _: Iterable[tuple[int, str]] = ()) -> bool:
        """Free a block."""
        known = block in self.waiting
        if known:
            self.waiting.remove(block)
            self.freed.append(block)
        return known


class Line:
    """A gateway's uplink through a dialler; `let_in` lists the certificate files' bytes that got in."""

    def __init__(self, where: Endpoint, keep: Path) -> None:
        self.blocks, self.let_in, self.made = Blocks(), list[bytes](), 0
        self.dialler = Dialler(self._connect, keep, lambda: True)
        self.uplink = Uplink(
            self.blocks, self.dialler, where, TOPICS, list, ack_timeout=1.0, backoff=Backoff(0.01, 0.05)
        )

    async def _connect(self, endpoint: Endpoint, timeout: float = 10.0) -> mqtt.PahoConnection:
        connection = await mqtt.connect(endpoint, timeout)
        assert endpoint.cert_file
        self.let_in.append(endpoint.cert_file.read_bytes())
        return connection

    async def commit(self) -> None:
        """Commit a block every few milliseconds, for ever."""
        while True:
            self.made += 1
            self.blocks.commit(self.made)
            await asyncio.sleep(0.005)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so, and then for twenty more blocks to be stored."""
        async with asyncio.timeout(15):
            while not true():
                await asyncio.sleep(0.01)
            enough = len(self.blocks.freed) + 20
            while len(self.blocks.freed) < enough:
                await asyncio.sleep(0.01)


async def answer(where: Endpoint) -> None:
    """Play the store: acknowledge every block, from however many connections it takes."""
    while True:
        with contextlib.suppress(Lost):
            hub = await mqtt.connect(where)
            try:
                await hub.subscribe([TOPICS.of("data")])
                async for arrived in hub.messages():
                    correlation = arrived.message.correlation
                    await hub.publish(Message(TOPICS.of("ack"), encode_ack(()), qos=1, correlation=correlation))
                    arrived.ack()
            finally:
                await hub.close()
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running(line: Line, hub: Endpoint) -> AsyncIterator[None]:
    """Run uplink, watch, store and meters."""
    tasks = [
        asyncio.create_task(work) for work in (answer(hub), line.uplink.run(), line.dialler.watch(), line.commit())
    ]
    try:
        yield
    finally:
        tasks[3].cancel()
        async with asyncio.timeout(15):
            while line.blocks.waiting:
                await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def put(data: bytes, path: Path) -> bytes:
    """Replace a file in one step, as certificate tools do."""
    path.with_suffix(".arriving").write_bytes(data)
    path.with_suffix(".arriving").replace(path)
    return data


async def test_everything_is_replaced_and_nothing_lost(
    tmp_path: Path,
    mosquitto_with: "Callable[..., Mosquitto]",
    free_port: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new pair is taken over, a bad one gives way to the last good one, an authority changes; every block arrives."""
    monkeypatch.setattr(dialling, "LOOK_EVERY", 0.05)
    town, next_town = Town(tmp_path / "town"), Town(tmp_path / "next")
    gateway, hub = town.client(NAME), town.client("hub")
    pair, trusted, port = town.broker(), tmp_path / "trusted.pem", free_port()
    trusted.write_bytes(town.ca.read_bytes())
    broker = mosquitto_with(
        f"listener {port} 127.0.0.1", f"cafile {trusted}", f"certfile {pair}", f"keyfile {pair}",
        "require_certificate true", "use_identity_as_username true",
    )  # fmt: skip
    url = f"mqtts://localhost:{port}"
    line = Line(endpoint(url, gateway), tmp_path / "last")
    async with running(line, endpoint(url, hub, "hub", trusted)):
        await line.until(lambda: bool(line.let_in))

        # A new key and certificate of the same authority.
        gateway.request(NAME, again=True)
        gateway.take(town.sign(gateway, NAME), NAME, None, at(0))
        renewed = gateway.pair.read_bytes()
        await line.until(lambda: line.let_in[-1] == renewed)
        assert len(line.let_in) == 2

        # One that fits together, but that the broker does not know: back to the last good one.
        stranger = Folder(tmp_path / "stranger")
        stranger.request(NAME)
        stranger.take(next_town.sign(stranger, NAME), NAME, next_town.ca.read_bytes(), at(0))
        bad = put(stranger.pair.read_bytes(), gateway.pair)
        await line.until(lambda: len(line.let_in) == 3)
        assert line.let_in[-1] == renewed
        assert f"failed {TRIES} times" in line.dialler.fault
        assert gateway.pair.read_bytes() == bad

        # The broker moves to the next authority, and knows its gateways too; the same pair is tried again and stays.
        both = town.ca.read_bytes() + next_town.ca.read_bytes()
        put(both, trusted)
        put(both, gateway.authorities)
        await line.until(lambda: line.uplink.connection is not None)
        broker.kill()
        shutil.copy(next_town.broker(), pair)
        broker.start()
        put(bad, gateway.pair)
        await line.until(lambda: line.let_in[-1] == bad)
        assert line.dialler.fault == ""
    assert sorted(line.blocks.freed) == list(range(1, line.made + 1))
