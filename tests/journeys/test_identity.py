"""A gateway comes out of its box: it reads at once, is enrolled and renewed while it runs, and loses nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.identity.folder import Folder
from tests.support.identities import Town, at
from tests.support.stack import Stack

if TYPE_CHECKING:
    from tests.support.brokers import Mosquitto

NAME = "home/gw"


class Enrolling(Stack):
    """Edge with an identity of its own, hub with a certificate, both by TLS."""

    town: Town
    hub: Folder

    def _edge_toml(self) -> str:
        mine = f'identity = "{self.folder / "identity"}"\n'
        return super()._edge_toml().replace('"mqtt://127', '"mqtts://127').replace("ack_timeout", f"{mine}ack_timeout")

    def _hub_toml(self) -> str:
        pair = f'ca_file = "{self.town.ca}"\ncert_file = "{self.hub.pair}"\nkey_file = "{self.hub.pair}"\n'
        return super()._hub_toml().replace('"mqtt://127', '"mqtts://127').replace("keepalive", f"{pair}keepalive", 1)


@pytest.fixture
async def stack(
    tmp_path: Path, mosquitto_with: "Callable[..., Mosquitto]", free_port: Callable[[], int]
) -> AsyncIterator[Enrolling]:
    """Give edge and hub at a broker that lets in nobody without a certificate."""
    town, port = Town(tmp_path / "town"), free_port()
    pair = town.broker()
    mosquitto_with(
        f"listener {port} 127.0.0.1", f"cafile {town.ca}", f"certfile {pair}", f"keyfile {pair}",
        "require_certificate true", "use_identity_as_username true",
    )  # fmt: skip
    stack = Enrolling(tmp_path, port, port, meters=3)
    stack.town, stack.hub = town, town.client("hub")
    await stack.start()
    yield stack
    await stack.stop()


async def until(true: Callable[[], object], seconds: float) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_out_of_the_box(stack: Enrolling) -> None:
    """Read before it is enrolled; enrolled and renewed without a restart; a broken renewal disturbs nobody."""
    folder = Folder(stack.folder / "identity")
    await until((folder.path / "request.pem").exists, 20)
    await asyncio.sleep(3)
    status = await stack.status("edge")
    assert status["read"] > 30
    assert "no certificate yet" in status["uplink"]["error"]
    assert not stack.rows()

    folder.take(stack.town.sign(folder, NAME), NAME, stack.town.ca.read_bytes(), at(0))
    await stack.until_stored(100, 90)
    assert (await stack.status("edge"))["certificate"]["days_left"] == 99

    folder.request(NAME, again=True)
    folder.take(stack.town.sign(folder, NAME, days=300), NAME, None, at(0))
    connects = (await stack.status("edge"))["uplink"]["connects"]
    began = time.monotonic()
    while (await stack.status("edge"))["uplink"]["connects"] == connects:
        assert time.monotonic() - began < 60
        await asyncio.sleep(0.5)
    await stack.until_stored(50)

    folder.pair.write_bytes(folder.pair.read_bytes()[:200])
    await asyncio.sleep(25)
    await stack.until_stored(50)
    await stack.drain(60)
    await stack.verdict()
