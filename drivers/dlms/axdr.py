"""The data types of DLMS in their own encoding (A-XDR): bytes in, `Data` out, and back, byte for byte.

1. A value is a tag and its content. Arrays and structures hold values; a compact array writes the tags of its elements
   once, before all contents.
2. Lengths are one byte, or 81 to 84 and one to four bytes.
3. Every input ends: what is cut off, nested too deep or longer than the rest of the bytes is a DecodeError at once.

The names are those of the published tables of DLMS data types.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from drivers.contract import DecodeError


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


@dataclass(frozen=True, slots=True)
class Data:
    """One value. Strings of bytes, dates and times are bytes; arrays and structures are tuples."""

    tag: Tag
    content: Content = None

    @property
    def elements(self) -> tuple["Data", ...]:
        """What an array, a structure or a compact array holds; nothing for other values."""
        if isinstance(self.content, Compact):
            return self.content.elements
        return self.content if isinstance(self.content, tuple) else ()


MAX_DEPTH = 16
"""Levels of structures within structures; the deepest object of the captured meters has four."""

MAX_ELEMENTS = 65_536
"""Elements of one value in all: a year of quarter hours has 35,040 rows. Elements may have no bytes of their own."""

_NUMBERS: dict[Tag, struct.Struct] = {
    Tag.INT32: struct.Struct(">i"), Tag.UINT32: struct.Struct(">I"), Tag.INT8: struct.Struct(">b"),
    Tag.INT16: struct.Struct(">h"), Tag.UINT8: struct.Struct(">B"), Tag.UINT16: struct.Struct(">H"),
    Tag.INT64: struct.Struct(">q"), Tag.UINT64: struct.Struct(">Q"), Tag.ENUM: struct.Struct(">B"),
    Tag.FLOAT32: struct.Struct(">f"), Tag.FLOAT64: struct.Struct(">d"), Tag.BCD: struct.Struct(">B"),
    Tag.DELTA_INT8: struct.Struct(">b"), Tag.DELTA_INT16: struct.Struct(">h"), Tag.DELTA_INT32: struct.Struct(">i"),
    Tag.DELTA_UINT8: struct.Struct(">B"), Tag.DELTA_UINT16: struct.Struct(">H"), Tag.DELTA_UINT32: struct.Struct(">I"),
}  # fmt: skip
_FIXED = {Tag.DATE_TIME: 12, Tag.DATE: 5, Tag.TIME: 4}
_EMPTY = (Tag.NULL, Tag.DONT_CARE)
_LONG_LENGTH, _LONGEST_LENGTH = 0x80, 4

Trace = Callable[[int, int, str, int], None]
"""Told of each run of bytes, as start, end, meaning, depth."""


class Reader:
    """A place in the bytes of a message; reading past their end is a DecodeError."""

    def __init__(self, data: bytes, at: int = 0, trace: Trace | None = None) -> None:
        self.data = data
        self.at = at
        self._trace = trace
        self._elements = 0

    def byte(self) -> int:
        """Take one byte."""
        return self.take(1)[0]

    def peek(self) -> int | None:
        """Look at the next byte; None when there is none."""
        return self.data[self.at] if self.left else None

    def take(self, count: int) -> bytes:
        """Take some bytes."""
        end = self.at + count
        if end > len(self.data):
            raise DecodeError("the message is cut off", "is the whole telegram there?")
        taken, self.at = self.data[self.at : end], end
        return taken

    def rest(self) -> bytes:
        """Take all that is left."""
        return self.take(len(self.data) - self.at)

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.at

    def length(self) -> int:
        """Take a length."""
        first = self.byte()
        if first < _LONG_LENGTH:
            return first
        count = first - _LONG_LENGTH
        if not 0 < count <= _LONGEST_LENGTH:
            raise DecodeError(f"a length of {count} bytes is none", "the message is damaged")
        return int.from_bytes(self.take(count), "big")

    def number(self, size: int, meaning: str = "") -> int:
        """Take an unsigned number of some bytes; one with a meaning is noted."""
        start = self.at
        number = int.from_bytes(self.take(size), "big")
        if meaning:
            self.note(start, f"{meaning}: {number}")
        return number

    def flag(self, meaning: str) -> bool:
        """Take a byte that says yes or no, as before all that may be left out; raises DecodeError for another."""
        start, said = self.at, self.byte()
        if said > 1:
            raise DecodeError(f"{said:#04x} is neither yes nor no ({meaning})", "the message is damaged")
        self.note(start, f"{meaning}: {'yes' if said else 'no'}")
        return bool(said)

    def octets(self, meaning: str) -> bytes:
        """Take a length, and so many bytes."""
        start = self.at
        octets = self.take(self.length())
        self.note(start, f"{meaning}: {octets.hex(' ') or 'none'}")
        return octets

    def count(self, meaning: str) -> int:
        """Take how many things follow, each of at least a byte; raises DecodeError for more than there can be."""
        start, count = self.at, self.length()
        if count > self.left:
            raise DecodeError(f"{count} {meaning} in {self.left} bytes", "the message is damaged")
        self.note(start, f"{meaning}: {count}")
        return count

    def end(self) -> None:
        """Raise DecodeError when there are bytes left."""
        if self.left:
            raise DecodeError(f"{self.left} bytes too many behind a message", "it is damaged")

    def note(self, start: int, meaning: str, depth: int = 0) -> None:
        """Tell whoever explains the bytes what those since `start` mean."""
        if self._trace is not None:
            self._trace(start, self.at, meaning, depth)

    def value(self, depth: int = 0) -> Data:
        """Take a tag and its content."""
        start = self.at
        return self._content(tag_of(self.byte()), start, depth)

    def _content(self, tag: Tag, start: int, depth: int) -> Data:
        if tag in (Tag.ARRAY, Tag.STRUCTURE):
            return Data(tag, self._members(tag, start, depth))
        if tag is Tag.COMPACT_ARRAY:
            return Data(tag, self._compact(start, depth))
        data = Data(tag, self._plain(tag))
        self.note(start, f"{tag.name.lower()}: {shown(data)}", depth)
        return data

    def _members(self, tag: Tag, start: int, depth: int) -> tuple[Data, ...]:
        count = self.length()
        self._count(count, depth)
        if count > self.left:
            raise DecodeError(f"{count} members in {self.left} bytes", "the message is damaged")
        self.note(start, f"{tag.name.lower()} of {count}", depth)
        return tuple(self.value(depth + 1) for _ in range(count))

    def _count(self, count: int, depth: int) -> None:
        self._elements += count
        if depth >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise DecodeError("the value is too deep or too long", "the message is damaged")

    def _plain(self, tag: Tag) -> Content:  # noqa: PLR0911  one kind of content a line
        if tag in _EMPTY:
            return None
        if tag is Tag.BOOLEAN:
            return self.byte() != 0
        if tag in _NUMBERS:
            number: int | float = _NUMBERS[tag].unpack(self.take(_NUMBERS[tag].size))[0]
            return number
        if tag in _FIXED:
            return self.take(_FIXED[tag])
        if tag is Tag.BIT_STRING:
            length = self.length()
            return Bits(length, self.take((length + 7) // 8))
        octets = self.take(self.length())
        if tag is Tag.OCTET_STRING:
            return octets
        return octets.decode("utf-8" if tag is Tag.UTF8_STRING else "latin-1", "replace")

    # --- compact arrays ----------------------------------------------------------------------------------------------

    def _compact(self, start: int, depth: int) -> Compact:
        described = self.at
        shape = self._shape(depth)
        description = self.data[described : self.at]
        length = self.length()
        end = self.at + length
        if length > self.left:
            raise DecodeError("the compact array is cut off", "is the whole telegram there?")
        self.note(start, f"compact array of {length} bytes", depth)
        elements: list[Data] = []
        while self.at < end:
            self._count(1, depth)
            before = self.at
            elements.append(self._shaped(shape, depth + 1))
            if self.at == before:
                raise DecodeError("elements without bytes", "the message is damaged")
        if self.at != end:
            raise DecodeError("an element reaches over its array's end", "the message is damaged")
        return Compact(description, tuple(elements))

    def _shape(self, depth: int) -> "_Shape":
        if depth >= MAX_DEPTH:
            raise DecodeError("the type is too deep", "the message is damaged")
        tag = tag_of(self.byte())
        if tag is Tag.STRUCTURE:
            count = self.length()
            if count > self.left:
                raise DecodeError("the type is cut off", "is the whole telegram there?")
            return _Shape(tag, tuple(self._shape(depth + 1) for _ in range(count)))
        if tag is Tag.ARRAY:
            count = int.from_bytes(self.take(2), "big")
            return _Shape(tag, (self._shape(depth + 1),), count)
        if tag is Tag.COMPACT_ARRAY:
            raise DecodeError("a compact array in a compact array", "the message is damaged")
        return _Shape(tag)

    def _shaped(self, shape: "_Shape", depth: int) -> Data:
        start = self.at
        if shape.tag is Tag.STRUCTURE:
            return Data(shape.tag, tuple(self._shaped(member, depth) for member in shape.members))
        if shape.tag is Tag.ARRAY:
            self._count(shape.count, depth)
            return Data(shape.tag, tuple(self._shaped(shape.members[0], depth) for _ in range(shape.count)))
        data = Data(shape.tag, self._plain(shape.tag))
        self.note(start, f"{shape.tag.name.lower()}: {shown(data)}", depth)
        return data


@dataclass(frozen=True, slots=True)
class _Shape:
    """The type of a compact array's element."""

    tag: Tag
    members: tuple["_Shape", ...] = ()
    count: int = 0


