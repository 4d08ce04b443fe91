"""Tests of gateway/mqtt_tls.py against real TLS servers: what is refused, and in which words (S16, F4, T11)."""

import asyncio
import contextlib
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway import mqtt
from gateway.identity.folder import Folder
from gateway.mqtt_tls import Distrust
from gateway.transport import Endpoint, Lost
from tests.support.identities import Town, at

CONNACK = b"\x20\x03\x00\x00\x00"
LOCALHOST = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Give an authority."""
    return Town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def gateway(town: Town) -> Folder:
    """Give an enrolled gateway."""
    return town.client("home/gw-1")


def server_side(pair: Path) -> ssl.SSLContext:
    """Make what a broker with this certificate and key secures its connections by, as lax as OpenSSL lets it be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def of_versions(pair: Path, low: ssl.TLSVersion, high: ssl.TLSVersion, ciphers: str = "ALL:eNULL") -> ssl.SSLContext:
    """Let a broker offer nothing but these versions and ciphers."""
    context = server_side(pair)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = low, high
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    return context


@contextlib.asynccontextmanager
async def broker(context: ssl.SSLContext) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Run a server that answers CONNACK; gives its port, and the first bytes of whoever got through TLS.

    It stands on plain blocking sockets: asyncio's own TLS hangs up on a failed handshake before its alert is sent.
    """
    heard: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listening.accept()
                with plain, contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
                    heard.append(secured.recv(4096))
                    secured.sendall(CONNACK)
                    secured.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), name="broker")
        thread.start()
        try:
            yield listening.getsockname()[1], heard
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            await asyncio.to_thread(thread.join, 5)


async def fault(context: ssl.SSLContext, endpoint: Endpoint) -> Distrust:
    """Dial and give why it came to nothing; nothing of ours may have been said before that was clear."""
    async with broker(context) as (port, heard):
        with pytest.raises(Distrust) as error:
            await mqtt.connect(replace(endpoint, url=endpoint.url.format(port)), timeout=5)
        assert not any(b"MQTT" in data for data in heard)
        return error.value


@pytest.fixture
def trusting(town: Town) -> Endpoint:
    """Give an endpoint that trusts the town's authority and has a password to lose."""
    return Endpoint("mqtts://localhost:{}", "gw-1", "home/gw-1", "secret", ca_file=town.ca)


