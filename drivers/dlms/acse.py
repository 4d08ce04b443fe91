"""How an association opens and closes: AARQ, AARE, RLRQ, RLRE. Bytes in, values out, and back.

1. Each message is a tag, a length, and fields of tag, length and content (BER). Fields that are not named here are
   stepped over.
2. Who wants to be let in names how it proves itself (`Mechanism`) and, for high security, sends a challenge; the meter
   answers with its own.
3. `user` is a message of initiate.py, plain or ciphered.
"""

from dataclasses import dataclass
from enum import IntEnum

from drivers.contract import DecodeError
from drivers.dlms.axdr import Reader, encode_length

AARQ, AARE, RLRQ, RLRE = 0x60, 0x61, 0x62, 0x63

_CONTEXT, _RESULT, _DIAGNOSTIC, _USER = 0xA1, 0xA2, 0xA3, 0xBE
_REASON = 0x80
_CALLING_TITLE, _RESPONDING_TITLE = 0xA6, 0xA4
_CLIENT_NEEDS, _CLIENT_MECHANISM, _CLIENT_PROOF = 0x8A, 0x8B, 0xAC
_METER_NEEDS, _METER_MECHANISM, _METER_PROOF = 0x88, 0x89, 0xAA
_OCTETS, _INTEGER, _OBJECT, _GRAPHIC = 0x04, 0x02, 0x06, 0x80
_AUTHENTICATION_NEEDED = b"\x07\x80"
_CONTEXT_NAME = bytes.fromhex("608574050801")
_MECHANISM_NAME = bytes.fromhex("608574050802")
_SERVICE_USER, _SERVICE_PROVIDER = 0xA1, 0xA2


class Context(IntEnum):
    """How objects are named, and whether messages are ciphered."""

    LONG_NAMES = 1
    SHORT_NAMES = 2
    LONG_NAMES_CIPHERED = 3
    SHORT_NAMES_CIPHERED = 4


class Mechanism(IntEnum):
    """How a client proves itself."""

    NONE = 0
    LOW = 1
    HIGH = 2
    HIGH_MD5 = 3
    HIGH_SHA1 = 4
    HIGH_GMAC = 5
    HIGH_SHA256 = 6
    HIGH_ECDSA = 7


ACCEPTED, REJECTED, REJECTED_FOR_NOW = 0, 1, 2
AUTHENTICATION_REQUIRED = 14
"""The diagnostic with which a meter accepts a client that has yet to pass the challenge."""

DIAGNOSTICS = {
    1: "no reason given", 2: "it does not offer this way of naming or ciphering", 3: "it does not know this client",
    11: "it does not know this way of proving oneself", 12: "a way of proving oneself is required",
    13: "the password or key is wrong", 14: "the challenge is still to be passed",
}  # fmt: skip
"""Why a meter does not open an association."""
_NO_COMMON_VERSION = 2
"""The same number, where it is the provider that says no."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """AARQ: a client asks for an association. `proof` is the password, or the challenge of high security."""

    user: bytes
    context: int = Context.LONG_NAMES
    mechanism: int = Mechanism.NONE
    title: bytes | None = None
    proof: bytes | None = None

    def __bytes__(self) -> bytes:
        """Give the message."""
        fields = _field(_CONTEXT, _field(_OBJECT, _CONTEXT_NAME + bytes((self.context,))))
        if self.title is not None:
            fields += _field(_CALLING_TITLE, _field(_OCTETS, self.title))
        if self.mechanism:
            name = _MECHANISM_NAME + bytes((self.mechanism,))
            fields += _field(_CLIENT_NEEDS, _AUTHENTICATION_NEEDED) + _field(_CLIENT_MECHANISM, name)
        if self.proof is not None:
            fields += _field(_CLIENT_PROOF, _field(_GRAPHIC, self.proof))
        return _field(AARQ, fields + _field(_USER, _field(_OCTETS, self.user)))


@dataclass(frozen=True, slots=True)
class OpenResponse:
    """AARE: the meter's answer. `proof` is its challenge when security is high."""

    user: bytes
    result: int = ACCEPTED
    diagnostic: int = 0
    context: int = Context.LONG_NAMES
    mechanism: int = Mechanism.NONE
    title: bytes | None = None
    proof: bytes | None = None
    by_provider: bool = False

    def __bytes__(self) -> bytes:
        """Give the message."""
        source = _SERVICE_PROVIDER if self.by_provider else _SERVICE_USER
        fields = _field(_CONTEXT, _field(_OBJECT, _CONTEXT_NAME + bytes((self.context,))))
        fields += _field(_RESULT, _field(_INTEGER, bytes((self.result,))))
        fields += _field(_DIAGNOSTIC, _field(source, _field(_INTEGER, bytes((self.diagnostic,)))))
        if self.title is not None:
            fields += _field(_RESPONDING_TITLE, _field(_OCTETS, self.title))
        if self.mechanism:
            name = _MECHANISM_NAME + bytes((self.mechanism,))
            fields += _field(_METER_NEEDS, _AUTHENTICATION_NEEDED) + _field(_METER_MECHANISM, name)
        if self.proof is not None:
            fields += _field(_METER_PROOF, _field(_GRAPHIC, self.proof))
        return _field(AARE, fields + (_field(_USER, _field(_OCTETS, self.user)) if self.user else b""))

    @property
    def reason(self) -> str:
        """Why the association is not open, in words."""
        if self.by_provider and self.diagnostic == _NO_COMMON_VERSION:
            return "it speaks another version of the association protocol"
        return DIAGNOSTICS.get(self.diagnostic, f"diagnostic {self.diagnostic}")


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """RLRQ: the client ends the association; `user` as it stood in AARQ, where the meter wants it, ciphered anew."""

    user: bytes = b""
    reason: int | None = 0

    def __bytes__(self) -> bytes:
        """Give the message."""
        return _closing(RLRQ, self.reason, self.user)


