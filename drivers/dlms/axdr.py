"""The encoding of DLMS values (A-XDR): bytes in, `Data` out; data.py is the way back.

1. A value is a tag and its content. Lengths are one byte, or 81 to 84 and one to four bytes.
2. Every input ends: what is cut off, nested too deep or longer than the rest of the bytes is a DecodeError at once.
3. A `Reader` can tell what each run of bytes means, for those who look at them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.contract import DecodeError
from drivers.dlms.data import (
    FIXED,
    LONG_LENGTH,
    NUMBERS,
    TAGS,
    Bits,
    Compact,
    Content,
    Data,
    Tag,
    encode,
    encode_length,
    shown,
)

__all__ = [
    "MAX_DEPTH", "MAX_ELEMENTS", "Bits", "Compact", "Content", "Data", "Reader", "Tag", "Trace", "decode", "encode",
    "encode_length", "shown", "tag_of",
]  # fmt: skip

MAX_DEPTH = 16
"""Levels of structures within structures; the deepest object of the captured meters has four."""

MAX_ELEMENTS = 16_384
"""Values within one value: a day of minutes in ten columns has 15,840. They may have no bytes of their own, so the
length of a message does not bound them; this many take less than 50 ms."""

_LONGEST_LENGTH = 4
_CUT, _WHOLE = "the message is cut off", "is the whole telegram there?"

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
        at = self.at
        if at >= len(self.data):
            raise DecodeError(_CUT, _WHOLE)
        self.at = at + 1
        return self.data[at]

    def peek(self) -> int | None:
        """Look at the next byte; None when there is none."""
        return self.data[self.at] if self.left else None

    def take(self, count: int) -> bytes:
        """Take some bytes."""
        end = self.at + count
        if end > len(self.data):
            raise DecodeError(_CUT, _WHOLE)
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
        if first < LONG_LENGTH:
            return first
        count = first - LONG_LENGTH
        if not 0 < count <= _LONGEST_LENGTH:
            raise DecodeError(f"a length of {count} bytes is none", "the message is damaged")
        return int.from_bytes(self.take(count), "big")

    def number(self, size: int, meaning: str = "") -> int:
        """Take an unsigned number of some bytes; one with a meaning is noted."""
        start = self.at
        number = int.from_bytes(self.take(size), "big")
        if meaning and self._trace is not None:
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
        if self._trace is not None:
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
        if tag is Tag.ARRAY or tag is Tag.STRUCTURE:
            return Data(tag, self._members(tag, start, depth))
        if tag is Tag.COMPACT_ARRAY:
            return Data(tag, self._compact(start, depth))
        return self._value(tag, start, depth)

    def _value(self, tag: Tag, start: int, depth: int) -> Data:
        data = Data(tag, self._plain(tag))
        if self._trace is not None:
            self.note(start, f"{tag.name.lower()}: {shown(data)}", depth)
        return data

    def _members(self, tag: Tag, start: int, depth: int) -> tuple[Data, ...]:
        count = self.length()
        self._count(count, depth)
        if count > self.left:
            raise DecodeError(f"{count} members in {self.left} bytes", "the message is damaged")
        if self._trace is not None:
            self.note(start, f"{tag.name.lower()} of {count}", depth)
        return tuple([self.value(depth + 1) for _ in range(count)])

    def _count(self, count: int, depth: int) -> None:
        self._elements += count
        if depth >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise DecodeError("the value is too deep or too long", "the message is damaged")

    def _plain(self, tag: Tag) -> Content:  # noqa: PLR0911  one kind of content a line
        packed = NUMBERS.get(tag)
        if packed is not None:
            number: int | float = packed.unpack(self.take(packed.size))[0]
            return number
        if tag is Tag.NULL or tag is Tag.DONT_CARE:
            return None
        if tag is Tag.BOOLEAN:
            return self.byte() != 0
        if tag in FIXED:
            return self.take(FIXED[tag])
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
        self._count(1, depth)
        start = self.at
        if shape.tag is Tag.STRUCTURE:
            return Data(shape.tag, tuple(self._shaped(member, depth) for member in shape.members))
        if shape.tag is Tag.ARRAY:
            return Data(shape.tag, tuple(self._shaped(shape.members[0], depth) for _ in range(shape.count)))
        return self._value(shape.tag, start, depth)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The type of a compact array's element."""

    tag: Tag
    members: tuple["_Shape", ...] = ()
    count: int = 0


def tag_of(byte: int) -> Tag:
    """Name a tag; raises DecodeError for one that is none."""
    tag = TAGS.get(byte)
    if tag is None:
        raise DecodeError(f"{byte:#04x} is no type of DLMS", "the message is damaged, or ciphered")
    return tag


def decode(data: bytes, trace: Trace | None = None) -> Data:
    """Read one value that fills the bytes; raises DecodeError."""
    reader = Reader(data, trace=trace)
    value = reader.value()
    if reader.left:
        raise DecodeError(f"{reader.left} bytes too many behind a value", "the message is damaged")
    return value
