"""HDLC frames as DLMS uses them: bytes in, frames out, and back.

1. A frame stands between flags (7E): format and length in two bytes, destination, source, control, a checksum over
   these, information, and a checksum over all. Flags inside a frame are not escaped: the length says where it ends.
2. `Decoder` hunts for a flag behind which a whole frame with right checksums stands; anything else is stepped over byte
   by byte, so damage costs the frame it hit and no other.
3. The kind of a frame is in its control byte: I carries numbered information, RR, RNR and REJ acknowledge it, SNRM
   opens a link and UA says yes to it, DISC closes it, DM says that there is none, FRMR that something was wrong, UI is
   information without a link.
"""

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum

from drivers.contract import DecodeError
from drivers.crc import x25

FLAG = 0x7E
_TYPE, _TYPE_MASK = 0xA0, 0xF0
_SEGMENTED = 0x08
_LENGTH_HIGH = 0x07
LONGEST = 0x7FF
"""Bytes between flags that eleven bits of length can say."""

_POLL = 0x10
_SHORTEST = 7
"""Format, two addresses of one byte, control and one checksum."""
_LONGEST_HEAD = 13
"""Format, two addresses of four bytes, control and one checksum."""

ADDRESS_LENGTHS = (1, 2, 4)


class Kind(IntEnum):
    """What a frame is for; the value is its control byte without numbers and poll bit."""

    I = 0x00  # noqa: E741  the standard's name
    RR = 0x01
    RNR = 0x05
    REJ = 0x09
    SNRM = 0x83
    DISC = 0x43
    UA = 0x63
    DM = 0x0F
    FRMR = 0x87
    UI = 0x03


_UNNUMBERED = {kind.value: kind for kind in (Kind.SNRM, Kind.DISC, Kind.UA, Kind.DM, Kind.FRMR, Kind.UI)}
_SUPERVISORY = {kind.value: kind for kind in (Kind.RR, Kind.RNR, Kind.REJ)}


