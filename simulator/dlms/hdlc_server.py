"""A DLMS meter on HDLC, serial or TCP: the answering side of a link.

1. SNRM opens the link: lengths and windows are what both sides can do. UA says them. DISC closes it.
2. Information comes in numbered frames, cut into segments; one out of order is asked for again. A whole message goes to
   the association, and its answers come back in frames of the agreed length, a window at a time.
3. The client's acknowledgements let go of sent frames; a window that is not acknowledged is sent again when asked.
"""

from collections import deque
from dataclasses import dataclass

from drivers.dlms.hdlc import Address, Decoder, Frame, Kind
from simulator.dlms.association import Association
from simulator.dlms.meter import DlmsMeter
from simulator.serving import Send, Session

LOGICAL_DEVICE = 1
FROM_CLIENT, TO_CLIENT = bytes.fromhex("e6e600"), bytes.fromhex("e6e700")
MODULO = 8
USUAL_LENGTH, USUAL_WINDOW = 128, 1
MESSAGE_LIMIT = 65_536
"""Bytes of one message in segments: the longest that an association can agree on."""

_SENT_LENGTH, _TAKEN_LENGTH, _SENT_WINDOW, _TAKEN_WINDOW = 5, 6, 7, 8
"""Parameters of SNRM and UA, each from its sender's side."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The longest information and the largest window the meter takes and sends, for lines that lose nothing: more."""

    length: int = USUAL_LENGTH
    window: int = USUAL_WINDOW


@dataclass
class Pranks:
    """What the link does wrong, so many times each: lost frames, wrong checksums, a meter that is not ready."""

    lost: int = 0
    damaged: int = 0
    not_ready: int = 0


class HdlcServer:
    """Answers at one physical address, any when None, for the meter's one logical device; `pranks` may change."""

    def __init__(self, meter: DlmsMeter, physical: int | None = None, offer: Offer = Offer()) -> None:
        self.pranks = Pranks()
        self.offer = offer
        self.meter = meter
        self._physical = physical

    def open(self, send: Send) -> Session:
        """Begin a conversation."""
        return _Session(self, send)

    def is_me(self, address: Address) -> bool:
        """Tell whether a frame is for this meter."""
        if address.lower is None or self._physical is None:
            return address.upper == LOGICAL_DEVICE
        return address.upper == LOGICAL_DEVICE and address.lower == self._physical

    def spoilt(self, frame: bytes) -> bytes:
        """Play a prank on a frame, if one is left."""
        if self.pranks.lost:
            self.pranks.lost -= 1
            return b""
        if self.pranks.damaged:
            self.pranks.damaged -= 1
            return frame[:-3] + bytes((frame[-3] ^ 1,)) + frame[-2:]
        return frame


