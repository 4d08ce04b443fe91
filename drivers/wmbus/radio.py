"""The radio's own layer between link and transport: CI 8C to 8F. Bytes in, values out.

1. All four have a byte about the radio and an access number; 8E and 8F name the receiver, too.
2. 8D and 8F have a session number, which may cipher all that follows, and a CRC of what follows once deciphered.
"""

from dataclasses import dataclass

from drivers.contract import DecodeError
from drivers.wmbus.link import crc16
from drivers.wmbus.security import WrongKey, decipher_ctr

CIPHERED_MODE = 1
"""What a frame ciphered here is reported as; the transport layer's own modes begin at 5."""

_LENGTHS = {0x8C: 3, 0x8D: 7, 0x8E: 11, 0x8F: 15}
"""Bytes from CI to the session number; the CRC is apart."""

_WITH_SESSION, _WITH_RECEIVER = (0x8D, 0x8F), (0x8E, 0x8F)
_RECEIVER = slice(3, 11)
_COUNTER_MODE = 1
CRC = 2


@dataclass(frozen=True, slots=True)
class Radio:
    """The payload deciphered, how long this layer is in it, and whether it was ciphered here."""

    clear: bytes
    length: int
    mode: int = 0


def is_radio(ci: int) -> bool:
    """Tell whether this layer begins here."""
    return ci in _LENGTHS


def take_radio(data: bytes, sender: bytes, key: bytes | None) -> Radio:
    """Take the layer off; `sender` is maker and address of the frame. Raises WrongKey, DecodeError."""
    ci = data[0]
    length = _LENGTHS[ci]
    if len(data) <= length:
        raise DecodeError("the radio layer is cut off", "is the receiver's firmware right?")
    layer, rest = data[:length], data[length:]
    if ci not in _WITH_SESSION:
        return Radio(data, length)
    if layer[-1] >> 5 == _COUNTER_MODE and key is not None:
        senders = (sender, layer[_RECEIVER]) if ci in _WITH_RECEIVER else (sender,)
        for address in senders:
            plain = decipher_ctr(key, address + layer[1:2] + layer[-4:] + b"\0\0\0", rest)
            if _is_whole(plain):
                return Radio(layer + plain, length + CRC, CIPHERED_MODE)
    # Whoever recorded the frame may have deciphered it and left the header as it was: then the CRC is right.
    if _is_whole(rest):
        return Radio(data, length + CRC)
    if layer[-1] >> 5 != _COUNTER_MODE:
        raise DecodeError("the CRC of the frame is wrong", "it was damaged on its way")
    if key is None:
        raise WrongKey("the frame is ciphered", "give the meter's key")
    raise WrongKey("the key does not fit this meter", "ask the utility for the key of this number")


def _is_whole(data: bytes) -> bool:
    return crc16(data[CRC:]).to_bytes(CRC, "little") == data[:CRC]
