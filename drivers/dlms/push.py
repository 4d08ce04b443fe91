"""Meters that push: a stream of bytes in, messages out; and, with a meter's keys, notifications.

1. `Decoder` finds frames of HDLC, of M-Bus that carries DLMS, or of the TCP wrapper; the first that is found says which
   of them the line speaks.
2. Frames that hold pieces of a message are joined (`Segments`), and so are messages in blocks.
3. `Opener` opens ciphered messages with one meter's keys, and refuses what was heard before.
"""

from collections import Counter
from typing import Protocol

from drivers.contract import DecodeError, Keys
from drivers.dlms import hdlc, wrapper
from drivers.dlms.apdu import Apdu, decode
from drivers.dlms.mbus_transport import Decoder as MbusDecoder
from drivers.dlms.notices import LONGEST_MESSAGE, Block, Blocks, DataNotification, EventNotification
from drivers.dlms.sealed import Sealed
from drivers.dlms.security import Received, Unproven, unseal

LLC = (b"\xe6\xe7\x00", b"\xe6\xe6\x00")
"""What a message begins with inside HDLC: from a meter, and to one."""

_MOST_SENDERS = 16
"""Senders whose pieces are kept at once; a push line has one meter, and noise must not make this grow."""

Notification = DataNotification | EventNotification


def without_llc(message: bytes) -> bytes:
    """Take off what HDLC puts before a message."""
    return message[len(LLC[0]) :] if message.startswith(LLC) else message


class Segments:
    """Joins pieces by sender; the pieces of one message come one behind the other."""

    def __init__(self) -> None:
        self._pieces: dict[object, bytes] = {}

    def add(self, sender: object, piece: bytes, *, more: bool) -> bytes | None:
        """Give the message when nothing more belongs to it; raises DecodeError when it grows too long."""
        pieces = piece if piece.startswith(LLC) else self._pieces.pop(sender, b"") + piece
        self._pieces.pop(sender, None)
        if len(pieces) > LONGEST_MESSAGE:
            raise DecodeError("a message longer than any", "pieces were lost")
        if not more:
            return pieces
        if len(self._pieces) >= _MOST_SENDERS:
            self._pieces.clear()
        self._pieces[sender] = pieces
        return None


class Finder(Protocol):
    """Finds messages in a stream of bytes; never raises, and counts what it leaves out by reason."""

    counters: Counter[str]

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and give the messages they complete."""


class HdlcFinder:
    """Messages in frames of HDLC."""

    def __init__(self) -> None:
        self._frames = hdlc.Decoder()
        self.counters: Counter[str] = self._frames.counters
        self._segments = Segments()

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and give the messages they complete."""
        return [message for frame in self._frames.feed(data) if (message := self._message(frame)) is not None]

    def _message(self, frame: hdlc.Frame) -> bytes | None:
        if frame.kind not in (hdlc.Kind.UI, hdlc.Kind.I) or not frame.information:
            self.counters["foreign_frame"] += 1
            return None
        try:
            return self._segments.add(frame.source, frame.information, more=frame.segmented)
        except DecodeError:
            self.counters["too_long"] += 1
            return None


class WrapperFinder:
    """Messages in the wrapper of TCP; a stream that breaks it once has no more."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._frames: wrapper.Decoder | None = wrapper.Decoder()

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and give the messages they complete."""
        try:
            return [one.message for one in self._frames.feed(data)] if self._frames else []
        except DecodeError:
            self.counters["lost_stream"] += 1
            self._frames = None
            return []


class Decoder:
    """Finds messages of pushing meters in a stream of bytes; never raises, and counts what it leaves out by reason."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._finders: list[Finder] = [HdlcFinder(), MbusDecoder(), WrapperFinder()]
        self._blocks = Blocks()

    def feed(self, data: bytes) -> list[Apdu]:
        """Take the next bytes and give the messages they complete."""
        found = []
        for message in self._messages(data):
            try:
                apdu = self._whole(decode(without_llc(message)))
            except DecodeError:
                self.counters["malformed"] += 1
                continue
            if apdu is not None:
                found.append(apdu)
        return found

    def _whole(self, apdu: Apdu) -> Apdu | None:
        if not isinstance(apdu, Block):
            return apdu
        try:
            message = self._blocks.add(apdu)
        except DecodeError:
            self.counters["bad_block"] += 1
            return None
        return None if message is None else decode(message)

    def _messages(self, data: bytes) -> list[bytes]:
        for finder in self._finders:
            messages = finder.feed(data)
            if messages and len(self._finders) > 1:
                # From here on the line speaks this; what the others left out was nothing.
                self._finders = [finder]
                self.counters.update(finder.counters)
                finder.counters = self.counters
            if messages:
                return messages
        return []


class Opener:
    """Gives the notifications of one meter; `counters` holds what was refused, by reason.

    `title` is the meter's system title, where it is known; any other is foreign then.
    """

    def __init__(self, keys: Keys, received: Received | None = None, title: bytes | None = None) -> None:
        self.counters: Counter[str] = Counter()
        self.received = received or Received()
        self._keys = keys
        self._title = title

    def open(self, apdu: Apdu) -> Notification:
        """Open a message; raises DecodeError for what is no notification, and Unproven, whose reason is counted.

        A meter with a key configured is not believed in the open: anybody could speak for it.
        """
        try:
            return self._opened(apdu)
        except Unproven as error:
            self.counters[error.reason] += 1
            raise
        except DecodeError:
            self.counters["malformed"] += 1
            raise

    def _opened(self, apdu: Apdu) -> Notification:
        if isinstance(apdu, Sealed):
            apdu = unseal(apdu, self._keys, self.received, self._title)
        elif self._keys.encryption is not None:
            raise Unproven("the telegram is not ciphered, though a key is given", "drop the key?", reason="unprotected")
        if not isinstance(apdu, Notification):
            raise DecodeError("the message is no notification", "does the meter push, or must it be asked?")
        return apdu