class _Session:
    """One line; it has one link at a time."""

    def __init__(self, server: HdlcServer, send: Send) -> None:
        self._server = server
        self._out = send
        self._decoder = Decoder()
        self._link: _Link | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes of the client."""
        for frame in self._decoder.feed(data):
            if self._server.is_me(frame.destination):
                for answer in self._answers(frame):
                    self._out(self._server.spoilt(bytes(answer)))

    def close(self) -> None:
        """The line is gone, and the association with it."""
        self._link = None

    def _answers(self, frame: Frame) -> list[Frame]:
        if frame.kind is Kind.SNRM:
            self._link = _Link(self._server, frame)
            return [_reply(frame, Kind.UA, self._link.parameters)]
        link = self._link if self._link and self._link.client == frame.source else None
        if link is None:
            return [_reply(frame, Kind.DM)] if frame.final else []
        if frame.kind is Kind.DISC:
            self._link = None
            return [_reply(frame, Kind.UA)]
        return link.answers(frame)


class _Link:
    """The numbers of one link, what it gathers and what waits to go out."""

    def __init__(self, server: HdlcServer, snrm: Frame) -> None:
        asked = _parameters(snrm.information)
        offer = server.offer
        self.client = snrm.source
        self._server = server
        self._length = min(offer.length, asked.get(_TAKEN_LENGTH, USUAL_LENGTH))
        self._window = min(offer.window, asked.get(_TAKEN_WINDOW, USUAL_WINDOW))
        taken = min(offer.length, asked.get(_SENT_LENGTH, USUAL_LENGTH))
        taken_window = min(offer.window, asked.get(_SENT_WINDOW, USUAL_WINDOW))
        self.parameters = _field({
            _SENT_LENGTH: self._length, _TAKEN_LENGTH: taken, _SENT_WINDOW: self._window, _TAKEN_WINDOW: taken_window,
        })  # fmt: skip
        self._association = Association(server.meter, snrm.source.upper)
        self._receive = 0
        self._message = bytearray()
        self._first = 0  # the number of the first frame in `_waiting`, sent or not
        self._waiting: deque[tuple[bytes, bool]] = deque()  # information, and whether it goes on

    def answers(self, frame: Frame) -> list[Frame]:
        """Give what follows a frame of an open link."""
        if frame.kind in (Kind.UI, Kind.UA, Kind.DM, Kind.FRMR):
            return []
        self._acknowledged(frame.receive)
        if frame.kind is Kind.I:
            if frame.send != self._receive:
                self._server.meter.reject("out_of_order")
                return self._turn(frame) if self._waiting else [self._said(frame, Kind.RR)] * frame.final
            self._receive = (self._receive + 1) % MODULO
            self._take(frame)
        if self._server.pranks.not_ready and frame.final:
            self._server.pranks.not_ready -= 1
            return [self._said(frame, Kind.RNR)]
        return self._turn(frame) if frame.final and frame.kind is not Kind.RNR else []

    def _take(self, frame: Frame) -> None:
        if len(self._message) < MESSAGE_LIMIT:
            self._message += frame.information
        if frame.segmented:
            return
        message, self._message = bytes(self._message), bytearray()
        if not message.startswith(FROM_CLIENT):
            self._server.meter.reject("no_link_header")
            return
        for answer in self._association.answer(message.removeprefix(FROM_CLIENT)):
            whole = TO_CLIENT + answer
            starts = range(0, len(whole), self._length)
            self._waiting += [(whole[at : at + self._length], at + self._length < len(whole)) for at in starts]

    def _acknowledged(self, number: int) -> None:
        """Let go of what the client has; a number that acknowledges more than was sent says nothing."""
        count = (number - self._first) % MODULO
        if count <= min(self._window, len(self._waiting)):
            for _ in range(count):
                self._waiting.popleft()
            self._first = number

    def _turn(self, frame: Frame) -> list[Frame]:
        """Send a window of what waits, or say that all is well."""
        if not self._waiting:
            return [self._said(frame, Kind.RR)]
        going = list(self._waiting)[: self._window]
        return [
            Frame(
                frame.source, frame.destination, Kind.I, information, (self._first + place) % MODULO, self._receive,
                final=place == len(going) - 1, segmented=more,
            )
            for place, (information, more) in enumerate(going)
        ]  # fmt: skip

    def _said(self, frame: Frame, kind: Kind) -> Frame:
        return Frame(frame.source, frame.destination, kind, receive=self._receive)


def _reply(frame: Frame, kind: Kind, information: bytes = b"") -> Frame:
    return Frame(frame.source, frame.destination, kind, information)


def _parameters(field: bytes) -> dict[int, int]:
    """Read the parameters behind a head of three bytes: number, length, value; what is cut off is left out."""
    found, at = {}, 3
    while at + 2 <= len(field):
        number, length = field[at], field[at + 1]
        value = int.from_bytes(field[at + 2 : at + 2 + length], "big")
        if value:
            found[number] = value
        at += 2 + length
    return found


def _field(values: dict[int, int]) -> bytes:
    """Write parameters: lengths in the fewest bytes, windows in four."""
    said = b""
    for number, value in values.items():
        size = 4 if number in (_SENT_WINDOW, _TAKEN_WINDOW) else (value.bit_length() + 7) // 8
        said += bytes((number, size)) + value.to_bytes(size, "big")
    return bytes((0x81, 0x80, len(said))) + said
