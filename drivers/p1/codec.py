"""P1 telegrams: bytes in, telegrams out, and back again. Where frames begin and end is in framing.py.

1. A telegram's checksum is the CRC-16/ARC over everything from `/` to `!`.
2. DSMR 2 and 3, and some later meters, end with a bare `!`: such a telegram is taken only when every line reads as an
   object of printable characters, and `checked` is False.
3. Once a stream has shown a checksum, a telegram without one lost it on the way and is refused.
4. A ciphered telegram comes out as it is, `Sealed`; sealed.py opens it.
5. `feed` has two outcomes: telegrams, or none yet. Whatever is left out is counted by reason.
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from struct import unpack

from drivers.contract import DecodeError
from drivers.p1.framing import Cut, Framing

Value = tuple[str, str | None]

_OBJECT = re.compile(r"(\d+-\d+:\d+\.\d+\.\d+(?:\*\d+)?)((?:\([^()]*\))+)", re.ASCII)
_OBJECT_ID = re.compile(r"\d+-\d+:", re.ASCII)
_UNPRINTABLE = re.compile(rb"[^\x20-\x7E\r\n]")
_LINE = re.compile(r"[^\n]+")


@dataclass(frozen=True, slots=True)
class Object:
    """One data object: its OBIS code as on the wire, and each group as (text, unit or None)."""

    id: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Telegram:
    """What a meter said at once; `checked` tells whether a checksum proves it, `unreadable` counts odd lines."""

    identification: str
    objects: tuple[Object, ...]
    checked: bool
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphered telegram, the whole frame."""

    frame: bytes


class Decoder:
    """Finds the telegrams in a stream of bytes; never raises.

    `counters` holds what was left out: `noise_bytes`, `cut`, `too_long`, `bad_crc`, `malformed` (no checksum and a line
    that is no object), `missing_crc` and `unreadable_line` (in a telegram whose checksum is right).
    """

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._framing = Framing()
        self._checked = False

    def feed(self, data: bytes) -> list[Telegram | Sealed]:
        """Take the next bytes and give the telegrams they complete."""
        found = [telegram for cut in self._framing.feed(data) if (telegram := self._judge(cut))]
        if self._framing.noise:
            self.counters["noise_bytes"] = self._framing.noise
        return found

    def _judge(self, cut: Cut) -> Telegram | Sealed | None:
        if cut.kind == "sealed":
            return Sealed(cut.body)
        if cut.kind != "plain":
            self.counters[cut.kind] += 1
            return None
        try:
            telegram = judge(cut)
        except DecodeError as error:
            self.counters[error.what] += 1
            return None
        if self._checked and not telegram.checked:
            self.counters["missing_crc"] += 1
            return None
        self._checked = telegram.checked
        if telegram.unreadable:
            self.counters["unreadable_line"] += telegram.unreadable
        return telegram


def judge(cut: Cut) -> Telegram:
    """Read a plain piece of the stream; raises DecodeError, whose `what` is the counter's reason."""
    if cut.kind != "plain":
        raise DecodeError(cut.kind, "the telegram does not end")
    body, digits = cut.body, cut.checksum
    if digits is None or (digits and int(digits, 16) != crc16_arc(body)):
        raise DecodeError("bad_crc", "the checksum does not fit the text")
    telegram = _parse(body, checked=bool(digits))
    if not digits and (telegram.unreadable or not telegram.objects or _UNPRINTABLE.search(body)):
        raise DecodeError("malformed", "no checksum, and lines that are no objects")
    return telegram


def decode(text: bytes) -> Telegram:
    """Read one whole telegram, which a cipher has proven already; raises DecodeError."""
    framing = Framing()
    cuts = list(framing.feed(text.rstrip(b"\r\n\0") + b"\r\n"))
    if len(cuts) != 1 or framing.noise:
        raise DecodeError("malformed", "what was ciphered is no telegram")
    return judge(cuts[0])


def lines(body: bytes) -> Iterator[tuple[int, str]]:
    """Give the objects' lines of a telegram from `/` to `!`, each with its place; wrapped ones are joined.

    DSMR 2 and 3 put a gas value on a line of its own; long texts are wrapped.
    """
    place, joined = 0, ""
    for found in _LINE.finditer(body[:-1].decode("latin-1"), body.find(b"\n") + 1):
        line = found[0].rstrip("\r")
        if joined and not _OBJECT_ID.match(line) and (line[:1] == "(" or joined.count("(") > joined.count(")")):
            joined += line
            continue
        if line:
            if joined:
                yield place, joined
            place, joined = found.start(), line
    if joined:
        yield place, joined


def read_object(line: str) -> Object | None:
    """Take a line apart; None when it is no object."""
    found = _OBJECT.fullmatch(line)
    return Object(found[1], _groups(found[2])) if found else None


def _parse(body: bytes, *, checked: bool) -> Telegram:
    read = [read_object(line) for _, line in lines(body)]
    objects = tuple(entry for entry in read if entry)
    head = body[1:].partition(b"\n")[0].rstrip(b"\r").decode("latin-1")
    return Telegram(head, objects, checked, len(read) - len(objects))


def _groups(text: str) -> tuple[Value, ...]:
    parts = [part.partition("*") for part in text[1:-1].split(")(")]
    return tuple([(value, unit if star else None) for value, star, unit in parts])


def encode(identification: str, lines: Iterable[str]) -> bytes:
    """Make a telegram with its checksum: `encode("XYZ5A", ["1-3:0.2.8(50)", "1-0:1.8.1(000004.426*kWh)"])`."""
    body = "\r\n".join((f"/{identification}", "", *lines, "!")).encode("latin-1")
    return body + b"%04X\r\n" % crc16_arc(body)


@cache
def _crc_table() -> "array[int]":
    """Make the checksums of all pairs of bytes, the first one low; 128 KB, made with the first telegram.

    Two bytes a step cost a third of one byte a step, and a telegram comes every second.
    """
    single = [_divide(byte, 8) for byte in range(256)]
    low = [value >> 8 ^ single[value & 0xFF] for value in single]
    return array("H", (first ^ second for second in single for first in low))


def _divide(rest: int, bits: int) -> int:
    for _ in range(bits):
        rest = rest >> 1 ^ (0xA001 if rest & 1 else 0)
    return rest


def crc16_arc(data: bytes) -> int:
    """Give the CRC-16/ARC: polynomial 0x8005 reflected, initial value 0."""
    crc, table = 0, _crc_table()
    pairs = len(data) // 2
    for pair in unpack(f"<{pairs}H", data[: 2 * pairs]):
        crc = table[crc ^ pair]
    return _divide(crc ^ data[-1], 8) if len(data) % 2 else crc


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
