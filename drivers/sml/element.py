"""The elements SML is made of: bytes in, values out.

1. An element begins with its type and length: four bits each, and more bits of length in further bytes while the
   highest bit says so. The length counts these bytes too, but that of a list counts the elements in it.
2. Types: bytes, a truth value, a signed or an unsigned integer of one to eight bytes (three are as good as four), a
   list. Bytes of no length are a field that was left out.

Elements become `bytes`, `bool`, `int`, `tuple`, and None for what was left out.
"""

from typing import Any

from drivers.contract import DecodeError

Element = Any
"""None, bytes, bool, int, or a tuple of elements."""

OCTETS, BOOLEAN, INTEGER, UNSIGNED, LIST = 0x00, 0x40, 0x50, 0x60, 0x70
LEFT_OUT = 0x01
MORE = 0x80

DEPTH = 10
"""Lists in lists. A time in an entry of a list of values stands in six."""
LENGTH_BYTES = 4
"""Bytes of type and length: their 16 bits reach beyond any file."""
WIDEST = 8


class Negative(int):
    """A negative integer that knows in how many bytes it came: some meters mean it without sign (quirks.py)."""

    width: int


def elements(data: bytes, at: int, count: int, depth: int = 0) -> tuple[tuple[Element, ...], int]:
    """Read `count` elements from `at` on, and tell where they end; raises DecodeError, IndexError at the data's end."""
    if depth > DEPTH:
        raise DecodeError(f"lists in lists, more than {DEPTH} deep")
    items: list[Element] = []
    for _ in range(count):
        head = data[at]
        if head == LEFT_OUT:
            items.append(None)
            at += 1
            continue
        kind, size, begin = (head & 0x70, head & 0x0F, at + 1) if head < MORE else long_head(data, at)
        if kind == LIST:
            item, at = elements(data, begin, size, depth + 1)
        else:
            end = at + size
            if end > len(data) or end <= begin - (kind == OCTETS):
                raise DecodeError("an element of an impossible length")
            item, at = value_of(kind, data[begin:end]), end
        items.append(item)
    return tuple(items), at


def long_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Read type and length of one or more bytes: type, length, and where the content begins. Raises DecodeError."""
    kind, size, begin = data[at] & 0x70, data[at] & 0x0F, at + 1
    while data[begin - 1] & MORE:
        if begin - at == LENGTH_BYTES or data[begin] & 0x70:
            raise DecodeError("a length that is none")
        size = size << 4 | data[begin] & 0x0F
        begin += 1
    return kind, size, begin


def value_of(kind: int, raw: bytes) -> Element:
    """Read the content of an element that is no list; raises DecodeError."""
    if kind == UNSIGNED and len(raw) <= WIDEST:
        return int.from_bytes(raw, "big")
    if kind == OCTETS:
        return raw
    if kind == INTEGER and len(raw) <= WIDEST:
        number = int.from_bytes(raw, "big", signed=True)
        if number < 0:
            number = Negative(number)
            number.width = len(raw)
        return number
    if kind == BOOLEAN and len(raw) == 1:
        return raw != b"\0"
    raise DecodeError(f"an element of unknown type {kind | len(raw) + 1:#04x}")
