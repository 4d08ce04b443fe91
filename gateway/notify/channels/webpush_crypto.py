"""Web push, as bytes: a message for one browser's keys, and the proof of who sends it.

1. `encrypt` is RFC 8291 with one record of RFC 8188's aes128gcm: a key pair of this message and the browser's public
   key agree on a secret; the browser's `auth` and both public keys go into the key, the salt into the record's.
2. `authorization` is RFC 8292: a token for the push service's origin, signed with our key by ES256.

Keys come and go as the browser has them: base64url without padding, points uncompressed. The package that knows curves
is imported where it is used, for most hubs push to no browser.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as PrivateKey
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey as PublicKey

RECORD = 4096
"""The record size that is announced; a service takes no larger message."""
PLAIN_LIMIT = RECORD - 86 - 16 - 1
"""Bytes of a message: a record less its header of 86 bytes, its tag and its padding delimiter."""
SALT, SECRET = 16, 16


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser is reached, and its keys."""

    endpoint: str = field(repr=False)  # who knows it may use up the browser's quota
    public: bytes
    auth: bytes = field(repr=False)


def decode(text: str) -> bytes:
    """Read base64url with or without padding; raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data: bytes) -> str:
    """Write base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def read_subscription(text: str) -> Subscription:
    """Read what a browser's PushSubscription gives as JSON; raises ValueError."""
    try:
        said = orjson.loads(text)
        keys = said["keys"]
        subscription = Subscription(str(said["endpoint"]), decode(keys["p256dh"]), decode(keys["auth"]))
        _public(subscription.public)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no push subscription: {type(error).__name__}") from None
    if len(subscription.auth) != SECRET or not subscription.endpoint.startswith("https://"):
        raise ValueError("no push subscription: its secret or its endpoint is none")
    return subscription


def new_key() -> "PrivateKey":
    """Make a key pair."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    return ec.generate_private_key(ec.SECP256R1())


def read_key(text: str) -> "PrivateKey":
    """Read our own private key, 32 bytes in base64url; raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    number = decode(text.strip())
    if len(number) != 32:  # noqa: PLR2004
        raise ValueError("a key for web push has 32 bytes")
    return ec.derive_private_key(int.from_bytes(number), ec.SECP256R1())


def encrypt(plain: bytes, to: Subscription, salt: bytes, key: "PrivateKey") -> bytes:
    """Encrypt a message; `salt` (16 bytes) and `key` are made for it alone. Raises ValueError when it is too long."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDH  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    if len(plain) > PLAIN_LIMIT:
        raise ValueError(f"a message has {PLAIN_LIMIT} bytes at the most")
    ours = point(key)
    shared = key.exchange(ECDH(), _public(to.public))
    secret = _derive(to.auth, shared, b"WebPush: info\0" + to.public + ours, 32)
    content_key = _derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
    header = salt + RECORD.to_bytes(4) + len(ours).to_bytes(1) + ours
    return header + AESGCM(content_key).encrypt(nonce, plain + b"\x02", None)


def authorization(origin: str, contact: str, expires: int, key: "PrivateKey") -> str:
    """Make the header's value for a push service's origin; `contact` is a mailto: or https: address.

    `expires` (UTC seconds) may be a day ahead at the most.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    parts = [
        orjson.dumps(part) for part in ({"typ": "JWT", "alg": "ES256"}, {"aud": origin, "exp": expires, "sub": contact})
    ]
    said = ".".join(encode(part) for part in parts)
    r, s = decode_dss_signature(key.sign(said.encode(), ECDSA(SHA256())))
    return f"vapid t={said}.{encode(r.to_bytes(32) + s.to_bytes(32))}, k={encode(point(key))}"


def point(key: "PrivateKey") -> bytes:
    """Give the public half, uncompressed."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _public(encoded: bytes) -> "PublicKey":
    """Read a point of the curve; raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), encoded)


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """Extract and expand once (RFC 5869); 32 bytes are the most that one round gives."""
    return hmac.digest(hmac.digest(salt, secret, "sha256"), info + b"\x01", "sha256")[:length]