@dataclass(frozen=True, slots=True)
class CloseResponse:
    """RLRE: the association is over."""

    user: bytes = b""
    reason: int | None = 0

    def __bytes__(self) -> bytes:
        """Give the message."""
        return _closing(RLRE, self.reason, self.user)


Acse = OpenRequest | OpenResponse | CloseRequest | CloseResponse


def _field(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + encode_length(len(content)) + content


def _closing(tag: int, reason: int | None, user: bytes) -> bytes:
    fields = b"" if reason is None else _field(_REASON, bytes((reason,)))
    return _field(tag, fields + (_field(_USER, _field(_OCTETS, user)) if user else b""))


# --- reading ---------------------------------------------------------------------------------------------------------


def read_acse(tag: int, reader: Reader) -> Acse:
    """Read a message behind its tag; raises DecodeError."""
    start, length = reader.at, reader.length()
    if length != reader.left:
        raise DecodeError(f"{reader.left} bytes where {length} belong", "is the whole message there?")
    reader.note(start, f"length: {length}")
    fields: dict[int, bytes] = {}
    while reader.left:
        at, field = reader.at, reader.byte()
        fields[field] = reader.take(reader.length())
        reader.note(at, f"{_NAMES.get(field, 'another field')}: {fields[field].hex(' ')}", 1)
    return _made(tag, fields)


def _made(tag: int, fields: dict[int, bytes]) -> Acse:
    user = _inner(fields, _USER, _OCTETS) or b""
    if tag in (RLRQ, RLRE):
        reason = _number(fields[_REASON]) if _REASON in fields else None
        return CloseRequest(user, reason) if tag == RLRQ else CloseResponse(user, reason)
    context = _named(_inner(fields, _CONTEXT, _OBJECT), _CONTEXT_NAME)
    if tag == AARQ:
        mechanism = _named(fields.get(_CLIENT_MECHANISM), _MECHANISM_NAME)
        title, proof = _inner(fields, _CALLING_TITLE, _OCTETS), _inner(fields, _CLIENT_PROOF, _GRAPHIC)
        return OpenRequest(user, context, mechanism, title, proof)
    diagnostic = fields.get(_DIAGNOSTIC, b"")
    source = diagnostic[0] if diagnostic else 0
    return OpenResponse(
        user, _number(_inner(fields, _RESULT, _INTEGER)), _number(_opened(_opened(diagnostic, source), _INTEGER)),
        context, _named(fields.get(_METER_MECHANISM), _MECHANISM_NAME), _inner(fields, _RESPONDING_TITLE, _OCTETS),
        _inner(fields, _METER_PROOF, _GRAPHIC), source == _SERVICE_PROVIDER,
    )  # fmt: skip


def _inner(fields: dict[int, bytes], outer: int, tag: int) -> bytes | None:
    return _opened(fields[outer], tag) if outer in fields else None


def _opened(data: bytes, tag: int) -> bytes:
    """Give the content of the one field that the bytes are."""
    reader = Reader(data)
    if reader.byte() != tag or reader.length() != reader.left:
        raise DecodeError("a field holds something else than it should", "the message is damaged")
    return reader.rest()


def _named(name: bytes | None, arc: bytes) -> int:
    """Give the last number of an object identifier; 0 for none."""
    if name is None:
        return 0
    if name[:-1] != arc:
        # The first byte of captured names is the standard's own 60 85 74; any other is a context Nabd does not speak.
        raise DecodeError(f"{name.hex(' ')} names nothing of DLMS", "the message is damaged, or of another protocol")
    return name[-1]


def _number(octets: bytes | None) -> int:
    if not octets:
        raise DecodeError("a field is missing", "the message is damaged")
    return int.from_bytes(octets, "big")


_NAMES = {
    _CONTEXT: "application context", _RESULT: "result", _DIAGNOSTIC: "diagnostic", _USER: "user information",
    _REASON: "reason", _CALLING_TITLE: "system title", _RESPONDING_TITLE: "system title",
    _CLIENT_NEEDS: "authentication needed", _CLIENT_MECHANISM: "mechanism", _CLIENT_PROOF: "password or challenge",
    _METER_NEEDS: "authentication needed", _METER_MECHANISM: "mechanism", _METER_PROOF: "challenge",
}  # fmt: skip
