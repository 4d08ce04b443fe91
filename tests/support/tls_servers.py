"""Servers that speak TLS as badly as asked, and keep what they heard once it stood."""

import contextlib
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Plain = Callable[[socket.socket], None]
V = ssl.TLSVersion


@dataclass
class Authority:
    """Signs whatever it is asked to, in a folder; `file` is its own certificate."""

    folder: Path
    name: str = "Town"

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _named(self.name)
        builder = _builder(self._subject, self._subject, self._key, -9, 9)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file = self.folder / f"{self.name}.pem"
        self.file.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def pair(
        self, names: list[str], *, common: str = "a server", since: int = -1, until: int = 9, key: Key | None = None,
        by_itself: bool = False,
    ) -> Path:  # fmt: skip
        """Give key and certificate in one file: for these names, valid between these days from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        issuer, signer = (_named(common), key) if by_itself else (self._subject, self._key)
        builder = _builder(_named(common), issuer, key, since, until)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False
            )
        certificate = builder.sign(signer, hashes.SHA256())
        path = self.folder / f"{certificate.serial_number:x}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
        return path


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, since: int, until: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(now + timedelta(days=since)).not_valid_after(now + timedelta(days=until))


def lax(pair: Path, low: V = V.TLSv1_2, high: V = V.TLSv1_3, ciphers: str = "ALL") -> ssl.SSLContext:
    """Give a server's side that offers nothing but these versions and ciphers, however old."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = low, high
    context.load_cert_chain(pair)
    return context


@dataclass
class Heard:
    """What was said to a server under TLS, and whether anybody dialled at all."""

    port: int
    dialled: int = 0
    said: bytes = b""


def nothing(_: socket.socket) -> None:
    """Say nothing before TLS."""


@contextlib.contextmanager
def serving(context: ssl.SSLContext, before: Plain = nothing, greeting: bytes = b"") -> Iterator[Heard]:
    """Serve TLS at a free port; `before` is spoken in plain, such as STARTTLS, `greeting` at once after it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        heard = Heard(listening.getsockname()[1])

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    plain, _ = listening.accept()
                    heard.dialled += 1
                    with plain, contextlib.suppress(OSError):
                        plain.settimeout(5)
                        before(plain)
                        with context.wrap_socket(plain, server_side=True) as secured:
                            secured.sendall(greeting)
                            heard.said += secured.recv(4096)

        thread = threading.Thread(target=serve, name="tls-server")
        thread.start()
        try:
            yield heard
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)
