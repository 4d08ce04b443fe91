"""The transport over TLS: all that crosses, and whom it does not trust."""

import asyncio
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway import mqtt
from gateway.mqtt_tls import Distrust
from gateway.transport import Endpoint, Lost, Message
from tests.support.mqtt5 import PUBLISH, packet
from tests.support.mqtt_calls import first, opened

if TYPE_CHECKING:
    from tests.support.brokers import Mosquitto


# TLS.


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """Make a certificate authority and a server certificate for the name localhost."""
    import shutil

    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificates to test with")
    (tmp_path / "names").write_text("subjectAltName=DNS:localhost\n")
    for line in (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca",
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out csr.pem -subj /CN=localhost",
        "x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile names",
    ):
        subprocess.run(["openssl", *line.split()], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def tls_port(mosquitto_with: "Callable[..., Mosquitto]", authority: Path, free_port: Callable[[], int]) -> int:
    """Give the TLS port of a Mosquitto that has a certificate for localhost."""
    port = free_port()
    mosquitto_with(f"listener {port} 127.0.0.1", f"certfile {authority}/cert.pem", f"keyfile {authority}/key.pem")
    return port


async def test_tls_carries_everything(tls_port: int, authority: Path) -> None:
    """With the authority's file the connection is verified, and bursts larger than a TLS record come through whole."""
    url = f"mqtts://localhost:{tls_port}"
    async with opened(url, ca_file=authority / "ca.pem") as gateway:
        await gateway.subscribe(["data"])
        sent = [bytes([n]) * 3000 for n in range(60)]
        await asyncio.gather(*(gateway.publish(Message("data", payload, qos=1)) for payload in sent))
        async with asyncio.timeout(5):
            got = []
            async for arrived in gateway.messages():
                arrived.ack()
                got.append(arrived.message.payload)
                if len(got) == len(sent):
                    break
        assert got == sent


async def test_tls_record_of_many_packets(authority: Path) -> None:
    """Packets that share one TLS record all arrive at once: the socket looks empty to the loop after the first."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(
            b"\x20\x03\x00\x00\x00" + b"".join(packet(PUBLISH, b"\x00\x01t\x00" + bytes([n])) for n in range(50))
        )
        await reader.read()
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    url = f"mqtts://localhost:{server.sockets[0].getsockname()[1]}"
    async with opened(url, ca_file=authority / "ca.pem") as page:
        got = [one.message.payload for one in await first(page, 50)]
    assert got == [bytes([n]) for n in range(50)]
    server.close()


async def test_tls_refuses_a_wrong_name(tls_port: int, authority: Path) -> None:
    """A certificate for another name is Lost before any password is sent."""
    with pytest.raises(Lost, match="certificate") as lost:
        await mqtt.connect(Endpoint(f"mqtts://127.0.0.1:{tls_port}", "gw-1", ca_file=authority / "ca.pem"))
    assert isinstance(lost.value, Distrust)
    assert (lost.value.cause, "url" in lost.value.hint) == ("wrong_name", True)


async def test_tls_refuses_an_unknown_authority(tls_port: int) -> None:
    """A certificate nobody vouches for is Lost."""
    with pytest.raises(Lost, match="certificate"):
        await mqtt.connect(Endpoint(f"mqtts://localhost:{tls_port}", "gw-1"))


async def test_missing_ca_file_is_said(tmp_path: Path) -> None:
    """A file that is not there is Lost with its name in the text, not a bare traceback."""
    with pytest.raises(Lost, match="No such file"):
        await mqtt.connect(Endpoint("mqtts://localhost:1", "gw-1", ca_file=tmp_path / "none.pem"))
