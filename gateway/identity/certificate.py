"""Checks a certificate that an authority gave, ours or the utility's own, before a gateway relies on it.

1. The first certificate is the gateway's; it must be for the key that lies here, and carry the gateway's name.
2. It must hold today. A certificate that begins tomorrow points to a wrong clock on either side.
3. Each of the others signs the one before; the last must be signed by an authority that was given, if any was.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from gateway.identity.errors import Unusable
from gateway.identity.request import load_key, public_bytes
from gateway.identity.validity import PEM_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

CHAIN_LIMIT = 5
"""Certificates between a gateway and its root: utilities use two or three."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A chain that holds: its PEM, until when, and whether brokers find the name where they look, the common name."""

    pem: bytes
    until: datetime
    by_common_name: bool


def check(chain: bytes, key: bytes, name: str, authorities: bytes | None, now: datetime) -> Checked:
    """Check a chain in PEM against the gateway's key and name; raises Unusable with the first thing that is wrong."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    certificates = read_all(chain)
    own = certificates[0]
    if own.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    ) != public_bytes(load_key(key)):
        raise Unusable("the certificate is for another key", "send the request.pem that lies here now to the authority")
    common, others = _names(own)
    if name not in (*common, *others):
        said = ", ".join([*common, *others])[:100] or "nobody"
        raise Unusable(f"the certificate is for {said!a}, not for {name!r}", "brokers take its name for the user")
    for certificate in certificates:
        _holds(certificate, now)
    _chain(certificates, read_all(authorities) if authorities else ())
    pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)
    return Checked(pem, own.not_valid_after_utc, name in common)


def read_all(pem: bytes) -> "Sequence[Certificate]":
    """Read the certificates of a PEM file, in its order; raises Unusable."""
    from cryptography import x509  # noqa: PLC0415

    try:
        found = x509.load_pem_x509_certificates(pem) if len(pem) <= PEM_LIMIT else []
    except ValueError:
        found = []
    if not 0 < len(found) <= CHAIN_LIMIT:
        raise Unusable(
            "is no certificate in PEM", f"the gateway's own first, then up to {CHAIN_LIMIT - 1} that lead to the root"
        )
    return found


def _names(certificate: "Certificate") -> tuple[list[str], list[str]]:
    """Give the common names, and the alternative names that could stand for a user."""
    from cryptography import x509  # noqa: PLC0415

    common = [str(a.value) for a in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    try:
        others = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return common, []
    return common, [
        *others.get_values_for_type(x509.DNSName),
        *others.get_values_for_type(x509.UniformResourceIdentifier),
    ]


def _holds(certificate: "Certificate", now: datetime) -> None:
    if now < certificate.not_valid_before_utc:
        raise Unusable(
            f"a certificate of the chain holds only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            f"the clock here says {now:%Y-%m-%d %H:%M}: is it right?",
        )
    if now > certificate.not_valid_after_utc:
        raise Unusable(
            f"a certificate of the chain ended on {certificate.not_valid_after_utc:%Y-%m-%d}",
            "ask the authority for a new one",
        )


def _chain(certificates: "Sequence[Certificate]", authorities: "Sequence[Certificate]") -> None:
    for certificate, issuer in pairwise(certificates):
        if not _signed(certificate, issuer):
            raise Unusable("the certificates do not follow from each other", "own first, then each one's signer")
    last = certificates[-1]
    if authorities and last not in authorities and not any(_signed(last, root) for root in authorities):
        raise Unusable("no given authority has signed the certificate", "is it the right --ca, with all between?")


def _signed(certificate: "Certificate", issuer: "Certificate") -> bool:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        certificate.verify_directly_issued_by(issuer)
        return issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
