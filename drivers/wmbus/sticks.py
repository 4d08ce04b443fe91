"""What radio sticks put around a frame on their serial line. Bytes in, frames out.

1. IMST iM871A: A5, what is attached, message, length, the frame without its length, then what was announced.
2. IMST iU891A: bytes between two C0 with escapes, a CRC at the end; the frame stands behind ten bytes of its own.
3. Amber/Wuerth AMB8465: FF 03, length, the frame without its length, a checksum; its signal must be left off.
4. Radiocrafts RC1180, and AMB8465 without commands: frames and nothing else (bare.py).
5. CUL and rtl_wmbus: text (lines.py).

All of them check the frames' own CRCs and take them out. Each class has `feed`, and tells what it left out.
"""

import re
from abc import ABC, abstractmethod
from binascii import crc_hqx
from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

from drivers.wmbus.link import is_frame

LIMIT = 1_024
"""Bytes kept while a message is not complete: the longest has 256 of a frame and a few of its own, twice as many when
all are escaped. What does not become a message by then is none."""

KINDS = b"\x44\x46\x47\x48\x08"
"""Frames of meters: without an answer, for installation, of access, answers."""

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Caught:
    """A frame without CRCs, and how strong it was in dBm where the stick says so."""

    frame: bytes
    signal: int | None = None


Step: TypeAlias = tuple[int, Caught | None, str]
"""How many bytes are done with, what they held, or why nothing (empty: nothing to tell)."""


class Stick(ABC):
    """One kind of stick; `counters` are what was left out, by reason."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Caught]:
        """Take the next bytes and give the frames they complete."""
        self._rest += data
        found = []
        while self._rest:
            step = self._step(bytes(self._rest[:LIMIT]))
            if step is None:
                break
            used, caught, reason = step
            del self._rest[:used]
            if caught and not is_frame(caught.frame):
                caught, reason = None, "bad_frame"
            if caught:
                found.append(caught)
            if reason:
                self.counters[reason] += 1
        return found

    @abstractmethod
    def _step(self, data: bytes) -> Step | None:
        """Look at the first bytes; None asks for more, which must not be when all `LIMIT` are there."""


def up_to(data: bytes, start: re.Pattern[bytes], reason: str = "noise") -> Step:
    """Leave out the first byte, and what stands before the next place where a message may begin."""
    found = start.search(data, 1)
    return (found.start() if found else len(data)), None, reason


def hci_crc(data: bytes) -> bytes:
    """Give the CRC of IMST's messages, CRC-16/X.25, low byte first."""
    turned = crc_hqx(data.translate(_REVERSED), 0xFFFF)
    return bytes((_REVERSED[turned >> 8] ^ 0xFF, _REVERSED[turned & 0xFF] ^ 0xFF))


class Im871a(Stick):
    """IMST iM871A, at 57600 baud."""

    RADIO, RECEIVED = 0x02, 0x03
    _HEAD = 4
    _TIME, _SIGNAL, _CRC = 0x20, 0x40, 0x80
    # Four parts of the stick may speak; one bit of the eight is not in use.
    _START = re.compile(rb"\xa5(?:\Z|[\x01-\x04\x21-\x24\x41-\x44\x61-\x64\x81-\x84\xa1-\xa4\xc1-\xc4\xe1-\xe4])")

    def _step(self, data: bytes) -> Step | None:
        if not self._START.match(data):
            return up_to(data, self._START)
        if len(data) < self._HEAD:
            return None
        what = data[1]
        at = self._HEAD + data[3]
        end = at + 4 * bool(what & self._TIME) + bool(what & self._SIGNAL) + 2 * bool(what & self._CRC)
        if len(data) < end:
            return None
        if what & self._CRC and hci_crc(data[1 : end - 2]) != data[end - 2 : end]:
            return up_to(data, self._START, "bad_crc")
        return end, self._caught(data, at), ""

    def _caught(self, data: bytes, at: int) -> Caught | None:
        """Take the frame out of a message whose attachments begin at `at`; others are answers of the stick."""
        what = data[1]
        if (what & 0x0F, data[2]) != (self.RADIO, self.RECEIVED):
            return None
        signal = dbm_of_im871a(data[at + 4 * bool(what & self._TIME)]) if what & self._SIGNAL else None
        return Caught(data[3:at], signal)


def dbm_of_im871a(level: int) -> int:
    """Give dBm of the stick's own number, by the straight line of its data sheet."""
    return round(level * 80 / 150 - 100 - 4000 / 150)


class Iu891a(Stick):
    """IMST iU891A and its like, at 115200 baud."""

    _MARK = b"\xc0"
    _START = re.compile(_MARK)
    _RECEIVED = b"\x09\x20"
    _SIGNAL, _FRAME = 9, 10

    def _step(self, data: bytes) -> Step | None:
        if data[:1] != self._MARK:
            return up_to(data, self._START)
        if marks := len(data) - len(data.lstrip(self._MARK)) - 1:
            return marks, None, ""
        end = data.find(self._MARK, 1)
        if end < 0:
            return (len(data), None, "too_long") if len(data) >= LIMIT else None
        # A mark may end one message and begin the next, so it stays until the next look.
        message = data[1:end].replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
        if hci_crc(message[:-2]) != message[-2:]:
            return end, None, "bad_crc"
        if not message.startswith(self._RECEIVED) or len(message) <= self._FRAME + 2:
            return end, None, ""
        signal = int.from_bytes(message[self._SIGNAL : self._FRAME], signed=True)
        return end, Caught(message[self._FRAME : -2], signal), ""


class Amb8465(Stick):
    """Amber/Wuerth AMB8465 with commands on its line, at 9600 baud."""

    _START = re.compile(rb"\xff(?:\Z|\x03(?:.?\Z|.[" + KINDS + rb"]))", re.DOTALL)

    def _step(self, data: bytes) -> Step | None:
        if not self._START.match(data):
            return up_to(data, self._START)
        if len(data) < 3:  # noqa: PLR2004  the head
            return None
        end = 3 + data[2] + 1
        if len(data) < end:
            return None
        if _all_together(data[:end]):
            return up_to(data, self._START, "bad_checksum")
        return end, Caught(data[2 : end - 1]), ""


def _all_together(data: bytes) -> int:
    """Give the exclusive or of all bytes, the message's and its checksum's, by folding them in halves."""
    folded = int.from_bytes(data, "big")
    for bits in (2048, 1024, 512, 256, 128, 64, 32, 16, 8):
        folded = (folded ^ folded >> bits) & (1 << bits) - 1
    return folded
