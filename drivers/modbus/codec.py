"""Modbus on the wire: requests for registers, and the search for their answers. Bytes in, values out; no I/O.

Three outcomes only: a payload, "need more", an error.

1. `Read` names what is asked: a unit, a table (function 3 or 4), a range of registers.
2. On a serial line (RTU) an answer has no start mark. `RtuSearch` looks for unit, function, byte count and CRC at every
   offset of what arrived, so noise, a local echo and other units' frames are stepped over.
3. On TCP every answer carries a length and our transaction id. `TcpFrames` cuts the stream into frames, `judge` holds
   one against its request.

Nothing is accepted because it is nearly right: a list one register short would shift every value behind it.
"""

import struct
from collections import Counter
from dataclasses import dataclass

from drivers.contract import DecodeError, Refused

EXCEPTION = 0x80
"""Set in the function code of an answer that says no."""

MAX_REGISTERS = 125
"""As many as one answer can carry: its byte count must fit the 253 bytes of a protocol data unit."""

_READ = struct.Struct(">BBHH")
_MBAP_READ = struct.Struct(">HHHBBHH")
_MBAP_ANSWER = struct.Struct(">HHHBBB")


@dataclass(frozen=True, slots=True)
class Read:
    """Registers `start` to `start + count - 1` of one table: function 3 (holding) or 4 (input)."""

    function: int
    start: int
    count: int


# --- CRC-16 ----------------------------------------------------------------------------------------------------------


