"""DSMR P1 telegrams: bytes in, telegrams out, and back again.

1. A telegram starts at `/` and three letters, wherever they stand; a newer start inside an unfinished telegram means
   that the old one was cut.
2. It ends at a `!` that opens a line, with the CRC-16/ARC over everything from `/` to `!` in one to four hex digits.
3. DSMR 2 and 3, and some later meters, end with a bare `!`: such a telegram is taken only when every line reads as an
   object, and `checked` is False. Whoever knows that the meter sends checksums refuses it.
4. `feed` has two outcomes: telegrams, or none yet. Whatever is left out is counted by reason.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

Value = tuple[str, str | None]

LIMIT = 8192
"""Bytes of one telegram. A DSMR 5 telegram has about 1 KB, its text message up to 2 KB of hex, a Belgian peak history
1 KB; twice their sum. At 115,200 baud a telegram a second could not be longer than 11 KB."""

_START = re.compile(rb"/[A-Za-z]{3}")
_START_LENGTH = 4
# All letters of one case: a lone flipped bit that changes a letter's case is then not taken for a spelling.
_CHECKSUM = re.compile(rb"[0-9A-F]{4}|[0-9a-f]{4}|(?:[0-9A-F]{1,3}|[0-9a-f]{1,3})?(?=\r?\n)")
_CHECKSUM_LENGTH = len(b"FFF\r\n")
_OBJECT = re.compile(r"(\d+-\d+:\d+\.\d+\.\d+(?:\*\d+)?)((?:\([^()]*\))+)", re.ASCII)
_OBJECT_ID = re.compile(r"\d+-\d+:", re.ASCII)


@dataclass(frozen=True, slots=True)
class Object:
    """One data object: its OBIS code as on the wire, and each group as (text, unit or None)."""

    id: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Telegram:
    """What a meter said at once; `checked` tells whether a checksum proves it."""

    identification: str
    objects: tuple[Object, ...]
    checked: bool


class Decoder:
    """Finds the telegrams in a stream of bytes; never raises.

    `counters` holds what was left out: `noise_bytes`, `cut`, `too_long`, `bad_crc`, `malformed` (no checksum and a line
    that is no object) and `unreadable_line` (in a telegram whose checksum is right).
    """

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Telegram]:
        """Take the next bytes and give the telegrams they complete."""
        buffer = self._buffer
        buffer += data
        telegrams = []
        while self._find_start():
            end = buffer.find(b"\n!") + 1
            if self._cut_at_newer_start(end) or self._cut_too_long(end):
                continue
            if not end or not self._has_checksum(end):
                break
            telegram = self._take(end)
            if telegram is not None:
                telegrams.append(telegram)
        return telegrams

    def _find_start(self) -> bool:
        """Drop what comes before the next start mark; False when there is none yet."""
        found = _START.search(self._buffer)
        # The last bytes may be the first ones of a start mark.
        count = found.start() if found else len(self._buffer) - _START_LENGTH + 1
        if count > 0:
            # Line ends between telegrams are no noise.
            if noise := len(self._buffer[:count].translate(None, b"\r\n")):
                self.counters["noise_bytes"] += noise
            del self._buffer[:count]
        return found is not None

    def _cut_at_newer_start(self, end: int) -> bool:
        starts = [found.start() for found in _START.finditer(self._buffer, 1, end or len(self._buffer))]
        if starts:
            self.counters["cut"] += len(starts)
            del self._buffer[: starts[-1]]
        return bool(starts)

    def _cut_too_long(self, end: int) -> bool:
        if (end + 1 if end else len(self._buffer)) <= LIMIT:
            return False
        self.counters["too_long"] += 1
        del self._buffer[: end or len(self._buffer) - _START_LENGTH + 1]
        return True

    def _has_checksum(self, end: int) -> bool:
        """Tell whether enough bytes follow the end mark to judge them."""
        return len(self._buffer) - end > _CHECKSUM_LENGTH or _CHECKSUM.match(self._buffer, end + 1) is not None

    def _take(self, end: int) -> Telegram | None:
        """Cut the telegram that ends at `end` out of the buffer; None, and a count, when it is damaged."""
        body = bytes(self._buffer[: end + 1])
        found = _CHECKSUM.match(self._buffer, end + 1)
        digits = found[0] if found else None
        del self._buffer[: found.end() if found else end + 1]
        if digits is None or (digits and int(digits, 16) != crc16_arc(body)):
            self.counters["bad_crc"] += 1
            return None
        telegram, unreadable = _parse(body, checked=bool(digits))
        if not telegram.checked and (unreadable or not telegram.objects):
            self.counters["malformed"] += 1
            return None
        if unreadable:
            self.counters["unreadable_line"] += unreadable
        return telegram


def _parse(body: bytes, *, checked: bool) -> tuple[Telegram, int]:
    """Split a telegram's body; also give the number of lines that are no object."""
    head, *lines = (line.rstrip("\r") for line in body[1:-1].decode("latin-1").split("\n"))
    joined: list[str] = []
    for line in lines:
        # DSMR 2 and 3 put a gas value on a line of its own; long texts are wrapped.
        if joined and not _OBJECT_ID.match(line):
            joined[-1] += line
        elif line:
            joined.append(line)
    found = [_OBJECT.fullmatch(line) for line in joined]
    objects = tuple(Object(match[1], _groups(match[2])) for match in found if match)
    return Telegram(head, objects, checked), len(joined) - len(objects)


def _groups(text: str) -> tuple[Value, ...]:
    parts = (part.partition("*") for part in text[1:-1].split(")("))
    return tuple((value, unit if star else None) for value, star, unit in parts)


def encode(identification: str, lines: Iterable[str]) -> bytes:
    """Make a telegram with its checksum: `encode("XYZ5A", ["1-3:0.2.8(50)", "1-0:1.8.1(000004.426*kWh)"])`."""
    body = "\r\n".join((f"/{identification}", "", *lines, "!")).encode("latin-1")
    return body + b"%04X\r\n" % crc16_arc(body)


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_CRC_TABLE = _crc_table()


def crc16_arc(data: bytes) -> int:
    """Give the CRC-16/ARC: polynomial 0x8005 reflected, initial value 0."""
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


# --- times -----------------------------------------------------------------------------------------------------------

_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([SW]?)", re.ASCII)
_SUMMER = timezone(timedelta(hours=2))
_WINTER = timezone(timedelta(hours=1))
# Meters with a P1 port exist since 2007. Unset clocks show 1970 or 2000, which two digits make 2070 or 2000.
_YEARS = range(2007, 2070)
_NEVER_SUMMER = (11, 12, 1, 2)


def parse_time(text: str) -> datetime | None:
    """Read `YYMMDDhhmmss` and S or W, summer or winter time of Central Europe; naive without the letter.

    None for what is no date, for the dates of an unset clock, and for summer time in the middle of winter.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    year += 2000
    if year not in _YEARS or (found[7] == "S" and month in _NEVER_SUMMER):
        return None
    zone = {"S": _SUMMER, "W": _WINTER}.get(found[7])
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def parse_timestamp(text: str) -> int | None:
    """Give the UTC ms of a P1 time; None without its zone letter, or for what is no time."""
    time = parse_time(text)
    return None if time is None or time.tzinfo is None else int(time.astimezone(UTC).timestamp()) * 1000
