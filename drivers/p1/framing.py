"""Where P1 frames begin and end in a stream of bytes. What they say, and whether they are true, is for others to judge.

1. A telegram in the clear starts at `/` and three letters and ends at a `!` that opens a line, with one to four hex
   digits behind it, or with nothing there. A head that read 7E1 characters as 8N1 leaves their parity bit in the bytes:
   such a telegram starts at AF, and its parity is checked and taken off here.
2. A ciphered one starts at DB 08, the eight bytes of the meter's system title, a length and a security control byte,
   and is as long as it says.
3. A newer start inside an unfinished telegram means that the old one was cut. Ciphered bytes may look like any start,
   so in them only the same title counts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

LIMIT = 8192
"""Bytes of one telegram. A DSMR 5 telegram has about 1 KB, its text message up to 2 KB of hex, a Belgian peak history
1 KB; twice their sum. At 115,200 baud a telegram a second could not be longer than 11 KB."""

SEALED_MARK = 0xDB
TITLE = slice(2, 10)
_PARITY_MARK = 0xAF
_BAD = 0xFF
"""What a character with a wrong parity bit becomes: no character of any telegram."""


def _even(seven: int) -> int:
    """Give a character with its bit of even parity."""
    return seven | (seven.bit_count() & 1) << 7


_TAKE_PARITY = bytes(byte & 0x7F if _even(byte & 0x7F) == byte else _BAD for byte in range(256))
_LETTERS = bytes(range(ord("A"), ord("Z") + 1)) + bytes(range(ord("a"), ord("z") + 1))
_START = re.compile(
    rb"/[A-Za-z]{3}"
    rb"|\xAF[" + bytes(_even(letter) for letter in _LETTERS) + rb"]{3}"
    # The length holds security control, counter and tag at least; the security control ciphers, signs, or both.
    rb"|\xDB\x08.{8}(?:[\x12-\x7F]|\x81[\x12-\xFF]|\x82[\x00-\x1F].)[\x10-\x12\x20-\x22\x30-\x32]",
    re.DOTALL,
)
_START_LENGTH = 14
# A line end and `!` look the same with and without a parity bit.
_END = b"\n!"
_START_OR_END = re.compile(_START.pattern + rb"|\n!", re.DOTALL)
_SHORT_LENGTH = 0x80
# All letters of one case: a lone flipped bit that changes a letter's case is then not taken for a spelling.
_CHECKSUM = re.compile(rb"[0-9A-F]{4}|[0-9a-f]{4}|(?:[0-9A-F]{1,3}|[0-9a-f]{1,3})?(?=\r?\n)")
_CHECKSUM_LENGTH = len(b"FFF\r\n")

Kind = Literal["plain", "sealed", "cut", "too_long"]


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of the stream from a start mark on; `at` is the number of bytes that came before it.

    Of a plain telegram `body` ends with its `!`, and `checksum` holds the digits behind it; None where something else
    stands there.
    """

    at: int
    kind: Kind
    body: bytes
    checksum: bytes | None = None


class Framing:
    """Cuts a stream; never raises. `noise` counts the bytes between frames, line ends left out."""

    def __init__(self) -> None:
        self.noise = 0
        self._buffer = bytearray()
        self._at = 0
        self._searched = 1

    def __len__(self) -> int:
        """Tell how many bytes wait for more."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Cut]:
        """Take the next bytes and give what they complete, one by one: hostile bytes may hold many starts."""
        self._buffer += data
        while self._find_start():
            cut = self._next_sealed() if self._buffer[0] == SEALED_MARK else self._next_plain()
            if cut is None:
                break
            yield cut

    def finish(self) -> Iterator[Cut]:
        """Give what is left when no more bytes will come."""
        end = b"" if self._buffer[:1] == SEALED_MARK.to_bytes() else b"\r\n"
        yield from self.feed(end)
        if _START.match(self._buffer):
            yield self._take("cut", len(self._buffer) - len(end))

    def _find_start(self) -> bool:
        """Drop what comes before the next start mark; False when there is none yet."""
        if _START.match(self._buffer):
            return True
        found = _START.search(self._buffer)
        # The last bytes may be the first ones of a start mark.
        count = found.start() if found else len(self._buffer) - _START_LENGTH + 1
        if count > 0:
            self.noise += len(self._buffer[:count].translate(None, b"\r\n"))
            self._drop(count)
        return found is not None

    def _next_sealed(self) -> Cut | None:
        end = sealed_head(self._buffer) + sealed_length(self._buffer)
        mark = bytes(self._buffer[: TITLE.stop])
        newer = self._buffer.rfind(mark, 1, end)
        if newer > 0:
            return self._take("cut", newer)
        if len(self._buffer) < end:
            return None
        # Where a few bytes were lost, the next start is the end of this frame; three bytes are no accident.
        lost = next((size for size in range(len(mark) - 1, 2, -1) if self._buffer.endswith(mark[:size], 0, end)), 0)
        return self._take("cut", end - lost) if lost else self._take("sealed", end)

    def _next_plain(self) -> Cut | None:
        buffer = self._buffer
        found = _START_OR_END.search(buffer, self._searched, LIMIT)
        if found is None:
            self._searched = max(1, len(buffer) - _START_LENGTH + 1)
            return self._take("too_long", LIMIT - _START_LENGTH + 1) if len(buffer) > LIMIT else None
        if found[0] != _END:
            return self._take("cut", self._last_of_row(found.start()))
        end = found.end()
        has_parity = buffer[0] == _PARITY_MARK
        tail = bytes(buffer[end : end + _CHECKSUM_LENGTH])
        checksum = _CHECKSUM.match(tail.translate(_TAKE_PARITY) if has_parity else tail)
        if checksum is None and len(tail) < _CHECKSUM_LENGTH:
            return None
        body = bytes(buffer[:end])
        cut = Cut(self._at, "plain", body.translate(_TAKE_PARITY) if has_parity else body, checksum and checksum[0])
        self._drop(end + (checksum.end() if checksum else 0))
        return cut

    def _last_of_row(self, start: int) -> int:
        """Skip starts that follow one another at once: no telegram is so short, so they are noise and count as one."""
        while found := _START.search(self._buffer, start + 1, start + 2 * _START_LENGTH):
            start = found.start()
        return start

    def _take(self, kind: Kind, count: int) -> Cut:
        cut = Cut(self._at, kind, bytes(self._buffer[:count]))
        self._drop(count)
        return cut

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._at += count
        self._searched = 1


def sealed_head(frame: bytes | bytearray) -> int:
    """Give where the length of a ciphered frame ends, and what it counts begins."""
    first = frame[TITLE.stop]
    return TITLE.stop + 1 + (first - _SHORT_LENGTH if first > _SHORT_LENGTH else 0)


def sealed_length(frame: bytes | bytearray) -> int:
    """Give the bytes that follow the length of a ciphered frame: security control, counter, text, tag."""
    long = frame[TITLE.stop + 1 : sealed_head(frame)]
    return int.from_bytes(long, "big") if long else frame[TITLE.stop]