def _crc_of_byte(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


_CRC = tuple(_crc_of_byte(value) for value in range(256))


def crc16(data: bytes) -> bytes:
    """Give the two bytes that end an RTU frame, in wire order."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


# --- RTU -------------------------------------------------------------------------------------------------------------


def rtu_request(unit: int, read: Read) -> bytes:
    """Make the frame that asks `unit` for `read` on a serial line."""
    frame = _READ.pack(unit, read.function, read.start, read.count)
    return frame + crc16(frame)


def rtu_length(read: Read) -> int:
    """Tell how many bytes the answer has: unit, function, byte count, registers, CRC."""
    return 5 + 2 * read.count


class RtuSearch:
    """Looks for the answer to one request in whatever a serial line delivers."""

    # Four of the longest frames: room for an echo, a foreign frame, our answer, and noise. What is cut is the oldest,
    # never the last frame's worth, so an answer that is still arriving survives any flood before it.
    LIMIT = 1024
    _LONGEST = 256

    # Each false start costs a CRC over up to 255 bytes; a line that makes hundreds of them is not a meter.
    FALSE_STARTS = 200

    def __init__(self, unit: int, read: Read, counters: Counter[str]) -> None:
        self._head = bytes((unit, read.function, 2 * read.count))
        self._refusal = bytes((unit, read.function | EXCEPTION))
        self._length = rtu_length(read)
        self._counters = counters
        self._buffer = bytearray()
        self._judged: dict[bytes, int] = {}  # head -> offset up to which its candidates were judged
        self.false_starts = 0

    def feed(self, data: bytes) -> bytes | None:
        """Give the registers' bytes when the answer is complete, None while it is not.

        Raises Refused for an exception frame, DecodeError after `FALSE_STARTS` candidates with a wrong CRC.
        """
        for at in range(0, len(data), self._LONGEST):
            self._append(data[at : at + self._LONGEST])
            answer = self._find(self._head, self._length)
            if answer is not None:
                return answer[3:-2]
            refusal = self._find(self._refusal, 5)
            if refusal is not None:
                raise refused(refusal[2])
        return None

    def __len__(self) -> int:
        return len(self._buffer)

    def _append(self, data: bytes) -> None:
        self._buffer += data
        surplus = len(self._buffer) - self.LIMIT
        if surplus > 0:
            del self._buffer[:surplus]
            self._judged = {head: max(0, at - surplus) for head, at in self._judged.items()}
            self._counters["flooded_bytes"] += surplus

    def _find(self, head: bytes, length: int) -> bytes | None:
        """Judge every offset where `head` stands and the whole frame has arrived, once."""
        at = self._judged.get(head, 0)
        last = len(self._buffer) - length
        while (at := self._buffer.find(head, at, max(last, 0) + len(head))) != -1 and at <= last:
            frame = bytes(self._buffer[at : at + length])
            if crc16(frame[:-2]) == frame[-2:]:
                self._counters["skipped_bytes"] += at
                return frame
            self._false_start()
            at += 1
        self._judged[head] = max(last + 1, 0)
        return None

    def _false_start(self) -> None:
        self._counters["bad_crc"] += 1
        self.false_starts += 1
        if self.false_starts >= self.FALSE_STARTS:
            raise DecodeError("the line is full of broken frames", "check the wiring, the termination and the baud")


# --- TCP -------------------------------------------------------------------------------------------------------------


def tcp_request(transaction: int, unit: int, read: Read) -> bytes:
    """Make the frame that asks `unit` for `read` over TCP."""
    return _MBAP_READ.pack(transaction, 0, 6, unit, read.function, read.start, read.count)


def tcp_head(transaction: int, unit: int, read: Read) -> bytes:
    """Make the nine bytes every right answer begins with: one comparison checks all of them."""
    size = 2 * read.count
    return _MBAP_ANSWER.pack(transaction, 0, 3 + size, unit, read.function, size)


class TcpFrames:
    """Cuts a TCP stream into frames by their length field."""

    # Transaction id, protocol id and length, then unit and at most 253 bytes.
    _PREFIX = 6
    _SHORTEST, _LONGEST = 3, 254

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Give the frames that are complete; raises DecodeError when the stream is not Modbus, and is lost then.

        The rest kept back is bounded by the longest frame, since the length field is judged as soon as it is there.
        """
        rest = self._rest + data if self._rest else data
        frames = []
        at, length = 0, len(rest)
        while length - at >= self._PREFIX:
            size = rest[at + 4] << 8 | rest[at + 5]
            if rest[at + 2] or rest[at + 3] or not self._SHORTEST <= size <= self._LONGEST:
                raise DecodeError("the stream is not Modbus TCP", "is this the right port, or is it rtu+tcp://?")
            end = at + self._PREFIX + size
            if end > length:
                break
            frames.append(rest[at:end])
            at = end
        self._rest = rest[at:]
        return frames


def judge(frame: bytes, head: bytes) -> bytes:
    """Give the registers' bytes of a frame that has our transaction id; raises Refused or DecodeError.

    `frame` comes from `TcpFrames`, so its length is what its length field says, and that is part of the head.
    """
    if frame.startswith(head):
        return frame[len(head) :]
    if frame[6] != head[6]:
        raise DecodeError(f"unit {frame[6]} answered for unit {head[6]}", "two gateways with one address?")
    if frame[7] == head[7] | EXCEPTION and len(frame) == 9:  # noqa: PLR2004  prefix, unit, function, code
        raise refused(frame[8])
    if frame[7] != head[7]:
        raise DecodeError(f"function {frame[7]} came for function {head[7]}", "the device breaks the protocol")
    raise DecodeError(f"{len(frame) - 9} bytes came for {head[8]}", "the profile may not fit this meter")


# --- exceptions ------------------------------------------------------------------------------------------------------

_EXCEPTIONS = {
    1: ("the function is unknown", "does the profile fit this meter? some know only function 3, some only 4"),
    2: ("a register does not exist", "does the profile fit this meter and its firmware?"),
    3: ("so many registers at once are refused", "lower `max_registers` in the profile"),
    4: ("the meter has a fault", "switch it off and on; if it stays, the meter needs service"),
    5: ("the meter needs more time", "ask again later"),
    6: ("the meter is busy", "ask again later; is another program reading it?"),
    10: ("the gateway has no way to the meter", "check the gateway's settings for this unit"),
    11: ("the meter behind the gateway is silent", "check its address, its wiring and the gateway's baud"),
}


def refused(code: int) -> Refused:
    """Name an exception code for people."""
    what, hint = _EXCEPTIONS.get(code, ("the meter refused", "see the meter's own protocol sheet"))
    return Refused(f"{what} (exception {code})", hint, code=code)
