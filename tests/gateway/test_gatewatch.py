"""Gateways as the hub hears them: events once each, over restarts, deaf times, many at once, and a broker that dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from gateway.announce import will_of
from gateway.config.alerts import AlertsTable
from gateway.gatewatch import GATEWAYS, GateWatch
from gateway.hub import _listen
from gateway.hubdb import HubDatabase
from gateway.live import LiveBook
from gateway.message import Topics
from gateway.mqtt import connect
from gateway.settings import Known
from gateway.store.contract import TryAgain
from gateway.transport import Endpoint, Message
from gateway.web.alertbook import AlertBook

if TYPE_CHECKING:
    from tests.support.brokers import Mosquitto

START = 1_795_219_200_000
MINUTE = 60_000
ONLINE, LWT, SHUTDOWN = ({"state": "online"}, {"state": "offline", "reason": "lwt"},
                         {"state": "offline", "reason": "shutdown"})  # fmt: skip


class Bench:
    """A watch on a hub database, and a clock that is set by hand."""

    def __init__(self, database: HubDatabase, alerts: AlertsTable | None = None) -> None:
        self.database, self.alerts, self.now = database, alerts or AlertsTable(), START
        self.told: list[str] = []

    async def start(self) -> None:
        """Start the watch, or start it again as another program would."""
        self.watch = GateWatch(self.database.file, self.alerts, lambda: self.now)
        self.watch.listeners.append(lambda _, event: self.told.append(f"{event.rule} {event.meter} {event.state}"))
        await self.watch.open()

    def say(self, status: dict[str, str] | None = None, gw: str = "gw-1", kind: str = "status") -> None:
        """Let a gateway say something, as the broker hands it on."""
        payload = b"{}" if kind == "health" else orjson.dumps(status) if status else b""
        self.watch.hear(Message(Topics("home", gw).of(kind), payload, retain=True))

    async def pass_by(self, minutes: float, *well: str) -> list[str]:
        """Let time pass, in which these gateways are well; give what was told."""
        for _ in range(round(minutes)):
            self.now += MINUTE
            for gw in well:
                self.say(gw=gw, kind="health")
            await self.watch.look()
        told, self.told = self.told, []
        return told

    async def stored(self) -> list[str]:
        """Give the events in the database."""
        return [f"{row.body['rule']} {row.body['meter']} {row.body['state']}" for row in await self.database.events()]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Give a watch that has heard one gateway come."""
    database = HubDatabase(tmp_path / "hub.sqlite")
    await database.open()
    made = Bench(database)
    await made.start()
    made.watch.connected()
    made.say(ONLINE)
    assert await made.pass_by(10, "gw-1") == []
    yield made
    await database.close()


async def test_a_gateway_that_dies_is_told_to_all_in_turn(bench: Bench) -> None:
    """The operator after five minutes, customers after six hours, and both once it has been back for half an hour."""
    bench.say(LWT)
    assert await bench.pass_by(4) == []
    assert await bench.pass_by(1) == ["gateway_offline gw-1 raised"]
    assert await bench.pass_by(400) == ["late_readings gw-1 raised"]
    bench.say(ONLINE)
    assert await bench.pass_by(29, "gw-1") == []
    assert await bench.pass_by(120, "gw-1") == ["gateway_offline gw-1 cleared", "late_readings gw-1 cleared"]
    rows = await bench.database.events()
    assert [(row.tenant, row.gw, row.body["severity"]) for row in rows] == [
        ("home", "gw-1", severity) for severity in ("warning", "info", "warning", "info")
    ]


async def test_a_shutdown_is_maintenance(bench: Bench) -> None:
    """For half an hour; what is longer is told."""
    bench.say(SHUTDOWN)
    assert await bench.pass_by(29) == []
    bench.say(ONLINE)
    assert await bench.pass_by(60, "gw-1") == []
    bench.say(SHUTDOWN)
    assert await bench.pass_by(31) == ["gateway_offline gw-1 raised"]


