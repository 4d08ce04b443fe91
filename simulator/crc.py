"""The checksum of both RTU frames and P1 telegrams: CRC-16 with polynomial 0x8005, bits reflected.

Written apart from the codecs' own, so that the two judge each other.
"""

MODBUS = 0xFFFF
ARC = 0x0000


def crc16(data: bytes, start: int) -> int:
    """Give the checksum of `data`, beginning with MODBUS or ARC."""
    value = start
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value
