"""Tests of drivers/iec62056/parity.py."""

from drivers.iec62056.messages import BAD_PARITY
from drivers.iec62056.parity import with_parity, without_parity

TEXT = bytes(range(128))


def test_there_and_back() -> None:
    """Every character of seven bits comes back, each with an even number of ones on the wire."""
    wire = with_parity(TEXT)
    assert all(byte.bit_count() % 2 == 0 for byte in wire)
    assert without_parity(wire) == TEXT
    assert with_parity(b"/?!") == bytes((0xAF, 0x3F, 0x21))


def test_every_flipped_bit_is_seen() -> None:
    """A character with one turned bit becomes the mark that no text holds."""
    flipped = bytes(byte ^ 1 << bit for byte in with_parity(TEXT) for bit in range(8))
    assert without_parity(flipped) == BAD_PARITY * len(flipped)
