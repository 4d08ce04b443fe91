"""What a meter says by itself, or instead of an answer, and messages in blocks. Bytes in, values out, and back.

1. A notification carries values that a meter pushes; its own time stands before them, or nothing does.
2. An event notification is one attribute that changed.
3. An exception is a no to a whole message: the wrong state, an unknown service, a message that could not be deciphered.
4. General block transfer cuts any message into blocks; `Blocks` joins them again.
"""

from dataclasses import dataclass

from drivers.contract import DecodeError
from drivers.dlms.axdr import Data, Reader, Tag, encode, encode_length
from drivers.dlms.objects import Descriptor, read_descriptor

DATA_NOTIFICATION, EVENT_NOTIFICATION, EXCEPTION, BLOCK_TRANSFER = 0x0F, 0xC2, 0xD8, 0xE0
_DATE_TIME_LENGTH = 12


@dataclass(frozen=True, slots=True)
class DataNotification:
    """Pushed values; `at` is a date-time of 12 bytes, or nothing. `tagged`: some makes put a tag before it."""

    body: Data
    at: bytes = b""
    invoke: int = 0
    tagged: bool = False

    def __bytes__(self) -> bytes:
        """Give the message."""
        tag = bytes((Tag.OCTET_STRING,)) if self.tagged else b""
        at = tag + encode_length(len(self.at)) + self.at
        return bytes((DATA_NOTIFICATION,)) + self.invoke.to_bytes(4, "big") + at + encode(self.body)


@dataclass(frozen=True, slots=True)
class EventNotification:
    """One attribute that changed; `at` is a date-time of 12 bytes where the meter says when."""

    target: Descriptor
    value: Data
    at: bytes | None = None

    def __bytes__(self) -> bytes:
        """Give the message."""
        at = b"\x00" if self.at is None else b"\x01" + encode_length(len(self.at)) + self.at
        return bytes((EVENT_NOTIFICATION,)) + at + bytes(self.target) + encode(self.value)


COUNTER_ERROR = 6
"""The exception for an invocation counter that is too low; `counter` then is the least the meter takes."""

_STATES = {1: "the service is not allowed now", 2: "the service is unknown"}
_REASONS = {
    1: "operation not possible", 2: "service not supported", 3: "another reason", 4: "message too long",
    5: "the message could not be deciphered", COUNTER_ERROR: "the invocation counter is too low",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExceptionResponse:
    """A no to a whole message, in the meter's numbers."""

    state: int
    reason: int
    counter: int | None = None

    def __bytes__(self) -> bytes:
        """Give the message."""
        counter = b"" if self.counter is None else self.counter.to_bytes(4, "big")
        return bytes((EXCEPTION, self.state, self.reason)) + counter

    def __str__(self) -> str:
        """Say it in words."""
        state = _STATES.get(self.state, f"state {self.state}")
        return f"{state}: {_REASONS.get(self.reason, f'reason {self.reason}')}"


# --- blocks ----------------------------------------------------------------------------------------------------------

_LAST, _STREAMING, _WINDOW = 0x80, 0x40, 0x3F


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a message. `acknowledged` is the last block its sender has; `window` how many it takes at once.

    `streaming`: the sender goes on without being asked.
    """

    number: int
    piece: bytes
    last: bool = False
    streaming: bool = False
    window: int = 0
    acknowledged: int = 0

    def __bytes__(self) -> bytes:
        """Give the message."""
        control = (_LAST if self.last else 0) | (_STREAMING if self.streaming else 0) | self.window
        numbers = self.number.to_bytes(2, "big") + self.acknowledged.to_bytes(2, "big")
        return bytes((BLOCK_TRANSFER, control)) + numbers + encode_length(len(self.piece)) + self.piece


LONGEST_MESSAGE = 65_536
"""Bytes of a message joined from blocks or segments: what the two bytes that negotiate a message's length can say."""


class Blocks:
    """Joins the blocks of one sender."""

    def __init__(self) -> None:
        self._pieces = bytearray()
        self._next = 1

    def add(self, block: Block) -> bytes | None:
        """Give the message when this was its last block.

        Raises DecodeError for a block that is lost, repeated or too many; then all of the message is gone, and what
        follows until a first block is refused as well.
        """
        if block.number == 1:
            self._clear()
        expected, self._next = self._next, block.number + 1
        if block.number != expected or not expected or len(self._pieces) + len(block.piece) > LONGEST_MESSAGE:
            self._clear()
            self._next = 0
            due = f"where {expected} belongs" if expected else "of a message whose blocks were lost"
            raise DecodeError(f"block {block.number} {due}", "blocks were lost or repeated")
        self._pieces += block.piece
        if not block.last:
            return None
        message = bytes(self._pieces)
        self._clear()
        return message

    def _clear(self) -> None:
        self._pieces.clear()
        self._next = 1


# --- reading ---------------------------------------------------------------------------------------------------------

Notice = DataNotification | EventNotification | ExceptionResponse | Block


def read_data_notification(reader: Reader) -> DataNotification:
    """Read pushed values behind their tag."""
    invoke = reader.number(4, "invocation")
    tagged = reader.peek() == Tag.OCTET_STRING
    if tagged:
        reader.number(1, "tag")
    at = _date_time(reader)
    return DataNotification(reader.value(), at, invoke, tagged)


def read_event_notification(reader: Reader) -> EventNotification:
    """Read an attribute that changed, behind its tag."""
    at = _date_time(reader) if reader.flag("time") else None
    return EventNotification(read_descriptor(reader), reader.value(), at)


def read_exception(reader: Reader) -> ExceptionResponse:
    """Read a no behind its tag."""
    state, reason = reader.number(1, "state"), reader.number(1, "reason")
    return ExceptionResponse(state, reason, reader.number(4, "counter") if reader.left else None)


def read_block(reader: Reader) -> Block:
    """Read a block behind its tag."""
    control = reader.number(1, "control")
    number, acknowledged = reader.number(2, "block"), reader.number(2, "acknowledged")
    piece = reader.octets("piece")
    return Block(number, piece, bool(control & _LAST), bool(control & _STREAMING), control & _WINDOW, acknowledged)


def _date_time(reader: Reader) -> bytes:
    at = reader.octets("time")
    if len(at) not in (0, _DATE_TIME_LENGTH):
        raise DecodeError(f"a time of {len(at)} bytes is none", "the message is damaged")
    return at
