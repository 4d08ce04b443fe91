"""Keeps a count through crashes: two slots in a file, written in turn. Bytes in, values out.

1. A slot is a mark, a generation, both counts, and their CRC. Slots stand in sectors of their own, so a power cut can
   spoil the one being written, never both.
2. The valid slot with the greater generation counts.
3. Each pulse writes its slot into the page cache, which outlives the process; the kernel brings it to the disk within
   about 30 s, so that a busy meter wears no flash. What a power cut loses is those seconds.
"""

import struct
import zlib

from drivers.pulse.count import Total

SECTOR = 512
SIZE = 2 * SECTOR
_SLOT = struct.Struct("<4sQQQ")
_MARK = b"NBP1"
_CRC = struct.Struct("<I")


def encode(total: Total, generation: int) -> bytes:
    """Make a slot of one sector."""
    body = _SLOT.pack(_MARK, generation, total.forward, total.backward)
    return (body + _CRC.pack(zlib.crc32(body))).ljust(SECTOR, b"\0")


def place(generation: int) -> int:
    """Give where a generation's slot stands in the file."""
    return generation % 2 * SECTOR


def newest(data: bytes) -> tuple[Total, int]:
    """Give the count and its generation; zeros, generation 0, where no slot is valid."""
    found = [slot for at in (0, SECTOR) if (slot := _read(data[at : at + SECTOR])) is not None]
    return max(found, key=lambda slot: slot[1], default=(Total(), 0))


def _read(sector: bytes) -> tuple[Total, int] | None:
    body, crc = sector[: _SLOT.size], sector[_SLOT.size : _SLOT.size + _CRC.size]
    if len(crc) < _CRC.size or crc != _CRC.pack(zlib.crc32(body)):
        return None
    mark, generation, forward, backward = _SLOT.unpack(body)
    return (Total(forward, backward), generation) if mark == _MARK else None