async def test_a_restart_of_the_hub_neither_repeats_nor_loses(bench: Bench) -> None:
    """Whatever was told is not told again; whatever was not is told, counted from the restart."""
    bench.say(LWT)
    assert await bench.pass_by(3) == []
    for minutes, told in ((4, []), (6, ["gateway_offline gw-1 raised"]), (6, []), (6, [])):
        await bench.start()
        bench.watch.connected()
        bench.say(LWT)
        assert await bench.pass_by(minutes) == told
    bench.say(ONLINE)
    await bench.pass_by(20, "gw-1")
    await bench.start()
    bench.watch.connected()
    bench.say(ONLINE)
    assert bench.watch.status() == {"known": 1, "away": 0, "refused": {}}
    assert await bench.pass_by(60, "gw-1") == ["gateway_offline gw-1 cleared"]
    assert await bench.stored() == ["gateway_offline gw-1 raised", "gateway_offline gw-1 cleared"]


async def test_while_the_hub_hears_nobody_nobody_is_away(bench: Bench) -> None:
    """Its broker is down for an hour; then everybody has the usual time, and no more."""
    bench.watch.lost()
    assert await bench.pass_by(60) == []
    bench.watch.connected()
    assert await bench.pass_by(7) == []
    assert await bench.pass_by(1) == ["gateway_offline gw-1 raised"]


