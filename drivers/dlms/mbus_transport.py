"""DLMS over the wire of M-Bus, as Austrian meters push it: bytes in, messages out.

1. A long frame of M-Bus whose CI is 00 to 1F carries a piece of a message: the low four bits number it from 0, and the
   fifth marks the last one.
2. Two bytes of sender and receiver stand before the piece.

The meter speaks as a master does, so the frames of `drivers.mbus` are found here again, and not as an echo.
"""

from collections import Counter

from drivers.dlms.notices import LONGEST_MESSAGE
from drivers.mbus.frames import LONG, is_sound, length_of

_CI_AT, _ADDRESSES_AT, _PIECE_AT, _BEHIND = 6, 7, 9, 2
_LAST, _NUMBER, _HIGHEST_CI = 0x10, 0x0F, 0x1F
_MARKS = 4
LIMIT = 1024
"""Bytes kept: four of the longest frames, as on a line full of noise."""


def carries_dlms(frame: bytes | bytearray) -> bool:
    """Tell whether a sound long frame carries a piece of DLMS."""
    return frame[_CI_AT] <= _HIGHEST_CI and len(frame) >= _PIECE_AT + _BEHIND


def piece_of(frame: bytes) -> tuple[int, bool, bytes]:
    """Give number, whether it is the last, and the piece of a frame that carries one."""
    ci = frame[_CI_AT]
    return ci & _NUMBER, bool(ci & _LAST), frame[_PIECE_AT:-_BEHIND]


class Pieces:
    """Joins the pieces of one line by their numbers, which begin again at 0 behind 15."""

    def __init__(self) -> None:
        self._joined = bytearray()
        self._next = 0

    def add(self, number: int, piece: bytes, *, last: bool) -> bytes | None:
        """Give the message behind its last piece; None while pieces are missing, in front of or behind this one.

        A lost piece costs the message: what is left of it is passed over until the next one begins.
        """
        if number == 0 and self._next != _NUMBER + 1:
            self._joined.clear()
            self._next = 0
        if number != self._next & _NUMBER or self._next < 0 or len(self._joined) + len(piece) > LONGEST_MESSAGE:
            self._joined.clear()
            self._next = -1
            return None
        self._joined += piece
        self._next = _NUMBER + 1 if number == _NUMBER else number + 1
        if not last:
            return None
        message = bytes(self._joined)
        self._joined.clear()
        self._next = -1
        return message


class Decoder:
    """Finds messages in a stream of bytes; never raises, and counts what it leaves out by reason."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._buffer = bytearray()
        self._pieces = Pieces()

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and give the messages they complete."""
        found = []
        for start in range(0, len(data), LIMIT // 2):
            self._buffer += data[start : start + LIMIT // 2]
            found += self._find()
        return found

    def _find(self) -> list[bytes]:
        buffer, at, found = self._buffer, 0, []
        while at < len(buffer):
            length = length_of(buffer[at : at + _MARKS]) if buffer[at] == LONG else None
            if length is not None and at + length > len(buffer):
                break
            frame = bytes(buffer[at : at + (length or 0)])
            if length is not None and is_sound(frame) and carries_dlms(frame):
                at += length
                found += self._taken(frame)
            else:
                self.counters["bad_checksum"] += length is not None
                start, at = at, buffer.find(LONG, at + 1)
                at = len(buffer) if at < 0 else at
                self.counters["noise_bytes"] += at - start
        del buffer[:at]
        return found

    def _taken(self, frame: bytes) -> list[bytes]:
        number, last, piece = piece_of(frame)
        message = self._pieces.add(number, piece, last=last)
        return [] if message is None else [message]
