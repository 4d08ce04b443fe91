"""PRIOS, Diehl's own way to hide what IZAR meters send: bytes mixed with those of a shift register. Bytes in and out.

1. The register begins with who the meter is, the first bytes of the message, and one of two keys that all meters share.
   They are printed in many public programs: nothing that is hidden so is secret, or proves its sender.
2. Four bytes in the clear come first: interval, battery, alarms. The first hidden byte is always the same, which tells
   the right key.

Facts: wmbusmeters and its ports read captured telegrams so.
"""

from drivers.contract import DecodeError

_KEYS = (0x39BC8A10 ^ 0xE66D83F8, 0x51728910 ^ 0xE66D83F8)
_CLEAR = 4
_PROOF = 0x4B
_ALL = 0xFFFFFFFF


def take_apart(address: bytes, ci: int, data: bytes) -> bytes:
    """Give the bytes behind CI with the hidden ones shown; raises DecodeError.

    `address` is the eight bytes of maker and address as on air.
    """
    if len(data) <= _CLEAR:
        raise DecodeError("the PRIOS message is cut off", "the frame is damaged")
    for key in _KEYS:
        seed = key ^ int.from_bytes(address[:4], "big") ^ int.from_bytes(address[4:8], "big")
        plain = mix(seed ^ int.from_bytes(bytes((ci,)) + data[:3], "big"), data[_CLEAR:])
        if plain[0] == _PROOF:
            return data[:_CLEAR] + plain
    raise DecodeError("a PRIOS message that no known key opens", "wmbusmeters may know more of this meter")


def mix(register: int, data: bytes) -> bytes:
    """Mix bytes with those of the register, which hides them or shows them."""
    mixed = bytearray()
    for byte in data:
        for _ in range(8):
            bit = (register >> 1 ^ register >> 2 ^ register >> 11 ^ register >> 31) & 1
            register = (register << 1 | bit) & _ALL
        mixed.append(byte ^ register & 0xFF)
    return bytes(mixed)