@dataclass(frozen=True, slots=True)
class Address:
    """One end of a link: the upper part names a client or a logical device, the lower the device; None if left out.

    `length` is how many bytes it takes: 1, 2 or 4.
    """

    upper: int
    lower: int | None = None
    length: int = 1

    def __bytes__(self) -> bytes:
        """Give the bytes, seven bits each, the last one marked."""
        if self.lower is None:
            parts = [self.upper]
        elif self.length == 4:  # noqa: PLR2004  two bytes a part
            parts = [self.upper >> 7, self.upper & 0x7F, self.lower >> 7, self.lower & 0x7F]
        else:
            parts = [self.upper, self.lower]
        return bytes(part << 1 for part in parts[:-1]) + bytes((parts[-1] << 1 | 1,))

    @classmethod
    def of_bytes(cls, octets: bytes) -> "Address":
        """Read one, two or four bytes."""
        parts = [octet >> 1 for octet in octets]
        if len(parts) == 1:
            return cls(parts[0])
        if len(parts) == 2:  # noqa: PLR2004  a part a byte
            return cls(parts[0], parts[1], 2)
        return cls(parts[0] << 7 | parts[1], parts[2] << 7 | parts[3], 4)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `send` numbers an I frame, `receive` is the next one that its sender expects.

    `final` is the poll bit: the other side may speak. `segmented`: the information goes on in the next frame.
    """

    destination: Address
    source: Address
    kind: Kind
    information: bytes = b""
    send: int = 0
    receive: int = 0
    final: bool = True
    segmented: bool = False

    @property
    def control(self) -> int:
        """The control byte."""
        poll = _POLL if self.final else 0
        if self.kind is Kind.I:
            return self.receive << 5 | self.send << 1 | poll
        if self.kind in (Kind.RR, Kind.RNR, Kind.REJ):
            return self.receive << 5 | self.kind.value | poll
        return self.kind.value | poll

    def __bytes__(self) -> bytes:
        """Give the frame with its flags; raises ValueError when it is too long."""
        head = bytes(self.destination) + bytes(self.source) + bytes((self.control,))
        length = 2 + len(head) + 2 + (len(self.information) + 2 if self.information else 0)
        if length > LONGEST:
            raise ValueError(f"{len(self.information)} bytes do not fit one frame")
        form = _TYPE | (_SEGMENTED if self.segmented else 0) | length >> 8
        head = bytes((form, length & 0xFF)) + head
        body = head + x25(head).to_bytes(2, "little")
        if self.information:
            body += self.information
            body += x25(body).to_bytes(2, "little")
        return bytes((FLAG,)) + body + bytes((FLAG,))


def decode(body: bytes) -> Frame:
    """Read what stands between two flags; raises DecodeError."""
    if len(body) < _SHORTEST or body[0] & _TYPE_MASK != _TYPE or _length(body) != len(body):
        raise DecodeError("no HDLC frame", "its first two bytes say A and the length")
    if not (_is_right(body[: _end_of_head(body)]) and _is_right(body)):
        raise DecodeError("a checksum of the frame is wrong", "it was damaged on its way")
    destination, at = _address(body, 2)
    source, at = _address(body, at)
    information = body[at + 3 : -2]
    kind, send, receive = _control(body[at])
    final, segmented = bool(body[at] & _POLL), bool(body[0] & _SEGMENTED)
    return Frame(destination, source, kind, information, send, receive, final, segmented)


def _is_right(body: bytes) -> bool:
    """Tell whether the last two bytes are the checksum of those before."""
    return x25(body[:-2]).to_bytes(2, "little") == body[-2:]


def _end_of_head(body: bytes) -> int:
    """Give where the checksum of the head ends; raises DecodeError."""
    _, at = _address(body, 2)
    _, at = _address(body, at)
    if at + 3 > len(body):
        raise DecodeError("the head of the frame is cut off", "it was damaged on its way")
    return at + 3


def _has_right_head(body: bytes) -> bool:
    try:
        return _is_right(body[: _end_of_head(body)])
    except DecodeError:
        return False


def _length(body: bytes | bytearray) -> int:
    return (body[0] & _LENGTH_HIGH) << 8 | body[1]


def _address(body: bytes, at: int) -> tuple[Address, int]:
    for length in ADDRESS_LENGTHS:
        end = at + length
        if end <= len(body) and body[end - 1] & 1:
            if any(octet & 1 for octet in body[at : end - 1]):
                break
            return Address.of_bytes(body[at:end]), end
    raise DecodeError("an address of another length than 1, 2 or 4 bytes", "it was damaged on its way")


def _control(control: int) -> tuple[Kind, int, int]:
    bare = control & ~_POLL
    if not control & 1:
        return Kind.I, control >> 1 & 7, control >> 5
    if control & 0x03 == 1 and bare & 0x0F in _SUPERVISORY:
        return _SUPERVISORY[bare & 0x0F], 0, control >> 5
    if bare in _UNNUMBERED:
        return _UNNUMBERED[bare], 0, 0
    raise DecodeError(f"control {control:#04x} is no kind of frame", "the sender breaks the protocol")


class Decoder:
    """Finds frames in a stream of bytes; never raises.

    `counters` holds what was left out: `noise_bytes`, `bad_checksum`, `malformed` (sums right, and still no frame).
    """

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes and give the frames they complete."""
        self._buffer += data
        found: list[Frame] = []
        at = 0
        while (end := self._end(at)) is not None:
            step = self._take(bytes(self._buffer[at + 1 : end]), found) if end else 1
            self.counters["noise_bytes"] += step == 1 and self._buffer[at] != FLAG
            at += step
        del self._buffer[:at]
        return found

    def end(self) -> list[Frame]:
        """Give the frames behind a start that silence shows to be none; nothing is kept."""
        found: list[Frame] = []
        while self._buffer:
            self.counters["noise_bytes"] += self._buffer[0] != FLAG
            del self._buffer[0]
            found += self.feed(b"")
        return found

    def _end(self, at: int) -> int | None:
        """Give where the frame that opens here ends, flags included; 0 for no frame, None when bytes are missing."""
        buffer = self._buffer
        if at >= len(buffer):
            return None
        if buffer[at] != FLAG:
            return 0
        head = buffer[at + 1 : at + 3]
        if len(head) < 2:  # noqa: PLR2004  the format
            return None if not head or head[0] & _TYPE_MASK == _TYPE else 0
        length = _length(head)
        if head[0] & _TYPE_MASK != _TYPE or length < _SHORTEST:
            return 0
        end = at + length + 2
        return end if end <= len(buffer) else self._unless_wrong(at)

    def _unless_wrong(self, at: int) -> int | None:
        """Give None while a frame may still go on; 0 where its head is whole, and wrong.

        A damaged length may ask for two thousand bytes more, minutes of a meter that pushes: the head's sum tells now.
        """
        head = bytes(self._buffer[at + 1 : at + 1 + _LONGEST_HEAD])
        if len(head) < _LONGEST_HEAD or _has_right_head(head):
            return None
        self.counters["bad_checksum"] += 1
        return 0

    def _take(self, body: bytes, found: list[Frame]) -> int:
        """Keep the frame that a flag ends, if it is one; gives how far to go on."""
        body, flag = body[:-1], body[-1]
        if flag != FLAG or not _has_right_head(body):
            self.counters["bad_checksum"] += 1
            return 1
        try:
            found.append(decode(body))
        except DecodeError:
            self.counters["malformed" if _is_right(body) else "bad_checksum"] += 1
        # With a right head the length was right: the damage is inside, and the closing flag may open the next frame.
        return len(body) + 1
