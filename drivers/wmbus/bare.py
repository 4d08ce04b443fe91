"""Sticks that send frames and nothing around them: RC1180, AMB8465 without commands. Bytes in, frames out.

There is no mark and no checksum, so a frame is believed by its own head: what kind, who made the meter, what follows.
After noise, two frames in a row must look right before the first is taken.
"""

import re

from drivers.wmbus.layers import COMPACT, MAKERS
from drivers.wmbus.link import HEAD
from drivers.wmbus.sticks import KINDS, Caught, Step, Stick, up_to

_CIS = bytes((0x72, 0x7A, 0x78, COMPACT, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, *MAKERS))

_CI = b"[" + re.escape(_CIS) + b"]"
_START = re.compile(
    # length, kind, maker (its top bit is clear), address, CI; the bytes may end anywhere within
    rb"[\x0a-\xff](?:\Z|[" + KINDS + rb"](?:.?\Z|.[\x00-\x7f](?:.{0,6}\Z|.{6}" + _CI + rb")))",
    re.DOTALL,
)
_LETTERS = range(1, 27)


class Bare(Stick):
    """Frames one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._in_step = True

    def _step(self, data: bytes) -> Step | None:
        length = data[0] + 1
        looks = _looks_right(data)
        if looks is None or (looks and len(data) < length):
            return None
        if looks and not self._in_step:
            looks = _looks_right(data[length:])
            if looks is None:
                return None
        self._in_step = looks
        return (length, Caught(data[:length]), "") if looks else up_to(data, _START)


def _looks_right(data: bytes) -> bool | None:
    """Judge a frame's head; None while too little is there to tell."""
    if data and not _START.match(data):
        return False
    if len(data) <= HEAD:
        return None
    maker = int.from_bytes(data[2:4], "little")
    return all(maker >> shift & 0x1F in _LETTERS for shift in (0, 5, 10))
