"""What client and meter agree on when an association opens: services, the longest message, a key for it alone.

The messages stand in the user information of AARQ and AARE, plain or ciphered.
"""

from dataclasses import dataclass
from enum import IntFlag

from drivers.contract import DecodeError
from drivers.dlms.axdr import Reader, encode_length

INITIATE_REQUEST, INITIATE_RESPONSE, SERVICE_ERROR = 0x01, 0x08, 0x0E
DLMS_VERSION = 6
LONG_NAMES = 0x0007
"""What a meter that is asked by OBIS codes ends its answer with; one asked by short names has another number there."""

_CONFORMANCE = bytes.fromhex("5f1f0400")
"""Tag and length of the three bytes of services, and the count of bits left over in them."""


class Conformance(IntFlag):
    """The services one side offers."""

    GENERAL_PROTECTION = 1 << 22
    GENERAL_BLOCK_TRANSFER = 1 << 21
    READ = 1 << 20
    WRITE = 1 << 19
    UNCONFIRMED_WRITE = 1 << 18
    DELTA_VALUES = 1 << 17
    ATTRIBUTE_0_WITH_SET = 1 << 15
    PRIORITY = 1 << 14
    ATTRIBUTE_0_WITH_GET = 1 << 13
    BLOCKS_WITH_GET = 1 << 12
    BLOCKS_WITH_SET = 1 << 11
    BLOCKS_WITH_ACTION = 1 << 10
    LISTS = 1 << 9
    INFORMATION_REPORT = 1 << 8
    DATA_NOTIFICATION = 1 << 7
    ACCESS = 1 << 6
    PARAMETERIZED_ACCESS = 1 << 5
    GET = 1 << 4
    SET = 1 << 3
    SELECTIVE_ACCESS = 1 << 2
    EVENT_NOTIFICATION = 1 << 1
    ACTION = 1 << 0


@dataclass(frozen=True, slots=True)
class InitiateRequest:
    """What the client proposes; `longest` is the longest message it takes, 0 for any.

    `dedicated_key` ciphers this association instead of the meter's own key, and is only sent ciphered itself.
    """

    conformance: Conformance
    longest: int
    dedicated_key: bytes | None = None
    response_allowed: bool = True
    quality: int | None = None
    version: int = DLMS_VERSION

    def __bytes__(self) -> bytes:
        """Give the message."""
        key = self.dedicated_key
        head = bytes((INITIATE_REQUEST,)) + (b"\x00" if key is None else b"\x01" + encode_length(len(key)) + key)
        allowed = b"\x00" if self.response_allowed else b"\x01\x00"
        return head + allowed + _quality(self.quality) + bytes((self.version,)) + _offer(self.conformance, self.longest)


@dataclass(frozen=True, slots=True)
class InitiateResponse:
    """What the meter grants; `longest` is the longest message it takes, 0 for any."""

    conformance: Conformance
    longest: int
    name: int = LONG_NAMES
    quality: int | None = None
    version: int = DLMS_VERSION

    def __bytes__(self) -> bytes:
        """Give the message."""
        head = bytes((INITIATE_RESPONSE,)) + _quality(self.quality) + bytes((self.version,))
        return head + _offer(self.conformance, self.longest) + self.name.to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class ServiceError:
    """The meter's no to a whole service, in its own numbers: to which one, of what kind, and which of the kind."""

    service: int
    kind: int
    code: int

    def __bytes__(self) -> bytes:
        """Give the message."""
        return bytes((SERVICE_ERROR, self.service, self.kind, self.code))

    def __str__(self) -> str:
        """Say it in words."""
        return _ERRORS.get((self.kind, self.code), f"error {self.code} of kind {self.kind}, service {self.service}")


_INITIATE = 6
_ERRORS = {
    (_INITIATE, 0): "the association is not opened: another reason",
    (_INITIATE, 1): "the meter speaks an older DLMS version",
    (_INITIATE, 2): "the meter does not offer what was asked for",
    (_INITIATE, 3): "the meter asks for longer messages",
    (_INITIATE, 4): "the meter refuses this client",
}


def read_initiate_request(reader: Reader) -> InitiateRequest:
    """Read a proposal behind its tag."""
    key = reader.octets("dedicated key") if reader.flag("dedicated key") else None
    allowed = not reader.flag("says whether it may be answered") or reader.flag("may be answered")
    quality = _read_quality(reader)
    version = reader.number(1, "DLMS version")
    conformance, longest = _read_offer(reader)
    return InitiateRequest(conformance, longest, key, allowed, quality, version)


def read_initiate_response(reader: Reader) -> InitiateResponse:
    """Read a grant behind its tag."""
    quality = _read_quality(reader)
    version = reader.number(1, "DLMS version")
    conformance, longest = _read_offer(reader)
    return InitiateResponse(conformance, longest, reader.number(2, "name"), quality, version)


def read_service_error(reader: Reader) -> ServiceError:
    """Read a no behind its tag."""
    return ServiceError(reader.number(1, "service"), reader.number(1, "kind"), reader.number(1, "error"))


def _quality(quality: int | None) -> bytes:
    return b"\x00" if quality is None else bytes((1, quality))


def _offer(conformance: Conformance, longest: int) -> bytes:
    return _CONFORMANCE + conformance.to_bytes(3, "big") + longest.to_bytes(2, "big")


def _read_quality(reader: Reader) -> int | None:
    return reader.number(1, "quality of service") if reader.flag("quality of service") else None


def _read_offer(reader: Reader) -> tuple[Conformance, int]:
    start = reader.at
    if reader.take(len(_CONFORMANCE)) != _CONFORMANCE:
        raise DecodeError("no list of services where one belongs", "the message is damaged")
    conformance = Conformance(reader.number(3))
    names = ", ".join(str(one.name).lower() for one in Conformance if one in conformance)
    reader.note(start, f"services: {names or 'none'}")
    return conformance, reader.number(2, "longest message")
