"""What an authority signs: its own certificate, those of gateways, hubs and brokers, and the list of revoked ones.

All keys are of the curve P-256 and all signatures ECDSA with SHA-256. Texts go in and come out as PEM.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.identity.request import load_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
    from cryptography.x509 import Certificate, CertificateBuilder, GeneralName, KeyUsage, Name

BACK = timedelta(hours=1)
"""Certificates begin this much earlier, for peers whose clock runs behind."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate is for: a name, its public key, from now until when, and as a server at which addresses."""

    name: str
    key: "CertificateIssuerPublicKeyTypes"
    now: datetime
    until: datetime
    servers: Sequence[str] = ()


def sign_own(subject: Subject, key: bytes) -> bytes:
    """Make an authority's own certificate, which signs gateways and no further authorities."""
    from cryptography import x509  # noqa: PLC0415

    builder = _builder(subject, _name(subject.name), subject.key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return _signed(builder.add_extension(_usage(signs_others=True), critical=True), key)


def sign(subject: Subject, authority: "Certificate", key: bytes) -> bytes:
    """Make the certificate of a broker, where `subject.servers` says so, else of a client."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    role = ExtendedKeyUsageOID.SERVER_AUTH if subject.servers else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _builder(subject, authority.subject, load_key(key).public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_others=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([role]), critical=False)
    )
    if subject.servers:
        names = x509.SubjectAlternativeName([_general(one) for one in subject.servers])
        builder = builder.add_extension(names, critical=False)
    return _signed(builder, key)


def sign_revoked(revoked: Mapping[int, datetime], authority: "Certificate", key: bytes, now: datetime) -> bytes:
    """Make the list of revoked certificates, by serial number and since when; it holds as long as the authority does.

    A broker shuts everybody out once its list is overdue, and no gateway may fall silent because nobody came by.
    """
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415

    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.subject)
    builder = builder.last_update(now - BACK).next_update(authority.not_valid_after_utc)
    for serial, since in revoked.items():
        row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        builder = builder.add_revoked_certificate(row.build())
    return builder.sign(load_key(key), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _builder(subject: Subject, issuer: "Name", issuer_key: "CertificateIssuerPublicKeyTypes") -> "CertificateBuilder":
    from cryptography import x509  # noqa: PLC0415

    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject.name))
        .issuer_name(issuer)
        .public_key(subject.key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(subject.now - BACK)
        .not_valid_after(subject.until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject.key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _signed(builder: "CertificateBuilder", key: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415

    return builder.sign(load_key(key), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> "Name":
    from cryptography import x509  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(server: str) -> "GeneralName":
    from cryptography import x509  # noqa: PLC0415

    try:
        return x509.IPAddress(ipaddress.ip_address(server))
    except ValueError:
        return x509.DNSName(server)


def _usage(*, signs_others: bool) -> "KeyUsage":
    from cryptography import x509  # noqa: PLC0415

    return x509.KeyUsage(
        digital_signature=not signs_others,
        key_cert_sign=signs_others,
        crl_sign=signs_others,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
