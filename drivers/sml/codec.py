"""SML files on a wire: bytes in, telegrams out.

1. A file stands between a start mark and an end mark, which both begin with the escape `1B1B1B1B`. The same four bytes
   in between are sent twice. The end mark counts the zeros that fill the file up to four bytes, and holds a checksum
   over everything before it.
2. The checksum is CRC-16/X.25; some firmware uses CRC-16/Kermit, which is taken where the file's messages prove it:
   each of them has a checksum of its own (message.py).
3. A start mark inside an unfinished file means that the old one was cut. What is left of a damaged file is searched for
   a start mark that the damage hid, so a bad file costs itself only.
4. `feed` has two outcomes: telegrams, or none yet. Whatever is left out is counted by reason.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.crc import kermit, x25
from drivers.sml.message import Damaged, Telegram, read_file

ESCAPE = b"\x1b\x1b\x1b\x1b"
START = ESCAPE + b"\x01\x01\x01\x01"
MARK = len(START)
END = 0x1A

LIMIT = 8192
"""Bytes of one file. Captured ones have 504 at most; a hundred registers with a signature are 4 KB, twice that is room
enough. At 9600 baud it takes 9 s to send so much, and meters speak every 1 to 4 s."""


@dataclass(frozen=True, slots=True)
class Raw:
    """What stood on the wire from a start mark on, `start` bytes from the first one ever fed; `error` names damage."""

    start: int
    data: bytes
    error: str | None = None

    @property
    def body(self) -> bytes:
        """The messages and their padding, unescaped."""
        return self.data[MARK:-MARK].replace(ESCAPE + ESCAPE, ESCAPE)


class Framer:
    """Cuts a stream of bytes into files, whole and damaged ones; `noise` counts the bytes that were in none."""

    def __init__(self) -> None:
        self.noise = 0
        self._buffer = bytearray()
        self._walked = MARK
        self._gone = 0

    def feed(self, data: bytes) -> Iterator[Raw]:
        """Take the next bytes and give the files that end in them, one by one."""
        self._buffer += data
        while self._find_start():
            found = self._walk()
            if found is None:
                return
            yield found

    def rest(self) -> Raw | None:
        """Give the file that is still unfinished, if any."""
        return Raw(self._gone, bytes(self._buffer), "cut") if self._buffer.startswith(START) else None

    def _find_start(self) -> bool:
        """Drop what comes before the next start mark; False when there is none yet."""
        at = self._buffer.find(START)
        # The last bytes may be the first ones of a start mark.
        noise = at if at >= 0 else max(len(self._buffer) - MARK + 1, 0)
        self.noise += noise
        self._drop(noise)
        return at >= 0

    def _walk(self) -> Raw | None:
        """Go from escape to escape until the file ends, well or badly; None when that takes more bytes."""
        buffer = self._buffer
        while (at := buffer.find(ESCAPE, self._walked, LIMIT)) >= 0 and at + MARK <= min(len(buffer), LIMIT):
            meant = buffer[at + 4 : at + MARK]
            if meant == ESCAPE:
                self._walked = at + MARK
            elif meant[0] == END:
                return self._end(at + MARK)
            elif meant == START[4:]:
                return self._take(at, at, "cut")
            else:
                return self._damaged(at + 1, at + MARK, "bad_escape")
        if len(buffer) >= LIMIT:
            return self._damaged(LIMIT - MARK + 1, LIMIT, "too_long")
        if at < 0:
            self._walked = max(self._walked, len(buffer) - len(ESCAPE) + 1)
        return None

    def _end(self, end: int) -> Raw:
        data = bytes(self._buffer[:end])
        checksum = int.from_bytes(data[-2:], "little")
        if checksum in (x25(data[:-2]), kermit(data[:-2])):
            return self._take(end, end)
        # The checksum's bytes may be the next start mark's, where the wire lost some.
        return self._damaged(end - 3, end, "bad_crc")

    def _damaged(self, rest: int, end: int, error: str) -> Raw:
        """Give up a file that went wrong before `end`; go on at the last start mark in it, else at `rest`."""
        hidden = self._buffer.rfind(START, MARK, end)
        return self._take(hidden if hidden > 0 else end, hidden if hidden > 0 else rest, error)

    def _take(self, end: int, rest: int, error: str | None = None) -> Raw:
        raw = Raw(self._gone, bytes(self._buffer[:end]), error)
        self._drop(rest)
        return raw

    def _drop(self, count: int) -> None:
        if count:
            del self._buffer[:count]
            self._gone += count
            self._walked = MARK


class Decoder:
    """Finds the telegrams in a stream of bytes; never raises.

    `counters` holds what was left out: `noise_bytes`, `cut`, `too_long`, `bad_escape`, `bad_crc` (of a file),
    `bad_message_crc`, `malformed` (no SML in spite of right checksums), `no_values` (nothing that lists any) and
    `unreadable_entry` (in a list whose other entries are read).
    """

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._framer = Framer()

    def feed(self, data: bytes) -> list[Telegram]:
        """Take the next bytes and give the telegrams they complete."""
        telegrams = []
        for raw in self._framer.feed(data):
            telegram = self._read(raw)
            if telegram is not None:
                telegrams.append(telegram)
        if self._framer.noise:
            self.counters["noise_bytes"], self._framer.noise = self.counters["noise_bytes"] + self._framer.noise, 0
        return telegrams

    def _read(self, raw: Raw) -> Telegram | None:
        if raw.error:
            self.counters[raw.error] += 1
            return None
        try:
            telegram = read_file(raw.body)
        except Damaged as error:
            self.counters[error.reason] += 1
            return None
        if telegram.unreadable:
            self.counters["unreadable_entry"] += telegram.unreadable
        if not telegram.entries:
            self.counters["no_values"] += 1
            return None
        return telegram