def tag_of(byte: int) -> Tag:
    """Name a tag; raises DecodeError for one that is none."""
    try:
        return Tag(byte)
    except ValueError:
        raise DecodeError(f"{byte:#04x} is no type of DLMS", "the message is damaged, or ciphered") from None


def decode(data: bytes) -> Data:
    """Read one value that fills the bytes; raises DecodeError."""
    reader = Reader(data)
    value = reader.value()
    if reader.left:
        raise DecodeError(f"{reader.left} bytes too many behind a value", "the message is damaged")
    return value


def shown(data: Data) -> str:
    """Give a plain value in one short line."""
    content = data.content
    if isinstance(content, Bits):
        return "".join("01"[content[at]] for at in range(min(content.length, 64)))
    if isinstance(content, bytes):
        printable = content.isascii() and content.decode("ascii").isprintable() and len(content) > 1
        return f"{content.hex(' ')}" + (f" {content.decode('ascii')!r}" if printable else "")
    return "" if content is None else str(content)


# --- back into bytes -------------------------------------------------------------------------------------------------


def encode(data: Data) -> bytes:
    """Give the bytes of a value; raises ValueError for content that its tag cannot hold."""
    return bytes((data.tag,)) + _encoded(data)


def encode_length(length: int) -> bytes:
    """Give a length in the fewest bytes."""
    if length < _LONG_LENGTH:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((_LONG_LENGTH + len(octets),)) + octets


def _encoded(data: Data) -> bytes:  # noqa: PLR0911  one kind of content a line
    tag, content = data.tag, data.content
    if tag in _EMPTY:
        return b""
    if tag is Tag.BOOLEAN:
        return b"\x01" if content else b"\x00"
    if tag in _NUMBERS:
        try:
            return _NUMBERS[tag].pack(content)
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
    if isinstance(content, bytes) and (tag is Tag.OCTET_STRING or len(content) == _FIXED.get(tag)):
        return content if tag in _FIXED else encode_length(len(content)) + content
    raise ValueError(f"{content!r} is no {tag.name.lower()}")


def _bare(data: Data) -> bytes:
    """Give an element of a compact array, without the tags that its description has."""
    if data.tag in (Tag.STRUCTURE, Tag.ARRAY):
        return b"".join(_bare(member) for member in data.elements)
    return _encoded(data)
