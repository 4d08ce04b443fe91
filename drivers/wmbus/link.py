"""The link layer of wireless M-Bus: who sent a frame, and whether it came whole. Bytes in, values out.

1. A frame begins with L (how many bytes follow), C (what kind), maker, and the address: number, version, medium.
2. On air there are CRCs between the blocks. Format A has one behind the first ten bytes and behind each sixteen,
   format B one behind at most 126 bytes, and counts them in L. Most receivers check and remove them.
3. `split` finds the frames in bytes of any of these kinds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.contract import DecodeError
from drivers.mbus.telegram import Identity, identity_of

HEAD = 10
"""Bytes of L, C, maker and address."""

_BLOCK_A, _BLOCK_B = 16, 126
_CRC = 2
LONGEST = 256 + 2 * _CRC * 16
"""Bytes a frame can have with all its CRCs."""


@dataclass(frozen=True, slots=True)
class RadioFrame:
    """A frame without CRCs; `sender` is who transmitted it, `payload` begins with CI."""

    control: int
    sender: Identity
    address: bytes
    """Maker and address as on air: eight bytes, which ciphers use."""
    payload: bytes


def crc16(data: bytes) -> int:
    """Give the CRC of wireless M-Bus: polynomial 3D65, most significant bit first, inverted."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _TABLE[crc >> 8 ^ byte]
    return crc ^ 0xFFFF


def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x3D65 if crc & 0x8000 else 0)) & 0xFFFF
        found.append(crc)
    return tuple(found)


_TABLE = _table()


def is_frame(data: bytes) -> bool:
    """Tell whether the first byte counts all that follow, and there is something behind the address."""
    return len(data) > HEAD and data[0] + 1 == len(data)


def decode_frame(data: bytes) -> RadioFrame:
    """Read a frame without CRCs; raises DecodeError."""
    if not is_frame(data):
        raise DecodeError("no wireless frame", "its first byte counts all that follow, CRCs left out")
    return RadioFrame(data[1], sender_of(data), data[2:HEAD], data[HEAD:])


def sender_of(head: bytes) -> Identity:
    """Read who transmitted a frame from its first ten bytes."""
    return identity_of(head[4:8] + head[2:4] + head[8:HEAD])


def split(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give where each frame begins and ends, and the frame without CRCs; stops where none begins.

    CRCs that are right tell the format. Bytes without CRCs are taken by their lengths, which must fill all that is
    left: a damaged frame with CRCs is none then.
    """
    at = 0
    while at < len(data):
        found = with_crcs(data[at : at + LONGEST])
        if found is None:
            yield from _bare(data, at)
            return
        end, frame = found
        yield at, at + end, frame
        at += end


def with_crcs(data: bytes) -> tuple[int, bytes] | None:
    """Give how long the frame is that the bytes begin with, and the frame without CRCs; None where a CRC is wrong."""
    return _format_a(data) or _format_b(data)


def _bare(data: bytes, at: int) -> list[tuple[int, int, bytes]]:
    found = []
    while at < len(data):
        end = at + data[at] + 1
        if end - at <= HEAD or end > len(data):
            return []
        found.append((at, end, data[at:end]))
        at = end
    return found


def _format_a(data: bytes) -> tuple[int, bytes] | None:
    if len(data) < HEAD + _CRC:
        return None
    parts = [(0, HEAD)]
    at = HEAD + _CRC
    left = data[0] + 1 - HEAD
    while left > 0:
        size = min(_BLOCK_A, left)
        parts.append((at, at + size))
        at, left = at + size + _CRC, left - size
    return _checked(data, parts, at)


def _format_b(data: bytes) -> tuple[int, bytes] | None:
    length = data[0] + 1 if data else 0
    if len(data) < length or length < HEAD + 2 * _CRC:
        return None
    if length <= _BLOCK_B + _CRC:
        parts, end = [(0, length - _CRC)], length
    else:
        parts, end = [(0, _BLOCK_B), (_BLOCK_B + _CRC, length - _CRC)], length
    found = _checked(data, parts, end)
    return None if found is None else (end, bytes((len(found[1]) - 1,)) + found[1][1:])


def _checked(data: bytes, parts: list[tuple[int, int]], end: int) -> tuple[int, bytes] | None:
    if len(data) < end:
        return None
    for start, stop in parts:
        if crc16(data[start:stop]).to_bytes(_CRC, "big") != data[stop : stop + _CRC]:
            return None
    return end, b"".join(data[start:stop] for start, stop in parts)
