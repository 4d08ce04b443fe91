"""Certificates that do not hold, at a real TLS server, each told apart."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.doctor import broker
from gateway.mqtt import connect
from gateway.transport import Endpoint

if TYPE_CHECKING:
    from tests.support.brokers import Mosquitto

DAY = timedelta(days=1)
TODAY = datetime.now(UTC)
Make = Callable[[str, datetime, datetime], Path]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Give a callable that makes a server's certificate, signed by the authority in `ca.pem` beside it."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    folder = tmp_path_factory.mktemp("tls")
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "server")}

    def sign(subject: str, key: str, begins: datetime, ends: datetime, *, authority: bool) -> bytes:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ca")])
        made = (
            x509.CertificateBuilder(issuer, name, keys[key].public_key(), x509.random_serial_number(), begins, ends)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
        )  # fmt: skip
        return made.sign(keys["ca"], SHA256()).public_bytes(Encoding.PEM)

    (folder / "ca.pem").write_bytes(sign("ca", "ca", TODAY - 9 * DAY, TODAY + 9 * DAY, authority=True))

    def make(subject: str, begins: datetime, ends: datetime) -> Path:
        key = keys["server"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = folder / "server.pem"
        file.write_bytes(key + sign(subject, "server", begins, ends, authority=False))
        return file

    return make


@contextmanager
def serving(file: Path) -> Iterator[int]:
    """Serve TLS with a certificate, one client after the other, and give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with suppress(OSError), context.wrap_socket(client, server_side=True) as tls:
                        tls.recv(1)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


async def found(url: str, ca_file: Path | None = None) -> list[str]:
    """Dial, and give the codes."""
    facts = await broker.probe(connect, Endpoint(url, "gw-1", ca_file=ca_file))
    return [finding.code for finding in broker.judge(facts, "2026-01-01 00:00 UTC")]


@pytest.mark.parametrize(
    ("subject", "begins", "ends", "code"),
    [
        ("localhost", -2, -1, "tls_expired"),
        ("localhost", 1, 2, "tls_not_yet_valid"),
        ("other.example", -1, 1, "tls_wrong_name"),
        ("localhost", -1, 1, "tls_unknown_ca"),
    ],
)
async def test_a_certificate_is_told_by_what_is_wrong_with_it(
    certificate: Make, subject: str, begins: int, ends: int, code: str
) -> None:
    """Expired, too early, another name, an authority nobody knows."""
    file = certificate(subject, TODAY + begins * DAY, TODAY + ends * DAY)
    trusted = None if code == "tls_unknown_ca" else file.with_name("ca.pem")
    with serving(file) as port:
        assert await found(f"mqtts://localhost:{port}", trusted) == [code]


async def test_a_broker_without_tls_is_no_broker_with(mosquitto: "Mosquitto") -> None:
    """TLS spoken to a plain port: it is not called a bad certificate."""
    (code,) = await found(mosquitto.url.replace("mqtt:", "mqtts:").replace("127.0.0.1", "localhost"))
    assert code in ("tls_fails", "broker_unreachable")


async def test_a_running_gateway_keeps_its_connection(mosquitto: "Mosquitto") -> None:
    """The doctor comes under a name of its own, so the broker does not throw the gateway out."""
    running = await connect(Endpoint(mosquitto.url, "gw-1"))
    assert await found(mosquitto.url) == []
    await running.subscribe(["still/here"])
    await running.close()
