"""Even parity in software, for optical heads and serial servers that pass eight bits without looking at them."""

from drivers.iec62056.messages import BAD_PARITY

_EVEN = bytes(char | (char.bit_count() % 2) << 7 for char in range(128)) + bytes(range(128, 256))
_PLAIN = bytes(byte & 0x7F if byte.bit_count() % 2 == 0 else BAD_PARITY[0] for byte in range(256))


def with_parity(text: bytes) -> bytes:
    """Set the eighth bit of each character so that its ones are even in number."""
    return text.translate(_EVEN)


def without_parity(data: bytes) -> bytes:
    """Take the eighth bit away; a character with an odd number of ones becomes `BAD_PARITY`."""
    return data.translate(_PLAIN)
