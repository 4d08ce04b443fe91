"""Values of DLMS: a tag and its content, and the bytes of both.

Arrays and structures hold values; a compact array writes the tags of its elements once, before all contents. The names
are those of the published tables of DLMS data types.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Tag(IntEnum):
    """The first byte of a value."""

    NULL = 0
    ARRAY = 1
    STRUCTURE = 2
    BOOLEAN = 3
    BIT_STRING = 4
    INT32 = 5
    UINT32 = 6
    OCTET_STRING = 9
    VISIBLE_STRING = 10
    UTF8_STRING = 12
    BCD = 13
    INT8 = 15
    INT16 = 16
    UINT8 = 17
    UINT16 = 18
    COMPACT_ARRAY = 19
    INT64 = 20
    UINT64 = 21
    ENUM = 22
    FLOAT32 = 23
    FLOAT64 = 24
    DATE_TIME = 25
    DATE = 26
    TIME = 27
    DELTA_INT8 = 28
    DELTA_INT16 = 29
    DELTA_INT32 = 30
    DELTA_UINT8 = 31
    DELTA_UINT16 = 32
    DELTA_UINT32 = 33
    DONT_CARE = 255


@dataclass(frozen=True, slots=True)
class Bits:
    """A bit string: `length` bits, the first one the highest of `octets`."""

    length: int
    octets: bytes

    def __getitem__(self, at: int) -> bool:
        """Tell whether a bit is set."""
        return bool(self.octets[at // 8] >> 7 - at % 8 & 1)


@dataclass(frozen=True, slots=True)
class Compact:
    """A compact array: the description of an element's type, as on the wire, and the elements."""

    description: bytes
    elements: tuple["Data", ...]


Content = bool | int | float | str | bytes | Bits | Compact | tuple["Data", ...] | None


class Data(NamedTuple):
    """One value. Strings of bytes, dates and times are bytes; arrays and structures are tuples.

    A named tuple, not a dataclass: they are made by the ten thousand, and this halves the time.
    """

    tag: Tag
    content: Content = None

    @property
    def elements(self) -> tuple["Data", ...]:
        """What an array, a structure or a compact array holds; nothing for other values."""
        if isinstance(self.content, Compact):
            return self.content.elements
        return self.content if isinstance(self.content, tuple) else ()


NUMBERS: dict[int, struct.Struct] = {
    Tag.INT32: struct.Struct(">i"), Tag.UINT32: struct.Struct(">I"), Tag.INT8: struct.Struct(">b"),
    Tag.INT16: struct.Struct(">h"), Tag.UINT8: struct.Struct(">B"), Tag.UINT16: struct.Struct(">H"),
    Tag.INT64: struct.Struct(">q"), Tag.UINT64: struct.Struct(">Q"), Tag.ENUM: struct.Struct(">B"),
    Tag.FLOAT32: struct.Struct(">f"), Tag.FLOAT64: struct.Struct(">d"), Tag.BCD: struct.Struct(">B"),
    Tag.DELTA_INT8: struct.Struct(">b"), Tag.DELTA_INT16: struct.Struct(">h"), Tag.DELTA_INT32: struct.Struct(">i"),
    Tag.DELTA_UINT8: struct.Struct(">B"), Tag.DELTA_UINT16: struct.Struct(">H"), Tag.DELTA_UINT32: struct.Struct(">I"),
}  # fmt: skip
FIXED: dict[int, int] = {Tag.DATE_TIME: 12, Tag.DATE: 5, Tag.TIME: 4}
EMPTY = (Tag.NULL, Tag.DONT_CARE)

TAGS: dict[int, Tag] = {int(tag): tag for tag in Tag}
LONG_LENGTH = 0x80
"""Lengths from here on take more than their own byte."""


def shown(data: Data) -> str:
    """Give a plain value in one short line."""
    content = data.content
    if isinstance(content, Bits):
        return "".join("01"[content[at]] for at in range(min(content.length, 64)))
    if isinstance(content, bytes):
        printable = content.isascii() and content.decode("ascii").isprintable() and len(content) > 1
        return f"{content.hex(' ')}" + (f" {content.decode('ascii')!r}" if printable else "")
    return "" if content is None else str(content)


# --- bytes -----------------------------------------------------------------------------------------------------------


def encode(data: Data) -> bytes:
    """Give the bytes of a value; raises ValueError for content that its tag cannot hold."""
    return bytes((data.tag,)) + _encoded(data)


def encode_length(length: int) -> bytes:
    """Give a length in the fewest bytes."""
    if length < LONG_LENGTH:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((LONG_LENGTH + len(octets),)) + octets


def _encoded(data: Data) -> bytes:  # noqa: PLR0911  one kind of content a line
    tag, content = data.tag, data.content
    if tag in EMPTY:
        return b""
    if tag is Tag.BOOLEAN:
        return b"\x01" if content else b"\x00"
    if tag in NUMBERS:
        try:
            return NUMBERS[tag].pack(content)
        except struct.error as error:
            raise ValueError(f"{content!r} is no {tag.name.lower()}") from error
    if isinstance(content, Compact):
        body = b"".join(_bare(element) for element in content.elements)
        return content.description + encode_length(len(body)) + body
    if isinstance(content, tuple):
        return encode_length(len(content)) + b"".join(encode(member) for member in content)
    if isinstance(content, Bits):
        return encode_length(content.length) + content.octets
    if isinstance(content, str):
        octets = content.encode("utf-8" if tag is Tag.UTF8_STRING else "latin-1")
        return encode_length(len(octets)) + octets
    if isinstance(content, bytes) and (tag is Tag.OCTET_STRING or len(content) == FIXED.get(tag)):
        return content if tag in FIXED else encode_length(len(content)) + content
    raise ValueError(f"{content!r} is no {tag.name.lower()}")


def _bare(data: Data) -> bytes:
    """Give an element of a compact array, without the tags that its description has."""
    if data.tag in (Tag.STRUCTURE, Tag.ARRAY):
        return b"".join(_bare(member) for member in data.elements)
    return _encoded(data)
