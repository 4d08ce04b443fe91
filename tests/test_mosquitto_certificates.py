"""The shipped Mosquitto files with certificates: each gateway in its own place, and nowhere else (S17)."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.access_lists import GATEWAY_READS, GATEWAY_WRITES, access_list
from gateway.identity.folder import Folder
from gateway.mqtt import connect
from gateway.mqtt_tls import Distrust
from gateway.transport import Connection, Endpoint, Message, NotTaken
from tests.conftest import skip_or_fail
from tests.support.brokers import Mosquitto
from tests.support.identities import Town, endpoint
from tests.support.trespass import OWN, READS, WRITES

CONFIG = Path(__file__).parent.parent / "config"


@dataclass
class Stage:
    """A broker on the shipped files, two gateways of one tenant, one of another, and the hub."""

    town: Town
    process: "subprocess.Popen[bytes]"
    ports: tuple[int, int]
    people: dict[str, Folder]

    def as_(self, name: str, client_id: str = "gw") -> Endpoint:
        """Give the endpoint of a gateway, or of the hub at its own port."""
        port = self.ports[name == "hub"]
        return endpoint(f"mqtts://127.0.0.1:{port}", self.people[name], client_id)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start a Mosquitto on both shipped files; only places, ports and user differ."""
    if Mosquitto.program() is None:
        skip_or_fail("mosquitto is not installed (apt install mosquitto)")
    folder = tmp_path_factory.mktemp("certificates")
    town = Town(folder / "town")
    people = {name: town.client(name) for name in ("home/gw-1", "home/gw-2", "other/gw-1", "hub")}
    pair = town.broker()
    for source, name in ((pair, "broker.pem"), (pair, "broker.key"), (town.ca, "ca.pem"), (town.crl, "crl.pem")):
        shutil.copy(source, folder / name)
    (folder / "nabd.passwords").touch(mode=0o600)
    (folder / "nabd.acl").write_text((CONFIG / "mosquitto/nabd.acl").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "nabd.acl").chmod(0o600)
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        ports = [sock.getsockname()[1] for sock in socks]
    text = "".join(
        (CONFIG / "mosquitto" / name).read_text(encoding="utf-8") for name in ("nabd.conf", "certificates.conf")
    )
    for place in ("/etc/mosquitto/certs/", "/etc/mosquitto/", "/var/lib/mosquitto/"):
        text = text.replace(place, f"{folder}/")
    for shipped, port in zip((8883, 8884, 8885), ports, strict=True):
        text = text.replace(f"listener {shipped}", f"listener {port} 127.0.0.1")
    text += "log_type error\nlog_type warning\n" + ("user root\n" if os.geteuid() == 0 else "")
    (folder / "nabd.conf").write_text(text, encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(Mosquitto.program()), "-c", str(folder / "nabd.conf")], stdout=log, stderr=log)
    yield Stage(town, process, (ports[1], ports[2]), people)
    process.kill()
    process.wait()
    complaints = (folder / "log").read_text(encoding="utf-8").replace("Mosquitto should not be run as root", "")
    assert "Unknown" not in complaints, complaints


async def opened(endpoint: Endpoint) -> Connection:
    """Connect, waiting for a broker that only just starts."""
    for _ in range(100):
        with contextlib.suppress(Exception):
            return await connect(endpoint)
        await asyncio.sleep(0.05)
    return await connect(endpoint)


async def until(connection: Connection, last: bytes) -> list[Message]:
    """Take what arrives up to a message with these bytes."""
    taken: list[Message] = []
    async with asyncio.timeout(5):
        async for arrived in connection.messages():
            arrived.ack()
            taken.append(arrived.message)
            if arrived.message.payload == last:
                break
    return taken


def test_thirty_cases() -> None:
    """Nineteen writes, ten reads, and another's client id."""
    assert len(WRITES) + len(READS) + 1 == 30


async def test_a_gateway_cannot_write_elsewhere(stage: Stage) -> None:
    """Neither for a neighbour, nor for another tenant, nor what only the hub says; a refusal ends no connection."""
    gateway, hub = await opened(stage.as_("home/gw-1")), await opened(stage.as_("hub", "hub-writes"))
    await hub.subscribe(["nabd/v1/#", "elsewhere/#"])
    taken = []
    for topic in WRITES:
        with contextlib.suppress(NotTaken):
            await gateway.publish(Message(topic, b"forged", qos=1))
            taken.append(topic)
    assert taken in ([], ["$SYS/broker/uptime"])  # Mosquitto drops what is said there, without a word
    await gateway.publish(Message(f"{OWN}/data", b"own", qos=1))
    assert [one.payload for one in await until(hub, b"own")] == [b"own"]
    await gateway.close()
    await hub.close()


