"""The wrapper of DLMS over TCP: eight bytes before each message. Bytes in, messages out, and back."""

import struct
from collections import Counter
from dataclasses import dataclass

from drivers.contract import DecodeError, NoAnswer
from drivers.dlms.link import Script

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


class WrapperLink:
    """Carries messages from `client` to `server` over one TCP connection.

    `counters` holds `foreign_message`: one of other ports, or one that came before it was asked for.
    """

    def __init__(self, client: int, server: int) -> None:
        self.counters: Counter[str] = Counter()
        self._client, self._server = client, server
        self._decoder = Decoder()

    def open(self) -> Script[None]:
        """Do nothing: the connection is the link."""
        yield from ()

    def ask(self, message: bytes) -> Script[bytes]:
        """Send one message and give the answer; raises NoAnswer, DecodeError."""
        heard = yield bytes(Wrapped(self._client, self._server, message))
        while heard:
            answers = self._decoder.feed(heard)
            ours = [one.message for one in answers if (one.source, one.destination) == (self._server, self._client)]
            self.counters["foreign_message"] += len(answers) - len(ours[-1:])
            if ours:
                return ours[-1]
            heard = yield b""
        raise NoAnswer("the meter does not answer", "client and server address, deadline of the meter?")

    def close(self) -> Script[None]:
        """Do nothing: the connection's end is the link's."""
        yield from ()

    def goodbye(self) -> bytes:
        """Give nothing: the connection's end says it."""
        return b""
