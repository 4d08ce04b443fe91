"""A gateway's private key and its request for a certificate (PKCS #10), and what an authority reads from a request.

The key is of the curve P-256, which every TLS 1.2 and 1.3 peer speaks and a small board signs with in a millisecond.
The name asked for is `tenant/gateway`, as common name: the user that brokers make of a certificate. The proof that
whoever asks knows the claim code travels as the request's challenge password; authorities that know nothing of it
leave it out of what they sign.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.identity import claim
from gateway.identity.errors import Refused, Unusable
from gateway.message import ID

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import CertificateSigningRequest

NAME_LIMIT = 64
"""The most characters a certificate's common name may have."""
REQUEST_LIMIT = 16 * 1024
"""Bytes of a request: one with a 4,096-bit key has a tenth of this."""
RSA_LEAST = 2048
"""Bits of the shortest RSA key that is still let in; requests need not come from `nabd`."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a request says: the name, the public key (DER), the proof of the claim code or ""."""

    name: str
    public_key: bytes
    proof: str


def name_of(tenant: str, gateway: str) -> str:
    """Join two ids into a certificate's name; raises Refused."""
    for what, text in (("tenant", tenant), ("gateway", gateway)):
        if not re.fullmatch(ID, text):
            raise Refused(f"the {what} is no id", "an id is 1 to 64 letters A-Z a-z, digits, _ and -")
    name = f"{tenant}/{gateway}"
    if len(name) > NAME_LIMIT:
        raise Refused(
            f"tenant and gateway have {len(name) - 1} characters together",
            f"a certificate's name has room for {NAME_LIMIT - 1}",
        )
    return name


def make_key() -> bytes:
    """Make a private key, as PEM."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def make_request(key: bytes, name: str, code: str) -> bytes:
    """Ask for a certificate for this key (PEM), as PEM; `code` is the claim code."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.x509.oid import AttributeOID, NameOID  # noqa: PLC0415

    private = load_key(key)
    proof = claim.proof(code, public_bytes(private))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder(subject).add_attribute(
        AttributeOID.CHALLENGE_PASSWORD, proof.encode()
    )
    return builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def read_request(pem: bytes) -> "tuple[Request, EllipticCurvePublicKey | RSAPublicKey]":
    """Read a request and its key, and check that whoever made it holds that key; raises Unusable."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.x509.oid import AttributeOID, NameOID  # noqa: PLC0415

    try:
        csr = x509.load_pem_x509_csr(pem[:REQUEST_LIMIT])
        names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(names[0].value) if len(names) == 1 else ""
        if not csr.is_signature_valid or (key := _strong(csr.public_key())) is None:
            raise Unusable("the request's signature or key does not hold", "let `nabd enrol request` make one")
        proofs = [a.value.decode("ascii") for a in csr.attributes if a.oid == AttributeOID.CHALLENGE_PASSWORD]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unusable("is no request for a certificate", "it is request.pem of the gateway, unchanged") from None
    return Request(name, public_bytes(csr), proofs[0] if proofs else ""), key


def public_bytes(holder: "EllipticCurvePrivateKey | CertificateSigningRequest") -> bytes:
    """Give the public key of whatever has one, as DER."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    return holder.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_key(pem: bytes) -> "EllipticCurvePrivateKey":
    """Read a private key of ours; raises Unusable, and never says what the file holds."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Unusable("the private key cannot be read", "make a new one: `nabd enrol request --new`")
    return key


def _strong(key: object) -> "EllipticCurvePublicKey | RSAPublicKey | None":
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415

    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_LEAST:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, (ec.SECP256R1, ec.SECP384R1)):
        return key
    return None
