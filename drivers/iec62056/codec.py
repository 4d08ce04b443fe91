"""IEC 62056-21 messages: bytes in, messages out, and the bytes a reader sends.

1. A meter names itself: `/`, three letters of its maker, a character for its speed, its type, CR LF.
2. Its data follow: STX, data sets, `!`, ETX and a check character (BCC, the XOR of everything behind STX). Some meters
   leave STX and all that follows `!` out.
3. A data set is `address(value*unit)`. One without an address continues the one before.
4. In programming mode meter and reader exchange commands (SOH), blocks (STX) and single ACK and NAK characters.
5. `feed` has two outcomes: messages, or none yet. A broken message is `Damaged`; what is left out is counted by reason.

The reader of bytes looks for what may come next only (`awaits`), so noise is taken for a message as seldom as can be.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from drivers.iec62056.messages import (
    ACK,
    BAD_PARITY,
    EOT,
    ETX,
    NAK,
    SOH,
    STX,
    Bcc,
    Block,
    Check,
    Command,
    Damaged,
    DataSet,
    Identification,
    Message,
    ReadOut,
    Signal,
    check_character,
)  # fmt: skip

LIMIT = 32_768
"""Bytes of one block: a list with fifteen months of history has some 20 KB. At 300 baud this takes 18 minutes."""

LINE_LIMIT = 48
"""Bytes of an identification line: five in front, sixteen of type, escapes in it, and a wide margin."""

Located = tuple[int, int, Message]
"""A message, and where its bytes begin and end in all that was fed."""

Awaits = Literal["identification", "data", "answers"]

_IDENTIFICATION = rb"/[A-Za-z]{3}[ -~][^()/!\x00-\x1f\x7f]{0,40}\r?\n"
_UNFINISHED = rb"/[A-Za-z]{0,3}\Z|/[A-Za-z]{3}[ -~][^()/!\x00-\x1f\x7f]{0,40}\r?\Z"
_WHOLE_LINE = re.compile(_IDENTIFICATION)
_STARTS: dict[Awaits, re.Pattern[bytes]] = {
    "identification": re.compile(_IDENTIFICATION + b"|" + _UNFINISHED),
    "data": re.compile(rb"[\x01\x02]|" + _IDENTIFICATION + b"|" + _UNFINISHED),
    "answers": re.compile(rb"[\x01\x02\x06\x15]"),
}


class Reader:
    """Finds messages in a stream of bytes; never raises.

    `awaits` may be set by whoever knows what comes next; by itself it goes from an identification to its data and back.
    `counters` holds what was left out: `noise_bytes`, the reasons of `Damaged`, and `bcc_ignored`.
    """

    def __init__(self, bcc: Bcc = "required") -> None:
        self.counters: Counter[str] = Counter()
        self.awaits: Awaits = "identification"
        self._bcc = bcc
        self._buffer = bytearray()
        self._gone = 0

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes and give the messages they complete."""
        return [message for _, _, message in self.locate(data)]

    def locate(self, data: bytes) -> list[Located]:
        """Do as `feed` does, and say where each message stood."""
        self._buffer += data
        found = []
        while self._find_start() and (length := self._length()):
            start = self._gone
            message = self._understand(bytes(self._buffer[:length]))
            self._drop(length)
            found.append((start, self._gone, message))
            if isinstance(message, Damaged):
                self.counters[message.reason] += 1
                if self.awaits == "answers":  # whoever asked begins anew, so nothing behind it answers anything
                    self._drop(len(self._buffer))
        return found

    @property
    def _bare(self) -> bool:
        """Whether data may come without STX."""
        return self.awaits == "data" and self._bcc != "required"

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._gone += count

    def _find_start(self) -> bool:
        """Drop what comes before the next message; False when there is none yet."""
        buffer = self._buffer
        if self._bare:
            self._drop(len(buffer) - len(buffer.lstrip(b"\r\n")))
            return bool(buffer)
        found = _STARTS[self.awaits].search(buffer)
        count = found.start() if found else len(buffer)
        # Line ends and wake-up characters between messages are no noise.
        if noise := len(buffer[:count].translate(None, b"\r\n\0\x7f")):
            self.counters["noise_bytes"] += noise
        self._drop(count)
        return found is not None

    def _length(self) -> int:
        """Tell how long the message is that the buffer begins with; 0 as long as it is not whole."""
        buffer = self._buffer
        if buffer[0] in b"/":
            line = _WHOLE_LINE.match(buffer)
            if line or not self._bare:
                return line.end() if line else 0
        elif buffer[0] in ACK + NAK and self.awaits == "answers":
            return len(buffer) - len(buffer.lstrip(ACK + NAK))
        end = self._end_of_block()
        # A newer identification inside a block means that the old one was cut.
        newer = _WHOLE_LINE.search(buffer, 1, end or len(buffer))
        if newer:
            return newer.start()
        if 0 < end <= LIMIT:
            return end
        return len(buffer) - LINE_LIMIT if len(buffer) > LIMIT + LINE_LIMIT else 0

    def _end_of_block(self) -> int:
        buffer = self._buffer
        if self._bare and (self._bcc == "absent" or buffer[0] not in SOH + STX):
            return buffer.find(b"!") + 1
        ends = [end for end in (buffer.find(ETX, 1, LIMIT), buffer.find(EOT, 1, LIMIT)) if end > 0]
        return min(ends) + 2 if ends and min(ends) + 2 <= len(buffer) else 0

    def _understand(self, raw: bytes) -> Message:
        awaited = self.awaits
        if raw[:1] == b"/" and _WHOLE_LINE.match(raw):
            self.awaits = "data"
            text = raw.decode("latin-1").rstrip("\r\n")
            return Identification(text[1:4], text[4], text[5:])
        if awaited == "answers" and raw[:1] in (ACK, NAK):
            return Signal(raw[:1] == ACK)
        if awaited == "data":
            self.awaits = "identification"
        message = _block(raw, self._bcc, is_list=awaited == "data")
        if isinstance(message, Block) and message.check != "right" and self._bcc == "ignored":
            self.counters["bcc_ignored"] += 1
        return message


