"""S16: whatever of ours dials by TLS says nothing to a server that is old, unknown, expired or somebody else.

What people are told of a broker like that is in tests/gateway/test_mqtt_tls.py.
"""

import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.alerts.event import AlertEvent
from gateway.config.customers import ChannelTable
from gateway.config.secret import SecretFile
from gateway.config.values import Context
from gateway.mqtt import connect
from gateway.notify.channels.build import channel_of
from gateway.notify.channels.contract import Message
from gateway.notify.render import Words
from gateway.store.contract import Row, Store
from gateway.store.influx import InfluxStore
from gateway.store.postgres import PostgresStore
from gateway.store.victoria import VictoriaStore
from gateway.transport import Endpoint, Lost
from tests.support.tls_servers import Authority, Plain, V, lax, nothing, serving

HERE = ["localhost"]
ROW = Row("t", "gw-1", "gw-1_main", 1_795_219_200_000, 0, 1, 0, {"power_w": 1.0}, "electricity")
EVENT = AlertEvent(id="0" * 16, seq=1, rule="overload", meter="m", state="raised", severity="critical", raised=0, at=0)
MESSAGE = Message("k", "t", Words("en", "Overload", "It is", "It is", "<p>It is</p>"), EVENT, {"data": {}})


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Give the authority that our side trusts."""
    return Authority(tmp_path_factory.mktemp("town"))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Give a file with a secret that no wrong server may hear."""
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_text("hush")
    return path


async def _offered(store: Store) -> None:
    await store.open()
    try:
        await store.write([ROW])
    finally:
        await store.close()


async def _told(kind: str, url: str, ca: Path, **more: str) -> None:
    options = {"name": "c", "kind": kind, "url": url, "ca_file": str(ca), **more}
    table = ChannelTable.model_validate(options, context=Context(ca.parent, {}))
    await channel_of(table, lambda: 0.0).send(MESSAGE)


async def _broker(port: int, ca: Path, _secret: Path) -> None:
    with contextlib.suppress(Lost):
        await connect(Endpoint(f"mqtts://localhost:{port}", "gw", "u", "hush", ca_file=ca), timeout=5)


async def _webhook(port: int, ca: Path, secret: Path) -> None:
    await _told("webhook", f"https://localhost:{port}/", ca, secret_file=str(secret))


async def _mail(port: int, ca: Path, secret: Path) -> None:
    await _told("smtp", f"smtps://localhost:{port}", ca, to="a@b.example", username="u", password_file=str(secret))


async def _mail_by_starttls(port: int, ca: Path, secret: Path) -> None:
    await _told("smtp", f"smtp://localhost:{port}", ca, to="a@b.example", username="u", password_file=str(secret))


async def _victoria(port: int, ca: Path, secret: Path) -> None:
    await _offered(VictoriaStore(f"https://localhost:{port}", SecretFile(secret, ""), ca, timeout=5))


async def _postgres(port: int, ca: Path, secret: Path) -> None:
    await _offered(PostgresStore(f"postgresql://localhost:{port}/nabd", "u", SecretFile(secret, ""), ca, timeout=5))


async def _influx(port: int, ca: Path, secret: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(ca))  # it trusts what the system trusts
        await _offered(InfluxStore(f"https://localhost:{port}", "o", "b", secret, timeout=5))


def _starttls(plain: socket.socket) -> None:
    plain.sendall(b"220 here\r\n")
    plain.recv(1024)
    plain.sendall(b"250-here\r\n250 STARTTLS\r\n")
    plain.recv(1024)
    plain.sendall(b"220 go on\r\n")


def _sslrequest(plain: socket.socket) -> None:
    plain.recv(8)
    plain.sendall(b"S")


Dial = Callable[[int, Path, Path], Awaitable[None]]
CLIENTS: dict[str, tuple[Dial, Plain, bytes]] = {
    "broker": (_broker, nothing, b""),
    "webhook": (_webhook, nothing, b""),
    "mail": (_mail, nothing, b"220 here\r\n"),
    "mail by STARTTLS": (_mail_by_starttls, _starttls, b""),
    "VictoriaMetrics": (_victoria, nothing, b""),
    "PostgreSQL": (_postgres, _sslrequest, b""),
    "InfluxDB": (_influx, nothing, b""),
}
"""How each dials, and what its server says before TLS stands, and at once when it does."""

OLD_KEY = rsa.generate_private_key(65537, 2048)
SERVERS: dict[str, Callable[[Authority], ssl.SSLContext]] = {
    "TLS 1.0": lambda town: lax(town.pair(HERE), V.TLSv1, V.TLSv1),
    "TLS 1.1": lambda town: lax(town.pair(HERE), V.TLSv1_1, V.TLSv1_1),
    "no cipher": lambda town: lax(town.pair(HERE), high=V.TLSv1_2, ciphers="ECDHE-ECDSA-NULL-SHA"),
    "CBC": lambda town: lax(town.pair(HERE), high=V.TLSv1_2, ciphers="ECDHE-ECDSA-AES256-SHA384"),
    "no forward secrecy": lambda town: lax(town.pair(HERE, key=OLD_KEY), high=V.TLSv1_2, ciphers="AES128-GCM-SHA256"),
    "signed by itself": lambda town: lax(town.pair(HERE, common="localhost", by_itself=True)),
    "unknown authority": lambda town: lax(Authority(town.folder, "Elsewhere").pair(HERE)),
    "another name": lambda town: lax(town.pair(["elsewhere.example"])),
    "its name as a common name only": lambda town: lax(town.pair([], common="localhost")),
    "expired": lambda town: lax(town.pair(HERE, since=-8, until=-1)),
    "not valid yet": lambda town: lax(town.pair(HERE, since=1)),
}


@pytest.mark.parametrize("client", CLIENTS)
async def test_nothing_is_said_to_a_server_that_is_not_to_be_trusted(
    town: Authority, secret: Path, client: str
) -> None:
    """Each of the wrong servers was dialled, and heard not a byte under TLS."""
    dial, before, greeting = CLIENTS[client]
    wrong = {}
    for kind, context_of in SERVERS.items():
        with serving(context_of(town), before, greeting) as heard:
            await dial(heard.port, town.file, secret)
        assert heard.dialled, kind
        if heard.said:
            wrong[kind] = heard.said
    assert wrong == {}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("high", [V.TLSv1_2, V.TLSv1_3])
async def test_a_server_to_be_trusted_is_spoken_to(town: Authority, secret: Path, client: str, high: V) -> None:
    """With the right name, authority and dates, TLS 1.2 and 1.3 both serve: what is refused is not refused for all."""
    dial, before, greeting = CLIENTS[client]
    with serving(lax(town.pair(HERE), high=high), before, greeting) as heard:
        await dial(heard.port, town.file, secret)
    assert heard.said
