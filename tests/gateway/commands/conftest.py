"""A whole edge in this process, with meters that answer, at whatever broker a test has."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from gateway.commands.desk import Desk
from gateway.commands.kept import Kept
from gateway.config import load
from gateway.edge import Edge
from gateway.live import LivePoster
from gateway.message import Topics
from gateway.settings import Desired
from gateway.station import station
from tests.support.counting_meters import CountingMeters

HEAD = """[gateway]
id = "gw"
[clock]
trust = "system"
[journal]
folder = "journal"
mirror = "mirror"
window = "1s"
[mqtt]
url = "{url}"
"""


def text_of(url: str, ports: list[int], every: str = "100ms") -> str:
    """Write the configuration of an edge that reads these meters."""
    rows = [
        f'[[bus]]\nname = "b{n}"\ndriver = "modbus"\nurl = "tcp://127.0.0.1:{port}"\n'
        f'[[meter]]\nname = "m{n}"\nbus = "b{n}"\nprofile = "counting"\nevery = "{every}"\n'
        for n, port in enumerate(ports)
    ]
    return HEAD.format(url=url) + "".join(rows)


@pytest.fixture
async def meters() -> AsyncIterator[CountingMeters]:
    """Give two meters that answer."""
    made = CountingMeters(2)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def edge_at(tmp_path: Path, meters: CountingMeters) -> Callable[[str], AbstractAsyncContextManager[Edge]]:
    """Give what runs an edge at a broker, with its files in `tmp_path`, and stops it as SIGKILL would: no goodbye."""

    @contextlib.asynccontextmanager
    async def run(url: str) -> AsyncIterator[Edge]:
        CountingMeters.write_profile(tmp_path)
        (tmp_path / "mirror").mkdir(exist_ok=True)
        file = tmp_path / "edge.toml"
        if not file.exists():
            file.write_text(text_of(url, meters.ports), encoding="utf-8")
        kept = Kept(file, tmp_path / "journal")
        config = kept.choose(load(file, "edge", {}))
        topics, desired = Topics("home", "gw"), Desired.open(tmp_path / "journal")
        poster = LivePoster(topics, 10)
        async with station(config, poster.post) as here:
            edge = Edge(config, topics, here, poster, desired)
            edge.desk = Desk(config, here, edge.uplink, topics, edge.change, lambda: load(file, "edge", {}), kept)
            running = asyncio.create_task(_run(edge))
            try:
                yield edge
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    return run


async def _run(edge: Edge) -> None:
    async with asyncio.TaskGroup() as group:
        await edge.start(group)
