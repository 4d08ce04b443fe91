"""The wrapper of DLMS over TCP: eight bytes before each message. Bytes in, messages out, and back."""

import struct
from dataclasses import dataclass

from drivers.contract import DecodeError

_HEAD = struct.Struct(">HHHH")
VERSION = 1
LONGEST = 65_535


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One message with the ports of its sender and receiver: client and logical device."""

    source: int
    destination: int
    message: bytes

    def __bytes__(self) -> bytes:
        """Give head and message."""
        return _HEAD.pack(VERSION, self.source, self.destination, len(self.message)) + self.message


class Decoder:
    """Cuts a TCP stream into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Wrapped]:
        """Give the messages that are complete; raises DecodeError when the stream is lost.

        What is kept back is bounded by the longest message that two bytes of length can say.
        """
        rest, at = self._rest + data, 0
        found = []
        while len(rest) - at >= _HEAD.size:
            version, source, destination, length = _HEAD.unpack_from(rest, at)
            if version != VERSION:
                raise DecodeError("the stream is no DLMS over TCP", "is this the right port, or does it speak HDLC?")
            end = at + _HEAD.size + length
            if end > len(rest):
                break
            found.append(Wrapped(source, destination, rest[at + _HEAD.size : end]))
            at = end
        self._rest = rest[at:]
        return found
