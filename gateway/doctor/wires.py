"""What a receiver makes of a line whose two wires are swapped. No I/O.

1. Swapped wires turn each bit around: the line rests low, start bits are high, stop bits low.
2. A receiver waits for a falling edge, takes it for a start bit and counts eight bits from there. So what arrives is
   not the bytes turned around but other ones, the same each time: `through_swapped` reckons them.
3. A known frame, or a known piece of one, that arrives like this proves it. Some adapters turn bits around behind the
   receiver; then plain inverted bytes arrive.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from drivers.link import Line

LEAST = 4
"""Bytes of a piece: no chance when they come twice."""


def through_swapped(data: bytes, line: Line) -> bytes:
    """Give what a receiver hears when `data` comes without pauses over swapped wires; a cut last byte is left out."""
    levels = [1 - bit for bit in chain.from_iterable(_levels(byte, line) for byte in data)]
    size = line.bits + (line.parity != "N")
    heard = bytearray()
    at, before = 0, 0
    while at < len(levels):
        if not (before and not levels[at]):  # no falling edge
            before = levels[at]
            at += 1
            continue
        bits = levels[at + 1 : at + 1 + size]
        if len(bits) < size:
            break
        heard.append(sum(bit << number for number, bit in enumerate(bits[: line.bits])))
        at += 1 + size
        before = levels[at - 1]
    return bytes(heard)


def inverted(data: bytes) -> bytes:
    """Turn every bit around."""
    return bytes(byte ^ 0xFF for byte in data)


def pieces(data: bytes, line: Line) -> set[bytes]:
    """Give how the end of `data` may be heard over swapped wires, by what went before it in the stream."""
    ways = (through_swapped(before + data, line) for before in _BEFORE)
    return {way[-LEAST:] for way in ways if len(way) >= LEAST}


def shows(heard: bytes, known: Iterable[bytes]) -> bool:
    """Tell whether some piece stands in what was heard more than once."""
    return any(heard.count(one) > 1 for one in known)


_BEFORE = (b"", b"\x00", b"\xff", b"\xaa", b"0)", b"\x55\x01")


def _levels(byte: int, line: Line) -> Iterator[int]:
    bits = [byte >> number & 1 for number in range(line.bits)]
    parity = [] if line.parity == "N" else [sum(bits) % 2 ^ (line.parity == "O")]
    return iter([0, *bits, *parity, *[1] * line.stop])
