"""The shipped Mosquitto files: a real Mosquitto takes them as they are, and lets nobody say what is not theirs."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.mqtt import connect
from gateway.transport import Connection, Endpoint, Message, NotTaken, TransportError
from tests.conftest import skip_or_fail
from tests.support.brokers import Mosquitto

CONFIG = Path(__file__).parent.parent / "config" / "mosquitto"
PASSWORD = "secret"
USERS = ("hub", "home/gw-1", "home/gw-2")


def openssl(folder: Path, line: str) -> None:
    """Run one openssl command there."""
    subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the files as an owner has them: certificates, passwords, and ours with their places changed."""
    if Mosquitto.program() is None or shutil.which("mosquitto_passwd") is None or shutil.which("openssl") is None:
        skip_or_fail("mosquitto or openssl is not installed (apt install mosquitto openssl)")
    folder = tmp_path_factory.mktemp("mosquitto")
    openssl(folder, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca")
    openssl(folder, "req -newkey rsa:2048 -nodes -keyout broker.key -out broker.csr -subj /CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n", encoding="ascii")
    openssl(
        folder,
        "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out broker.pem",
    )
    (folder / "nabd.passwords").touch(mode=0o600)
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", str(folder / "nabd.passwords"), user, PASSWORD], check=True)
    shutil.copy(CONFIG / "nabd.acl", folder / "nabd.acl")
    (folder / "nabd.acl").chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def broker(folder: Path) -> "Iterator[tuple[int, subprocess.Popen[bytes]]]":
    """Give a Mosquitto that runs on the shipped file; only places, port and user differ."""
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    text = (CONFIG / "nabd.conf").read_text(encoding="utf-8")
    for place in ("/etc/mosquitto/certs/", "/etc/mosquitto/", "/var/lib/mosquitto/"):
        text = text.replace(place, f"{folder}/")
    text = text.replace("listener 8883", f"listener {port} 127.0.0.1") + ("user root\n" if os.geteuid() == 0 else "")
    (folder / "nabd.conf").write_text(text, encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(Mosquitto.program()), "-c", str(folder / "nabd.conf")], stdout=log, stderr=log)
    yield port, process
    process.kill()
    process.wait()


@pytest.fixture
def endpoint(folder: Path, broker: "tuple[int, subprocess.Popen[bytes]]") -> Callable[..., Endpoint]:
    """Give a callable that makes the endpoint of a user."""

    def make(user: str | None, password: str = PASSWORD) -> Endpoint:
        return Endpoint(
            f"mqtts://127.0.0.1:{broker[0]}", f"client-{user}".replace("/", "-"), username=user,
            password=password if user else None, ca_file=folder / "ca.pem",
        )  # fmt: skip

    return make


async def opened(endpoint: Endpoint) -> Connection:
    """Connect, waiting for a broker that only just starts."""
    for _ in range(100):
        try:
            return await connect(endpoint)
        except NotTaken:
            raise
        except TransportError:
            await asyncio.sleep(0.05)
    return await connect(endpoint)


async def test_a_gateway_and_the_hub_do_their_work(endpoint: Callable[..., Endpoint]) -> None:
    """Blocks go up through the shared subscription, acks and commands come down; nothing was warned of."""
    hub = await opened(endpoint("hub"))
    gateway = await connect(endpoint("home/gw-1"))
    await hub.subscribe(["$share/store/nabd/v1/+/+/data", "nabd/v1/+/+/info", "nabd/v1/+/+/live/+"])
    await gateway.subscribe(["nabd/v1/home/gw-1/ack", "nabd/v1/home/gw-1/cmd/+"])
    for kind in ("status", "info", "data", "live/m", "event", "health", "reply"):
        await gateway.publish(Message(f"nabd/v1/home/gw-1/{kind}", b"x", qos=1))
    for kind in ("ack", "cmd/replay", "settings"):
        await hub.publish(Message(f"nabd/v1/home/gw-1/{kind}", b"x", qos=1))
    async with asyncio.timeout(5):
        heard = {(await anext(messages)).message.topic for messages in [hub.messages()] for _ in range(3)}
        told = {(await anext(messages)).message.topic for messages in [gateway.messages()] for _ in range(2)}
    assert heard == {f"nabd/v1/home/gw-1/{kind}" for kind in ("data", "info", "live/m")}
    assert told == {"nabd/v1/home/gw-1/ack", "nabd/v1/home/gw-1/cmd/replay"}
    await gateway.close()
    await hub.close()


@pytest.mark.parametrize(
    "topic",
    [
        "home/gw-1/ack",
        "home/gw-1/cmd/replay",
        "home/gw-1/settings",
        "home/gw-2/data",
        "home/gw-2/ack",
        "other/gw-1/data",
    ],
)
async def test_a_gateway_can_neither_acknowledge_nor_speak_for_others(
    endpoint: Callable[..., Endpoint], topic: str
) -> None:
    """The broker refuses with a reason code, which MQTT 5 tells."""
    gateway = await opened(endpoint("home/gw-1"))
    with pytest.raises(NotTaken):
        await gateway.publish(Message(f"nabd/v1/{topic}", b"x", qos=1))
    await gateway.close()


@pytest.mark.parametrize(("user", "password"), [(None, ""), ("home/gw-1", "wrong"), ("home/gw-9", "secret")])
async def test_strangers_stay_outside(endpoint: Callable[..., Endpoint], user: str | None, password: str) -> None:
    """Nobody gets in without a password of their own."""
    with pytest.raises(NotTaken):
        await opened(endpoint(user, password))


async def test_mosquitto_has_nothing_to_say_of_the_files(folder: Path, endpoint: Callable[..., Endpoint]) -> None:
    """No option is unknown, deprecated or out of place."""
    connection = await opened(endpoint("hub"))
    await connection.close()
    log = (folder / "log").read_text(encoding="utf-8")
    assert "Error" not in log
    assert "Warning" not in log.replace("Warning: Mosquitto should not be run as root", "")