async def test_a_disk_that_refuses_delays_and_loses_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told before it is written; what is heard meanwhile is written too."""
    bench.say(LWT)
    write = bench.database.file.write

    async def refuse(_: object) -> TryAgain:
        return TryAgain("full", after=1.0)

    monkeypatch.setattr(bench.database.file, "write", refuse)
    assert await bench.pass_by(10) == []
    monkeypatch.setattr(bench.database.file, "write", write)
    assert await bench.pass_by(2) == ["gateway_offline gw-1 raised"]
    await bench.start()
    bench.watch.connected()
    assert await bench.pass_by(20) == []


async def test_many_at_once_are_one_event(bench: Bench) -> None:
    """Four of twelve die within a minute: one event; who stays away when the others are back is told of then."""
    fleet = [f"gw-{n}" for n in range(1, 13)]
    for gw in fleet:
        bench.say(ONLINE, gw)
    await bench.pass_by(5, *fleet)
    for gw in fleet[:3]:
        bench.say(LWT, gw)
    assert await bench.pass_by(1, *fleet[3:]) == []
    bench.say(LWT, fleet[3])
    assert await bench.pass_by(5, *fleet[4:]) == ["gateways_offline home raised"]
    await bench.start()
    bench.watch.connected()
    assert await bench.pass_by(60, *fleet[4:]) == []
    for gw in fleet[1:4]:
        bench.say(ONLINE, gw)
    assert await bench.pass_by(40, *fleet[1:]) == ["gateways_offline home cleared", "gateway_offline gw-1 raised"]


async def test_few_or_one_by_one_are_told_one_by_one(bench: Bench) -> None:
    """Two of twelve are no region."""
    fleet = [f"gw-{n}" for n in range(1, 13)]
    for gw in fleet:
        bench.say(ONLINE, gw)
    await bench.pass_by(5, *fleet)
    for gw in fleet[:2]:
        bench.say(LWT, gw)
    assert await bench.pass_by(6, *fleet[2:]) == ["gateway_offline gw-1 raised", "gateway_offline gw-2 raised"]


async def test_a_gateway_taken_off_the_broker_is_followed_no_more(bench: Bench) -> None:
    """Its alert expires; over a restart nobody knows it."""
    bench.say(LWT)
    await bench.pass_by(6)
    bench.say(None)
    assert await bench.pass_by(1) == ["gateway_offline gw-1 expired"]
    await bench.start()
    bench.watch.connected()
    assert await bench.pass_by(600) == []


async def test_a_rule_that_is_switched_off_ends(bench: Bench) -> None:
    """What it told expires, and it tells nothing more."""
    bench.say(LWT)
    await bench.pass_by(6)
    off = {"gateway_offline": {"enabled": False}, "gateways_offline": {"enabled": False}}
    bench.alerts = AlertsTable.model_validate(off)
    await bench.start()
    bench.watch.connected()
    assert await bench.pass_by(20) == ["gateway_offline gw-1 expired"]


async def test_absences_are_remembered(bench: Bench) -> None:
    """For a day's readings that are still to come."""
    hour = 60 * MINUTE
    assert not bench.watch.absent("home", "gw-1", START, bench.now)
    assert not bench.watch.absent("home", "gw-2", START, bench.now)
    gone = bench.now
    bench.say(LWT)
    await bench.pass_by(60)
    assert bench.watch.absent("home", "gw-1", START, bench.now)
    assert bench.watch.status()["away"] == 1
    assert not bench.watch.absent("home", "gw-1", START, gone - MINUTE)
    bench.say(ONLINE)
    await bench.pass_by(60, "gw-1")
    assert bench.watch.absent("home", "gw-1", gone + hour // 2, bench.now)
    assert not bench.watch.absent("home", "gw-1", gone + hour + MINUTE, bench.now)


@pytest.mark.parametrize("payload", [b"{", b"[]", b'{"state":"here"}', b"\xff", b"[" * 9000, b"1"])
async def test_what_is_no_status_is_counted(bench: Bench, payload: bytes) -> None:
    """And changes nothing."""
    bench.watch.hear(Message(Topics("home", "gw-1").of("status"), payload))
    bench.watch.hear(Message("nabd/v1/x", payload))
    bench.watch.hear(Message(Topics("home", "gw-1").of("health"), b""))
    assert bench.watch.refused == {"malformed": 2}
    assert await bench.pass_by(10, "gw-1") == []


async def test_made_up_gateways_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those known before are still heard."""
    assert GATEWAYS > 1000
    monkeypatch.setattr("gateway.gatewatch.GATEWAYS", 3)
    for n in range(10):
        bench.say(ONLINE, f"gw-{n}")
    assert bench.watch.refused == {"too_many": 7}
    assert await bench.pass_by(3, "gw-1") == []


async def test_a_broker_that_is_killed_makes_nobody_gone(bench: Bench, mosquitto: "Mosquitto") -> None:
    """Kill the broker for an hour: no event. Then kill a gateway's connection: its will, and the event."""
    said = asyncio.Event()
    hear, lost = bench.watch.hear, bench.watch.lost

    def hearing(message: Message) -> None:
        hear(message)
        said.set()

    def losing() -> None:
        lost()
        said.set()

    bench.watch.hear, bench.watch.lost = hearing, losing  # type: ignore[method-assign]
    topics = Topics("home", "gw-1")
    book = AlertBook(lambda: bench.now)
    hub = Endpoint(mosquitto.url, "hub")
    listening = asyncio.create_task(_listen(connect, hub, "nabd", LiveBook(), book, Known(), bench.watch))

    async def gateway() -> asyncio.Event:
        """Connect a gateway; setting what it gives breaks its connection without a word."""
        said.clear()
        reader, writer = await asyncio.open_connection("127.0.0.1", mosquitto.port)
        writer.write(_connect_with(will_of(topics)))
        assert (await reader.readexactly(2))[0] == 0x20
        made = await connect(Endpoint(mosquitto.url, "gw-1-says"))
        await made.publish(Message(topics.of("status"), orjson.dumps(ONLINE), qos=1, retain=True))
        await made.close()
        dead = asyncio.Event()
        tasks.append(asyncio.create_task(_break(writer, dead)))
        return dead

    tasks: list[asyncio.Task[None]] = []
    try:
        async with asyncio.timeout(20):
            await gateway()
            await said.wait()
            said.clear()
            mosquitto.kill()
            await said.wait()
            assert await bench.pass_by(60) == []
            mosquitto.start()
            dead = await gateway()
            await said.wait()
            assert await bench.pass_by(2) == []
            said.clear()
            dead.set()
            await said.wait()
            assert await bench.pass_by(6) == ["gateway_offline gw-1 raised"]
    finally:
        for task in (listening, *tasks):
            task.cancel()
        await asyncio.gather(listening, *tasks, return_exceptions=True)


async def _break(writer: asyncio.StreamWriter, dead: asyncio.Event) -> None:
    """Hold a connection, and drop it when told to."""
    try:
        await dead.wait()
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


def _connect_with(will: Message) -> bytes:
    """Make an MQTT 5 CONNECT of client "gw-1" with a will that is sent at once."""

    def text(data: bytes) -> bytes:
        return len(data).to_bytes(2) + data

    flags = 0x02 | 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
    body = text(b"MQTT") + bytes([5, flags, 0, 60, 0]) + text(b"gw-1") + b"\0"
    body += text(will.topic.encode()) + text(will.payload)
    assert len(body) < 128
    return bytes([0x10, len(body)]) + body
