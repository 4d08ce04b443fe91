"""What a meter's answer says: who it is, how it fares, and its records. Bytes in, values out.

1. CI 72 has a long header (who, what, access number, status), 7A a short one, 78 none; 76 is 72 with its header's
   numbers most significant byte first, and 73 and 77 are the old fixed structure of two counters.
2. Records follow (records.py). Ciphered records are the wireless side's business.
"""

from dataclasses import dataclass

from drivers.contract import DecodeError
from drivers.mbus import values
from drivers.mbus.fixed import fixed_records
from drivers.mbus.records import Records, decode_records

LONG_HEADER, SHORT_HEADER, NO_HEADER = 0x72, 0x7A, 0x78
MSB_FIRST = 0x04
_FIXED = 0x73
ERROR = 0x70

CIPHERED = (5, 7, 13)
FILLERS = b"\x2f\x2f"
"""What deciphered records begin with."""

MEDIA = {
    0x00: "other", 0x01: "oil", 0x02: "electricity", 0x03: "gas", 0x04: "heat", 0x05: "steam", 0x06: "warm water",
    0x07: "water", 0x08: "heat cost allocator", 0x09: "compressed air", 0x0A: "cooling, outlet",
    0x0B: "cooling, inlet", 0x0C: "heat, inlet", 0x0D: "heat and cooling", 0x0E: "bus", 0x0F: "unknown",
    0x14: "calorific value", 0x15: "hot water", 0x16: "cold water", 0x17: "dual water", 0x18: "pressure",
    0x19: "A/D converter", 0x1A: "smoke detector", 0x1B: "room sensor", 0x1C: "gas detector", 0x20: "breaker",
    0x21: "valve", 0x25: "customer unit", 0x28: "waste water", 0x29: "garbage", 0x2A: "carbon dioxide",
    0x31: "communication controller", 0x32: "repeater", 0x33: "repeater", 0x36: "radio converter",
    0x37: "radio converter",
}  # fmt: skip
"""What a meter measures, by the byte in its header."""

APPLICATION_ERRORS = (
    "an error", "an unknown CI", "a buffer too small", "too many records", "a record cut off", "too many DIFEs",
    "too many VIFEs", "reserved", "busy", "too many readouts",
)  # fmt: skip

# --- the status byte -------------------------------------------------------------------------------------------------

_APPLICATION = ("", "application_busy", "application_error", "abnormal")
_STATUS_BITS = ((0x04, "battery_low"), (0x08, "permanent_error"), (0x10, "temporary_error"))
_MAKERS_BITS = 0xE0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a meter is: `number` as printed on it (digits, or hex where a nibble is none), maker, version, medium."""

    number: str
    manufacturer: str
    version: int
    medium: int

    @property
    def medium_name(self) -> str:
        """What it measures, in words."""
        return MEDIA.get(self.medium, f"medium {self.medium:02X}")


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the records; `identity` is None where it was left out. `length` is its bytes."""

    length: int
    identity: Identity | None = None
    access: int = 0
    status: int = 0
    signature: int = 0
    address: bytes = b""
    """Maker, number, version and medium as ciphers use them."""

    @property
    def security(self) -> int:
        """How the records are ciphered; 0 is not at all."""
        return self.signature >> 8 & 0x1F


@dataclass(frozen=True, slots=True)
class Telegram:
    """One answer."""

    header: Header
    records: Records


def decode_telegram(ci: int, data: bytes) -> Telegram:
    """Read an answer's data; raises DecodeError."""
    if ci == ERROR:
        code = data[0] if data else 0
        what = APPLICATION_ERRORS[code] if code < len(APPLICATION_ERRORS) else f"error {code}"
        raise DecodeError(f"the meter reports {what}", "ask again later; see the meter's own papers if it stays")
    if ci & ~MSB_FIRST == _FIXED:
        return Telegram(*_fixed(data, msb_first=bool(ci & MSB_FIRST)))
    header = decode_header(ci, data)
    # Old meters put a signature of their own where newer ones say how they cipher.
    if header.security in CIPHERED and not data.startswith(FILLERS, header.length):
        raise DecodeError("the records are ciphered", "a wired meter with a key is not supported")
    return Telegram(header, decode_records(data[header.length :]))


def decode_header(ci: int, data: bytes) -> Header:
    """Read what stands before the records; raises DecodeError for an unknown CI or one cut off."""
    if ci == NO_HEADER:
        return Header(0)
    if ci == SHORT_HEADER:
        part = _part(data, 4)
        return Header(4, None, part[0], part[1], values.unsigned(part[2:4]))
    if ci & ~MSB_FIRST == LONG_HEADER:
        part = _part(data, 12)
        identity = identity_of(part[:8], msb_first=bool(ci & MSB_FIRST))
        address = part[4:6] + part[:4] + part[6:8]
        return Header(12, identity, part[8], part[9], values.unsigned(part[10:12]), address)
    raise DecodeError(f"nothing is known of CI {ci:02X}", "`nabd analyze` shows its bytes")


def identity_of(eight: bytes, *, msb_first: bool = False) -> Identity:
    """Read number, maker, version and medium."""
    number, maker = eight[:4], eight[4:6]
    if not msb_first:
        number, maker = number[::-1], maker[::-1]
    return Identity(number.hex().upper(), manufacturer_of(int.from_bytes(maker, "big")), eight[6], eight[7])


def manufacturer_of(code: int) -> str:
    """Give a maker's three letters; five bits each, A is 1."""
    return "".join(chr((code >> shift & 0x1F) + 64) for shift in (10, 5, 0))


def code_of(manufacturer: str) -> int:
    """Give the number of three letters."""
    first, second, third = (ord(letter) - 64 for letter in manufacturer)
    return first << 10 | second << 5 | third


def status_words(status: int) -> tuple[str, ...]:
    """Name the bits of a status byte."""
    words = [_APPLICATION[status & 0x03]] if status & 0x03 else []
    words += [word for bit, word in _STATUS_BITS if status & bit]
    return (*words, f"maker's bits {status >> 5:03b}") if status & _MAKERS_BITS else tuple(words)


def _fixed(data: bytes, *, msb_first: bool) -> tuple[Header, Records]:
    part = _part(data, 16)
    number = part[:4] if msb_first else part[3::-1]
    media = part[6] >> 6 | part[7] >> 6 << 2
    identity = Identity(number.hex().upper(), "", 0, media)
    return Header(8, identity, part[4], part[5]), fixed_records(part[5], part[6:8], part[8:], msb_first=msb_first)


def _part(data: bytes, length: int) -> bytes:
    if len(data) < length:
        raise DecodeError("the header is cut off", "is the whole telegram there?")
    return data[:length]
