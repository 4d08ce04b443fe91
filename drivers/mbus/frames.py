"""Frames of wired M-Bus: bytes in, frames out, and back again.

1. An acknowledgement is one byte, E5. A short frame asks (`10 C A checksum 16`), a long one carries data
   (`68 L L 68 C A CI data checksum 16`). The checksum is the sum of everything from C on, modulo 256.
2. `Decoder` hunts at every offset, so noise and damaged frames are stepped over. What we said ourselves comes back
   from many level converters; it is told by its direction bit and left out.
3. Damage that happens to keep the checksum right is possible (a sum is weak), so whoever asked also looks at address
   and content.
"""

import re
from collections import Counter
from dataclasses import dataclass

from drivers.contract import DecodeError

ACK = b"\xe5"
SHORT, LONG, STOP = 0x10, 0x68, 0x16
_SHORT_LENGTH, _AROUND = 5, 6
_BEGINS = re.compile(rb"\xe5|\x10(?:...\x16|.{0,3}\Z)|\x68(?:\Z|(.)(?:\Z|\1(?:\Z|\x68)))", re.DOTALL)
"""What may begin a frame, as far as it is there."""

_MARKS = 4
"""Bytes that begin a long frame: mark, length, length, mark."""

_LEAST = 3
"""Bytes a long frame counts at least: C, A and CI."""

FROM_MASTER = 0x40
"""Set in C of whatever the reader says."""

SND_NKE, SND_UD, REQ_UD1, REQ_UD2, RSP_UD = 0x40, 0x53, 0x5A, 0x5B, 0x08
FCB = 0x20
"""Toggles in C with each new request, so that a repeated one gets the same answer."""

BROADCAST, SELECTED = 0xFE, 0xFD
"""Addresses: every meter answers (of use on a bus with one meter only), the one that was selected answers."""

SELECT, RESET = 0x52, 0x50
"""CI of what a reader tells: a secondary address that selects, an application reset with an optional sub-code."""

LIMIT = 1024
"""Bytes kept: four of the longest frames, as on a line full of echo and noise."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A long frame; `ci` says what `data` is."""

    control: int
    address: int
    ci: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    """A meter took what it was told."""


def short(control: int, address: int) -> bytes:
    """Make a short frame."""
    return bytes((SHORT, control, address, (control + address) & 0xFF, STOP))


def long(control: int, address: int, ci: int, data: bytes = b"") -> bytes:
    """Make a long frame; raises ValueError for more than 252 bytes of data."""
    body = bytes((control, address, ci)) + data
    return bytes((LONG, len(body), len(body), LONG)) + body + bytes((sum(body) & 0xFF, STOP))


def length_of(head: bytes | bytearray) -> int | None:
    """Give the length of the frame that begins with these (up to four) bytes, as far as they tell; None for none."""
    if head[0] == ACK[0]:
        return 1
    if head[0] == SHORT:
        return _SHORT_LENGTH
    if head[0] != LONG:
        return None
    if len(head) < _MARKS:
        return _AROUND if len(head) < _MARKS - 1 or head[1] == head[2] else None
    same = head[1] == head[2] and head[3] == LONG and head[1] >= _LEAST
    return head[1] + _AROUND if same else None


def is_sound(frame: bytes | bytearray) -> bool:
    """Tell whether a short or long frame that is there as a whole ends as it must."""
    body = frame[1:-2] if frame[0] == SHORT else frame[4:-2]
    return len(frame) >= _SHORT_LENGTH and frame[-1] == STOP and sum(body) & 0xFF == frame[-2]


class Decoder:
    """Finds frames in a stream of bytes; never raises.

    `counters` holds what was left out: `noise_bytes`, `bad_checksum`, and `echo`, our own words.
    """

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame | Ack]:
        """Take the next bytes and give the frames they complete."""
        found: list[Frame | Ack] = []
        for start in range(0, len(data), LIMIT // 2):
            self._buffer += data[start : start + LIMIT // 2]
            self._find(found)
        return found

    def reset(self) -> None:
        """Forget what has begun: the next bytes answer another request."""
        self.counters["noise_bytes"] += len(self._buffer)
        self._buffer.clear()

    @property
    def pending(self) -> int:
        """How many bytes of a frame that is not complete have come."""
        return len(self._buffer)

    def _find(self, found: list[Frame | Ack]) -> None:
        buffer = self._buffer
        while buffer:
            length = length_of(buffer[:4])
            if length is None:
                self._skip()
            elif len(buffer) < length:
                return
            elif length == 1:
                del buffer[0]
                found.append(Ack())
            elif buffer[length - 1] != STOP or not is_sound(buffer[:length]):  # noise is full of starts, not of ends
                self.counters["bad_checksum"] += 1
                self._skip()
            else:
                self._take(length, found)

    def _take(self, length: int, found: list[Frame | Ack]) -> None:
        frame = bytes(self._buffer[:length])
        del self._buffer[:length]
        control = frame[1] if frame[0] == SHORT else frame[4]
        if control & FROM_MASTER:
            self.counters["echo"] += 1
        elif frame[0] == LONG:
            found.append(Frame(control, frame[5], frame[6], frame[7:-2]))
        else:
            self.counters["noise_bytes"] += length

    def _skip(self) -> None:
        """Step over the first byte and all that begins nothing."""
        begins = _BEGINS.search(self._buffer, 1)
        at = begins.start() if begins else len(self._buffer)
        self.counters["noise_bytes"] += at
        del self._buffer[:at]


def decode(data: bytes) -> Frame:
    """Read one long frame that is there as a whole; raises DecodeError."""
    found = Decoder().feed(data)
    if len(found) != 1 or not isinstance(found[0], Frame):
        raise DecodeError("no M-Bus frame", "a long frame is 68 L L 68 … checksum 16")
    return found[0]