def _block(raw: bytes, bcc: Bcc, *, is_list: bool) -> Message:
    """Read a command or a block with all that frames it; `is_list` tells that a list ends with `!`."""
    framed = raw[:1] in (SOH, STX) and raw[-2:-1] in (ETX, EOT)
    right = framed and check_character(raw[1:-1]) == raw[-1]
    if reason := _damage(raw, bcc, framed=framed, right=right):
        return Damaged(reason)
    if raw[:1] == SOH:
        return _command(raw)
    text = raw[raw[:1] == STX : -2 if framed else None].decode("latin-1")
    sets, ended, unreadable = read_sets(text)
    if is_list and not ended:
        return Damaged("cut")
    if unreadable and (right or bcc != "ignored"):
        return Damaged("malformed")
    check: Check = "right" if right else "wrong" if framed else "absent"
    return Block(sets, check, partial=framed and raw[-2:-1] == EOT)


def _damage(raw: bytes, bcc: Bcc, *, framed: bool, right: bool) -> str | None:
    """Say what is wrong with a block before its text is read."""
    if BAD_PARITY in raw:
        return "bad_parity"
    if not framed and (bcc == "required" or not raw.endswith(b"!")):
        return "too_long" if len(raw) >= LIMIT else "cut"
    if framed and not right and (bcc == "required" or raw[:1] == SOH):
        return "bad_bcc"
    return None


def _command(raw: bytes) -> Message:
    code, _, body = raw[1:-2].decode("latin-1").partition("\x02")
    sets, _, unreadable = read_sets(body)
    return Damaged("malformed") if unreadable or len(code) != len("P0") else Command(code, sets)


def read_sets(text: str) -> tuple[tuple[DataSet, ...], bool, int]:
    """Read data sets; also tell whether `!` ended them, and how many characters made no sense."""
    *pieces, rest = text.split(")")
    sets: list[DataSet] = []
    unreadable = 0
    for piece in pieces:
        head, bracket, inside = piece.partition("(")
        junk, _, address = head.rpartition("\n")
        unreadable += len(junk.strip("\r\n"))
        address = address.strip("\r")
        if not bracket or not _is_address(address) or "(" in inside or not inside.isprintable():
            unreadable += len(piece) + 1
            continue
        value, _, unit = inside.partition("*")
        sets.append(DataSet(address, value, unit or None))
    before, mark, behind = rest.partition("!")
    return tuple(sets), bool(mark), unreadable + len(before.strip("\r\n")) + len(behind.strip("\r\n"))


def _is_address(text: str) -> bool:
    return text.isprintable() and "/" not in text and "!" not in text


def by_address(sets: Iterable[DataSet]) -> dict[str, tuple[DataSet, ...]]:
    """Gather what continues an address under it; the first of several equal addresses counts."""
    found: dict[str, list[DataSet]] = {}
    group: list[DataSet] = []
    for entry in sets:
        if entry.address:
            group = []
            found.setdefault(entry.address, group)
        group.append(entry)
    return {address: tuple(group) for address, group in found.items()}


# --- the stream of a meter that talks by itself ----------------------------------------------------------------------


class Decoder:
    """Finds lists in the stream of a meter that talks by itself (mode D); never raises."""

    def __init__(self, bcc: Bcc = "required") -> None:
        self._reader = Reader(bcc)
        self._identification: Identification | None = None
        self.counters = self._reader.counters

    def feed(self, data: bytes) -> list[ReadOut]:
        """Take the next bytes and give the lists they complete."""
        found = []
        for message in self._reader.feed(data):
            if isinstance(message, Identification):
                self._identification = message
            elif isinstance(message, Block) and self._identification:
                found.append(ReadOut(self._identification, message))
        return found
