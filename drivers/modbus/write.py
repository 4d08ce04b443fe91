"""The one write there is: a new address for a meter, in RTU frames. Bytes in, values out; no I/O.

1. `write_frame` makes the frame for what a profile's `[address]` allows, and for nothing else.
2. `confirmed` looks for the meter's answer in what the line delivers: noise, an echo and other units are stepped over.

Only `drivers/modbus/set_address.py` may import this module; a test reads the imports.
"""

import struct

from drivers.modbus.codec import EXCEPTION, crc16, refused
from drivers.modbus.model import SetAddress

LOWEST, HIGHEST = 1, 247
"""Addresses a unit on a serial line may have; 0 is everyone."""

_ONE, _SEVERAL = 6, 16


def write_frame(unit: int, allowed: SetAddress, new: int) -> bytes:
    """Make the frame that gives `unit` the address `new`; raises ValueError for an address off the line."""
    if not (LOWEST <= unit <= HIGHEST and LOWEST <= new <= HIGHEST):
        raise ValueError(f"addresses are {LOWEST} to {HIGHEST}")
    if allowed.function == _ONE:
        frame = struct.pack(">BBHH", unit, _ONE, allowed.at, new)
    else:
        value = struct.pack(">f" if allowed.type == "f32" else ">H", new)
        frame = struct.pack(">BBHHB", unit, _SEVERAL, allowed.at, len(value) // 2, len(value)) + value
    return frame + crc16(frame)


def confirmed(received: bytes, frame: bytes, new: int) -> bool:
    """Tell whether the answer to `frame` is in `received`; raises Refused when the meter says no.

    Some meters answer under the old address, some already under the new one. The answer repeats the frame's first six
    bytes. A line with an echo repeats a frame of function 6 too, so a True is a hint; reading the meter is the proof.
    """
    for unit in (frame[0], new):
        no = bytes((unit, frame[1] | EXCEPTION))
        for at in _places(received, no, 5):
            raise refused(received[at + 2])
    return any(True for unit in (frame[0], new) for _ in _places(received, bytes((unit,)) + frame[1:6], 8))


def _places(received: bytes, head: bytes, length: int) -> list[int]:
    """List where a whole frame that begins with `head` and has a right CRC stands."""
    places = []
    at = received.find(head)
    while at != -1:
        frame = received[at : at + length]
        if len(frame) == length and crc16(frame[:-2]) == frame[-2:]:
            places.append(at)
        at = received.find(head, at + 1)
    return places
