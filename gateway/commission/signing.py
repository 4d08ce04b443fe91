"""Signs a record and its page with Ed25519, and tells whether a file is still what was signed.

1. The gateway's key is made on first use, readable by its owner alone; its fingerprint stands on every page.
2. Signed are the record in canonical JSON and the hash of the page around it: neither may change by a byte.
3. A page carries all of it in one `<script type="application/json">`, and the same JSON lies beside it.

A signature tells that a file is as that key's holder made it. Whose key it is, the fingerprint tells: compare it with
that of `nabd commission key` on the gateway.
"""

import json
import os
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from gateway.commission.errors import CommissionError, NotSigned
from gateway.commission.record import canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_FILE = "commissioning.key"
LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999, after which no calendar goes on."""
LIMIT = 16 * 1024 * 1024
"""Bytes of a report that are read: 2,000 meters in two languages take a third of it."""
OPEN, CLOSE = '<script type="application/json" id="record">', "</script>"


class _Signed(BaseModel):
    """What is read of a record, whoever signed it."""

    model_config = ConfigDict(strict=True)

    gateway: str
    ended: Annotated[int, Field(ge=0, le=LATEST)]


@dataclass(frozen=True)
class Signer:
    """The gateway's own key."""

    private: "Ed25519PrivateKey"

    @property
    def public(self) -> bytes:
        """The key that verifies, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def fingerprint(self) -> str:
        """What people compare."""
        return fingerprint(self.public)

    def sign(self, record: dict[str, Any], page: str) -> dict[str, Any]:
        """Sign a record, and its page with nothing yet between OPEN and CLOSE."""
        signed = {"record": record, "page": _hash(page)}
        value = self.private.sign(canonical(signed))
        made = {"algorithm": "Ed25519", "key": _text(self.public), "value": _text(value)}
        return {**signed, "signature": made}


def fingerprint(public: bytes) -> str:
    """Name a key in 64 bits as people can read it aloud: four groups of four."""
    digits = sha256(public).hexdigest()[:16]
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4))


def open_key(folder: Path) -> Signer:
    """Read the key in a folder, or make one; raises CommissionError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  the edge needs none

    path = folder / KEY_FILE
    try:
        with suppress(FileExistsError):
            _create(path, Ed25519PrivateKey.generate().private_bytes_raw())
        return Signer(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="ascii").strip())))
    except PermissionError as error:
        raise CommissionError(f"{path} may not be used", "run with sudo, or as the user nabd runs as") from error
    except OSError as error:
        raise CommissionError(f"{path}: {error.strerror}", "look at the disk") from error
    except ValueError as error:
        raise CommissionError(f"{path} is no key", "take it from a backup; without it move it away") from error


def _create(path: Path, secret: bytes) -> None:
    """Write the key whole or not at all, and never over another one."""
    if path.exists():
        raise FileExistsError
    _make_folder(path.parent)
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        _give(fresh, path.parent)
        path.hardlink_to(fresh)  # fails where somebody else made one meanwhile
    finally:
        fresh.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _give(folder, folder.parent)


def _give(path: Path, like: Path) -> None:
    """Let root's work belong to whoever the folder around it does: the service must not be locked out."""
    owner = like.stat()
    with suppress(PermissionError):  # others than root own what they make
        os.chown(path, owner.st_uid, owner.st_gid)


def embed(page: str, signed: dict[str, Any]) -> str:
    """Put what was signed into its page; nothing in it can end the script."""
    text = canonical(signed).decode()
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return page.replace(OPEN + CLOSE, OPEN + text + CLOSE, 1)


@dataclass(frozen=True, slots=True)
class Verified:
    """A file that is as it was signed: its record, and whose key signed it."""

    record: dict[str, Any]
    fingerprint: str


def verify(path: Path) -> Verified:
    """Prove a page or the JSON beside it; raises NotSigned."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise NotSigned(f"{path} cannot be read: {error}", "name a report's .html or .json") from error
    if len(data) > LIMIT:
        raise NotSigned(f"{path} is larger than any report", "name a report's .html or .json")
    page = None
    if OPEN in text:
        before, _, rest = text.partition(OPEN)
        text, close, after = rest.partition(CLOSE)
        page = f"{before}{OPEN}{close}{after}"
    return _verify(text, page)


def _verify(text: str, page: str | None) -> Verified:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        found = json.loads(text)
        signature = found["signature"]
        public, value = (b64decode(signature[name], validate=True) for name in ("key", "value"))
        record, hashed = found["record"], found["page"]
        _Signed.model_validate(record)
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(value, canonical({"record": record, "page": hashed}))
    except InvalidSignature:
        raise NotSigned("the record was changed after it was signed", "trust the original only") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotSigned("no signed record is in this file", "name a report's .html or .json") from error
    alone = {"algorithm": "Ed25519", "key": _text(public), "value": _text(value)}
    if text != _as_written(text, {"record": record, "page": hashed, "signature": alone}):
        raise NotSigned("the record was written anew after it was signed", "trust the original only")
    if page is not None and _hash(page) != hashed:
        raise NotSigned("the page was changed after it was signed", "trust the original only")
    return Verified(record, fingerprint(public))


def _as_written(text: str, found: dict[str, Any]) -> str:
    """Give the one text that we would have written for this: in a page with its escapes, beside it plain."""
    plain = canonical(found).decode()
    page = embed(OPEN + CLOSE, found).removeprefix(OPEN).removesuffix(CLOSE)
    return page if text == page else f"{plain}\n"


def _hash(page: str) -> str:
    return sha256(page.encode()).hexdigest()


def _text(data: bytes) -> str:
    return b64encode(data).decode()
