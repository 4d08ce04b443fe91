"""Ciphered messages as they stand on the wire: what is readable without a key.

1. A service's own ciphered form has a first byte of its own, and no system title: both sides know each other's.
2. The general form (DB with the meter's key, DC with an association's) names its sender's system title.
3. Inside: security control (suite, what was done), invocation counter, the text, and a tag of 12 bytes when signed.
"""

from dataclasses import dataclass

from drivers.contract import DecodeError
from drivers.dlms.axdr import Reader, encode_length

GENERAL_GLOBAL, GENERAL_DEDICATED = 0xDB, 0xDC
GENERAL = (GENERAL_GLOBAL, GENERAL_DEDICATED)

_INITIATE = (0x01, 0x08, 0x0E)
_NAMED = (0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC7)
GLOBAL = {plain: plain + 0x20 for plain in _INITIATE} | {plain: plain + 0x08 for plain in _NAMED}
"""First bytes of messages ciphered with the meter's key, by those of the plain messages."""

DEDICATED = {plain: plain + 0x40 for plain in _INITIATE} | {plain: plain + 0x10 for plain in _NAMED}
"""The same, ciphered with an association's own key."""

PLAIN = {sealed: plain for forms in (GLOBAL, DEDICATED) for plain, sealed in forms.items()}
"""First bytes of plain messages, by those of their ciphered forms."""

SIGNED, CIPHERED, FOR_ALL, COMPRESSED, SUITE = 0x10, 0x20, 0x40, 0x80, 0x0F
"""Bits of the security control byte: what was done to the text, whether with the key of all meters, which suite."""

TITLE_LENGTH = 8
_HEAD = 5


@dataclass(frozen=True, slots=True)
class Sealed:
    """A closed message; `text` is what follows the counter, tag included. `title` is only in the general form."""

    tag: int
    control: int
    counter: int
    text: bytes
    title: bytes | None = None

    def __bytes__(self) -> bytes:
        """Give the message."""
        body = bytes((self.control,)) + self.counter.to_bytes(4, "big") + self.text
        title = b"" if self.title is None else encode_length(len(self.title)) + self.title
        return bytes((self.tag,)) + title + encode_length(len(body)) + body

    @property
    def is_dedicated(self) -> bool:
        """Whether it is closed with an association's own key."""
        return self.tag == GENERAL_DEDICATED or self.tag in DEDICATED.values()


def read_sealed(tag: int, reader: Reader) -> Sealed:
    """Read a closed message behind its tag; raises DecodeError."""
    title = None
    if tag in GENERAL:
        title = reader.octets("system title")
        if len(title) != TITLE_LENGTH:
            raise DecodeError(f"a system title of {len(title)} bytes is none", "the message is damaged")
    start, length = reader.at, reader.length()
    if length != reader.left or length < _HEAD:
        raise DecodeError(f"{reader.left} bytes where {length} belong", "is the whole message there?")
    reader.note(start, f"length: {length}")
    start, control = reader.at, reader.byte()
    reader.note(start, f"security control: {said(control)}")
    counter, start = reader.number(4, "invocation counter"), reader.at
    text = reader.rest()
    reader.note(start, "ciphered" if control & CIPHERED else "signed")
    return Sealed(tag, control, counter, text, title)


def said(control: int) -> str:
    """Say a security control byte in words."""
    done = [word for bit, word in _WORDS.items() if control & bit]
    return f"suite {control & SUITE}, {' and '.join(done) or 'open'}"


_WORDS = {SIGNED: "signed", CIPHERED: "ciphered", FOR_ALL: "with the key of all meters", COMPRESSED: "compressed"}
