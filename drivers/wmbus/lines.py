"""Receivers that print a line a frame: CUL sticks, rtl_wmbus, rtl_433. Bytes in, frames out.

1. CUL: `b` or `bY`, then hexadecimal digits with the frame's CRCs, which must be right; two bytes more are the signal.
2. The others: fields between `;` or `,`, one of them a frame without CRCs in hexadecimal digits, after `0x` or not.
"""

import re

from drivers.wmbus.link import HEAD, with_crcs
from drivers.wmbus.sticks import LIMIT, Caught, Step, Stick

_CUL = re.compile(rb"bY?((?:[0-9A-Fa-f]{2}){12,})\Z")
_FIELD = re.compile(rb"(?:\A|[;,]|0x)((?:[0-9A-Fa-f]{2}){11,})(?=[;,]|\Z)")
_SIGNAL = 2


class Lines(Stick):
    """Text, one frame a line."""

    def _step(self, data: bytes) -> Step | None:
        end = data.find(b"\n")
        if end < 0:
            # Longer than any line with a frame: what it ends with may be the middle of anything.
            return (len(data), None, "too_long") if len(data) >= LIMIT else None
        line = data[:end].strip()
        if cul := _CUL.fullmatch(line):
            return end + 1, *_cul(bytes.fromhex(cul[1].decode()))
        for field in _FIELD.finditer(line):
            frame = bytes.fromhex(field[1].decode())
            if len(frame) > HEAD and frame[0] + 1 == len(frame):
                return end + 1, Caught(frame), ""
        return end + 1, None, "no_frame"


def _cul(data: bytes) -> tuple[Caught | None, str]:
    found = with_crcs(data)
    if found is None or len(data) - found[0] not in (0, _SIGNAL):
        return None, "bad_crc"
    end, frame = found
    # The last byte is the radio chip's: half decibels above -74 dBm, signed.
    signal = int.from_bytes(data[-1:], signed=True) // 2 - 74 if end < len(data) else None
    return Caught(frame, signal), ""
