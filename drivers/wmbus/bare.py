"""Sticks that send frames and nothing around them: RC1180, AMB8465 without commands. Bytes in, frames out.

There is no mark and no checksum, so a frame is believed by its own head: what kind, who made the meter, what follows.
After noise, two frames in a row must look right before the first is taken.
"""

from drivers.wmbus.layers import COMPACT, MAKERS
from drivers.wmbus.link import HEAD
from drivers.wmbus.sticks import Caught, Step, Stick

_KINDS = (0x44, 0x46, 0x47, 0x48, 0x08)
"""Frames of meters: without an answer, for installation, of access, answers."""

_CIS = frozenset((0x72, 0x7A, 0x78, COMPACT, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, *MAKERS))
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
        if not looks:
            self._in_step = False
            return 1, None, "noise"
        if not self._in_step:
            follows = _looks_right(data[length:])
            if follows is None:
                return None
            if not follows:
                return 1, None, "noise"
            self._in_step = True
        return length, Caught(data[:length]), ""


def _looks_right(data: bytes) -> bool | None:
    """Judge a frame's head; None while too little is there to tell."""
    if not data:
        return None
    if data[0] < HEAD or (len(data) > 1 and data[1] not in _KINDS):
        return False
    if len(data) <= HEAD:
        return None
    maker = int.from_bytes(data[2:4], "little")
    letters = all(maker >> shift & 0x1F in _LETTERS for shift in (0, 5, 10))
    return letters and data[HEAD] in _CIS
