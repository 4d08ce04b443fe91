"""Commands over a real broker, to a whole edge that reads meters."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.clock import wall_ms
from gateway.commands import remote
from gateway.commands.memory import Executed
from gateway.edge import Edge
from gateway.mqtt import connect
from gateway.transport import Connection, Endpoint, Message
from tests.support.brokers import Mosquitto

Run = Callable[[str], AbstractAsyncContextManager[Edge]]
BASE = "nabd/v1/home/gw"


class Hub:
    """Who commands: sends, and awaits replies."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._replies = connection.messages()

    async def send(self, name: str, fields: dict[str, Any], name_of_it: bytes | None, **more: Any) -> None:
        """Send one command."""
        payload = orjson.dumps(fields)
        await self.connection.publish(
            Message(f"{BASE}/cmd/{name}", payload, qos=1, correlation=name_of_it, **({"expiry": 60} | more))
        )

    async def ask(self, name: str, fields: dict[str, Any], name_of_it: bytes) -> dict[str, Any]:
        """Send one command and give its reply."""
        await self.send(name, fields, name_of_it)
        async with asyncio.timeout(20):
            async for arrived in self._replies:
                arrived.ack()
                if arrived.message.correlation == name_of_it:
                    return dict(orjson.loads(arrived.message.payload))
        raise AssertionError("no reply")


@pytest.fixture
async def hub(mosquitto: Mosquitto) -> AsyncIterator[Hub]:
    """Give a hub at the broker."""
    connection = await connect(Endpoint(mosquitto.url, "hub"))
    await connection.subscribe([f"{BASE}/reply"])
    yield Hub(connection)
    await connection.close()


async def online(edge: Edge) -> None:
    """Wait until the edge is at its broker and has read a meter."""
    async with asyncio.timeout(20):
        while not edge.uplink.counters.connects or not edge.desk or edge.uplink.connection is None:
            await asyncio.sleep(0.02)


async def test_the_contract_is_obeyed(mosquitto: Mosquitto, hub: Hub, edge_at: Run) -> None:
    """A meter is read by the contract's own words; a ping, another interval, a reload are answered."""
    async with edge_at(mosquitto.url) as edge:
        await online(edge)
        read = await hub.ask("read_now", {"meter": "gw_m0"}, b"r1")
        assert read["meter"] == "gw_m0"
        assert read["values"]["energy_import_wh"] > 0
        assert "pong" in await hub.ask("ping", {}, b"p1")
        assert "no meter" in (await hub.ask("read_now", {"meter": "gw_x"}, b"r2"))["error"]
        slower = await hub.ask("set_interval", {"meter": "gw_m1", "every_s": 30, "role": "installer"}, b"i1")
        assert slower["every_s"] == 30
        assert "reload" in slower["until"]
        assert edge.desk
        assert edge.desk.status()["remote"]["intervals"] == {"gw_m1": 30.0}
        assert [row.every for row in edge._here.info().meters] == [0.1, 30.0]
        assert await hub.ask("reload", {"role": "installer"}, b"l1") == {
            "id": "reload:6c31", "added": 0, "removed": 0, "changed": 1,
        }  # fmt: skip
        assert edge.desk.status()["remote"]["intervals"] == {}


async def test_none_of_a_thousand_hostile_commands_is_carried_out(
    mosquitto: Mosquitto, hub: Hub, edge_at: Run, tmp_path: Path
) -> None:
    """Wrong roles, past times, replays and retained ones on a real broker: 0 of 1,000, each counted by its reason."""
    dice = random.Random(20261122)
    (tmp_path / "journal").mkdir()
    before = Executed.open(tmp_path / "journal")
    old = [f"replayed-{number:04}" for number in range(250)]
    for name in old:
        before.add(name, wall_ms() + 60_000, wall_ms())
    await before.keep()
    makes: dict[str, Callable[[], tuple[str, dict[str, Any], dict[str, Any]]]] = {
        "wrong_role": lambda: (dice.choice(["replay", "reload", "set_interval"]), {"role": "customer"}, {}),
        "expired": lambda: ("ping", {"until": wall_ms() - dice.randrange(1, 10**9)}, {}),
        "replayed": lambda: ("ping", {"id": old.pop()}, {}),
        "retained": lambda: (dice.choice(["ping", "read_now"]), {"meter": "gw_m0"}, {"retain": True}),
    }
    kinds = [kind for kind in makes for _ in range(250)]
    dice.shuffle(kinds)
    for number, kind in enumerate(kinds):  # of those that are retained, half wait for whoever subscribes
        if kind == "retained" and number % 2:
            await hub.send(f"kept-{number}", {"id": f"retained-{number:04}"}, None, retain=True)
    async with edge_at(mosquitto.url) as edge:
        await online(edge)
        assert edge.desk
        for number, kind in enumerate(kinds):
            if kind == "retained" and number % 2:
                continue
            name, fields, more = makes[kind]()
            await hub.send(name, {"id": f"hostile-{number:04}", **fields}, None, **more)
        expected = Counter(kinds)
        async with asyncio.timeout(20):
            while sum((status := edge.desk.status()["commands"])["refused"].values()) < len(kinds):
                await asyncio.sleep(0.05)
        assert status == {"done": {}, "refused": dict(expected)}
        assert "pong" in await hub.ask("ping", {}, b"still there")


async def test_a_replay_is_refused_by_the_next_start_too(mosquitto: Mosquitto, hub: Hub, edge_at: Run) -> None:
    """Killed right after it, the gateway still knows what it did."""
    async with edge_at(mosquitto.url) as edge:
        await online(edge)
        assert "pong" in await hub.ask("ping", {"id": "only-once"}, b"p1")
    async with edge_at(mosquitto.url) as edge:
        await online(edge)
        assert (await hub.ask("ping", {"id": "only-once"}, b"p2"))["reason"] == "replayed"


async def test_a_configuration_from_afar_proves_itself_and_runs_at_the_next_start(
    mosquitto: Mosquitto, hub: Hub, edge_at: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A meter was read and the broker answered, so it is kept; dropped by hand, the gateway's own file runs."""
    monkeypatch.setattr(remote, "LOOK_EVERY", 0.05)
    async with edge_at(mosquitto.url) as edge:
        await online(edge)
        text = (tmp_path / "edge.toml").read_text(encoding="utf-8").split('[[bus]]\nname = "b1"')[0]
        reply = await hub.ask("reload", {"role": "operator", "config": text}, b"c1")
        assert (reply["removed"], reply["state"]) == (1, "on trial")
        async with asyncio.timeout(10):
            while edge.desk and edge.desk.news != "runs":
                await asyncio.sleep(0.05)
    async with edge_at(mosquitto.url) as edge:
        assert [row.name for row in edge._here.info().meters] == ["m0"]
        assert edge.desk
        assert edge.desk.status()["remote"]["configuration"] == "runs"
        assert (await edge.desk.answers()["reload"]({"local": True}))["added"] == 1
        assert edge.desk.news == ""
    assert not (tmp_path / "journal" / "remote.toml").exists()