async def test_a_gateway_cannot_listen_elsewhere(stage: Stage) -> None:
    """Whatever it subscribes to, it hears its own and nothing else; retained messages too."""
    hub, neighbour, other = [await opened(stage.as_(name)) for name in ("hub", "home/gw-2", "other/gw-1")]
    for who, connection in (("home/gw-2", neighbour), ("other/gw-1", other)):
        await connection.publish(Message(f"nabd/v1/{who}/status", b"theirs", qos=1, retain=True))
    overheard: dict[str, list[str]] = {}
    for wanted in READS:
        gateway = await opened(stage.as_("home/gw-1"))
        with contextlib.suppress(NotTaken):
            await gateway.subscribe([wanted])
        await gateway.subscribe([f"{OWN}/ack"])
        for who, connection in (("home/gw-2", neighbour), ("other/gw-1", other)):
            for kind in ("data", "live/m", "event", "reply"):
                await connection.publish(Message(f"nabd/v1/{who}/{kind}", b"theirs", qos=1))
            for kind in ("ack", "cmd/ping", "settings"):
                await hub.publish(Message(f"nabd/v1/{who}/{kind}", b"theirs", qos=1))
        await hub.publish(Message(f"{OWN}/ack", b"last", qos=1))
        heard = [one.topic for one in await until(gateway, b"last") if not one.topic.startswith(f"{OWN}/")]
        overheard |= {wanted: heard} if heard else {}
        await gateway.close()
    assert overheard == {}
    for connection in (hub, neighbour, other):
        await connection.close()


async def test_a_gateway_cannot_take_anothers_client_id(stage: Stage) -> None:
    """Who comes with the neighbour's id is given its own name as id, and the neighbour stays connected."""
    neighbour = await opened(stage.as_("home/gw-2", "home/gw-2"))
    thief = await opened(stage.as_("home/gw-1", "home/gw-2"))
    await thief.publish(Message(f"{OWN}/data", b"x", qos=1))
    assert await neighbour.publish(Message("nabd/v1/home/gw-2/data", b"x", qos=1)) in (0, 0x10)
    await neighbour.close()
    await thief.close()


async def test_the_own_place_is_open(stage: Stage) -> None:
    """All that contracts allow a gateway arrives at the hub, and all that is meant for it arrives here."""
    hub, gateway = await opened(stage.as_("hub", "hub-own")), await opened(stage.as_("other/gw-1"))
    base = "nabd/v1/other/gw-1"
    await hub.subscribe(["$share/store/nabd/v1/+/+/data", *(f"nabd/v1/+/+/{k}" for k in GATEWAY_WRITES if k != "data")])
    await gateway.subscribe([f"{base}/{kind}" for kind in GATEWAY_READS])
    written = {f"{base}/{kind.replace('+', 'm')}" for kind in GATEWAY_WRITES}
    told = {f"{base}/{kind.replace('+', 'ping')}" for kind in GATEWAY_READS}
    for topic in written:
        assert await gateway.publish(Message(topic, b"now", qos=1)) == 0
    for topic in told:
        assert await hub.publish(Message(topic, b"now", qos=1)) == 0

    async def heard(connection: Connection, count: int) -> set[str]:
        topics = set()
        async for arrived in connection.messages():
            arrived.ack()
            topics |= {arrived.message.topic} if arrived.message.payload == b"now" else set()
            if len(topics) == count:
                break
        return topics

    async with asyncio.timeout(5):
        assert await heard(hub, len(written)) == written
        assert await heard(gateway, len(told)) == told
    await gateway.close()
    await hub.close()


async def test_no_certificate_no_entry(stage: Stage) -> None:
    """Without one, or with another town's, nobody gets as far as a user name."""
    known = stage.as_("home/gw-1")
    await (await opened(known)).close()
    with pytest.raises(Distrust, match="certificate"):
        await connect(replace(known, cert_file=None, key_file=None, username="hub", password="guess"))


async def test_a_revoked_gateway_stays_out(stage: Stage) -> None:
    """The list takes effect when the broker reads it again, and leaves the others alone."""
    lost = stage.people.setdefault("home/gw-lost", stage.town.client("home/gw-lost"))
    await (await opened(stage.as_("home/gw-lost"))).close()
    stage.town.authority.revoke(lost.pair.read_bytes())
    shutil.copy(stage.town.crl, stage.town.folder.parent / "crl.pem")
    stage.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(5):
        while True:
            try:
                await (await connect(stage.as_("home/gw-lost"))).close()
            except Distrust as error:
                refused = error
                break
            await asyncio.sleep(0.05)
    assert "revoked" in refused.what
    await (await connect(stage.as_("home/gw-1"))).close()


@pytest.mark.parametrize(("broker", "file"), [("mosquitto", "mosquitto/nabd.acl"), ("emqx", "emqx/acl.conf")])
def test_the_shipped_lists_are_generated(broker: str, file: str) -> None:
    """`nabd access-lists` writes just what is shipped."""
    assert (CONFIG / file).read_text(encoding="utf-8") == access_list(broker)