def own_signed(town: Town, names: list[str] | None, *, by_itself: bool = False, size: int | None = None) -> Path:
    """Make a broker's certificate that our authority would not make: no alternative names, self-signed, an RSA key."""
    key = rsa.generate_private_key(65537, size) if size else ec.generate_private_key(ec.SECP256R1())
    authority = x509.load_pem_x509_certificate(town.ca.read_bytes())
    from gateway.identity.request import load_key

    signer = key if by_itself else load_key((town.authority.folder / "ca.key").read_bytes())
    issuer = LOCALHOST if by_itself else authority.subject
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, LOCALHOST, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
    if names is not None:
        names_there = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(names_there, critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    path = town.folder / f"odd-{certificate.serial_number:x}.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + pem)
    return path


V = ssl.TLSVersion
OLD: dict[str, Callable[[Town], ssl.SSLContext]] = {
    "TLS 1.0": lambda town: of_versions(town.broker(), V.TLSv1, V.TLSv1),
    "TLS 1.1": lambda town: of_versions(town.broker(), V.TLSv1_1, V.TLSv1_1),
    "TLS 1.0 and 1.1": lambda town: of_versions(town.broker(), V.TLSv1, V.TLSv1_1),
    "no cipher at all": lambda town: of_versions(town.broker(), V.TLSv1_2, V.TLSv1_2, "ECDHE-ECDSA-NULL-SHA"),
    "CBC": lambda town: of_versions(town.broker(), V.TLSv1_2, V.TLSv1_2, "ECDHE-ECDSA-AES256-SHA384"),
    "SHA-1": lambda town: of_versions(town.broker(), V.TLSv1_2, V.TLSv1_2, "ECDHE-ECDSA-AES128-SHA"),
    "no forward secrecy": lambda town: of_versions(
        own_signed(town, ["localhost"], size=2048), V.TLSv1_2, V.TLSv1_2, "AES128-GCM-SHA256"
    ),
    "nobody's key": lambda town: of_versions(town.broker(), V.TLSv1_2, V.TLSv1_2, "aNULL"),
}


@pytest.mark.parametrize("what", OLD)
async def test_what_is_no_longer_safe_is_not_spoken(town: Town, trusting: Endpoint, what: str) -> None:
    """A broker that offers only this is refused, and told by name what it must offer."""
    error = await fault(OLD[what](town), trusting)
    assert error.cause == "too_old"
    assert "1.2" in error.hint


@pytest.mark.parametrize(
    ("high", "ciphers", "spoken"),
    [
        (V.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2"),
        (V.TLSv1_2, "ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2"),
        (V.TLSv1_3, "ALL", "TLSv1.3"),
    ],
)
async def test_what_is_safe_is_spoken(town: Town, trusting: Endpoint, high: V, ciphers: str, spoken: str) -> None:
    """ECDHE with an authenticated cipher; 1.3 wherever the broker has it."""
    async with broker(of_versions(town.broker(), V.TLSv1_2, high, ciphers)) as (port, _):
        connection = await mqtt.connect(replace(trusting, url=trusting.url.format(port)), timeout=5)
        assert isinstance(connection._wire._socket, ssl.SSLSocket)
        assert connection._wire._socket.version() == spoken
        await connection.close()


WRONG: dict[str, tuple[Callable[[Town], Path], str, str]] = {
    "expired": (lambda town: town.broker(days=10, since=-20), "expired", "renew"),
    "not yet valid": (lambda town: town.broker(since=10), "not_yet_valid", "clock"),
    "another name": (lambda town: town.broker(["broker.example"]), "wrong_name", "url"),
    "name in the common name only": (lambda town: own_signed(town, None), "wrong_name", "url"),
    "alternative name wins over common name": (lambda t: own_signed(t, ["b.example"]), "wrong_name", "url"),
    "self-signed": (lambda town: own_signed(town, ["localhost"], by_itself=True), "unknown_authority", "ca_file"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_brokers_certificate_that_does_not_hold(town: Town, trusting: Endpoint, what: str) -> None:
    """It is refused before user and password are said; cause and advice are named."""
    make, cause, advice = WRONG[what]
    error = await fault(server_side(make(town)), trusting)
    assert (error.cause, advice in error.hint) == (cause, True)
    assert "secret" not in str(error)
    assert "localhost" in error.what


async def test_an_unknown_authority(town: Town, trusting: Endpoint, tmp_path: Path) -> None:
    """Another town's broker is refused, and so is one of a public name that only the system would have to trust."""
    other = Town(tmp_path / "other")
    error = await fault(server_side(other.broker()), trusting)
    assert (error.cause, "ca_file" in error.hint) == ("unknown_authority", True)
    error = await fault(server_side(town.broker()), replace(trusting, ca_file=None))
    assert error.cause == "unknown_authority"


async def test_an_address_is_checked_like_a_name(town: Town, trusting: Endpoint) -> None:
    """A certificate for another address does not do."""
    error = await fault(server_side(town.broker(["10.0.0.1"])), replace(trusting, url="mqtts://127.0.0.1:{}"))
    assert error.cause == "wrong_name"


async def test_a_port_without_tls(trusting: Endpoint) -> None:
    """A plain broker behind mqtts:// is told from a broken one."""

    async def shout(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    url = f"mqtts://localhost:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(Distrust) as error:
        await mqtt.connect(replace(trusting, url=url), timeout=5)
    assert (error.value.cause, "8883" in error.value.hint) == ("no_tls", True)
    server.close()


@pytest.mark.parametrize("high", [V.TLSv1_2, V.TLSv1_3])
@pytest.mark.parametrize("kind", ["none", "revoked", "expired", "another town's"])
async def test_our_own_certificate_is_refused(town: Town, gateway: Folder, tmp_path: Path, kind: str, high: V) -> None:
    """A broker that does not take us says why, in TLS 1.3 only after the handshake, in the same words."""
    context = of_versions(town.broker(), V.TLSv1_2, high, "ALL")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(town.ca)
    mine = Endpoint("mqtts://localhost:{}", "gw-1", ca_file=town.ca, cert_file=gateway.pair, key_file=gateway.pair)
    if kind == "none":
        mine = replace(mine, cert_file=None, key_file=None)
    elif kind == "revoked":
        own = Town(tmp_path / "own")
        folder = own.client("home/gw-1")
        own.authority.revoke(folder.pair.read_bytes())
        context.load_verify_locations(own.ca)
        context.load_verify_locations(own.crl)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        mine = replace(mine, cert_file=folder.pair, key_file=folder.pair)
    elif kind == "expired":
        folder = Folder(tmp_path / "expired")
        folder.request("home/gw-1")
        folder.take(town.sign(folder, "home/gw-1", days=1, since=-9), "home/gw-1", town.ca.read_bytes(), at(-9))
        mine = replace(mine, cert_file=folder.pair, key_file=folder.pair)
    else:
        other = Town(tmp_path / "other").client("home/gw-1")
        mine = replace(mine, cert_file=other.pair, key_file=other.pair)
    async with broker(context) as (port, _):
        with pytest.raises(Distrust) as error:
            await mqtt.connect(replace(mine, url=mine.url.format(port)), timeout=5)
    words = {"none": "wants a certificate", "revoked": "revoked", "expired": "expired", "another town's": "authority"}
    if (kind, high) == ("none", V.TLSv1_2):  # its alert is that of a broker without a cipher in common, too
        assert "cert_file" in error.value.hint
        return
    assert error.value.cause == "own_refused"
    assert words[kind] in error.value.what


async def test_certificate_and_key_that_do_not_match(town: Town, gateway: Folder, trusting: Endpoint) -> None:
    """It is said before anything is sent, and not blamed on the broker."""
    other = town.client("home/gw-2")
    error = await fault(
        server_side(town.broker()), replace(trusting, cert_file=gateway.pair, key_file=other.path / "key.pem")
    )
    assert error.cause == "own_unusable"


async def test_nothing_stays_open_after_a_refusal(town: Town, trusting: Endpoint) -> None:
    """A hundred refusals leave no socket behind: a gateway meets them for days."""
    import gc

    async with broker(server_side(town.broker(["broker.example"]))) as (port, _):
        for _ in range(20):
            with pytest.raises(Lost):
                await mqtt.connect(replace(trusting, url=trusting.url.format(port)), timeout=5)
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, ssl.SSLSocket) and one.fileno() >= 0]
