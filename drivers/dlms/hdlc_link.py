"""A client's HDLC link to one meter: opened, numbered, acknowledged, repeated.

1. SNRM asks for lengths and windows; the meter's UA says what it grants. What neither names is 128 bytes and one frame.
2. A message goes out in as many frames as the granted length needs, as many at once as the window lets; the last of
   them gives the word to the meter (the final bit).
3. The answer's frames are taken in the order of their numbers. Whoever has the word when frames are missing asks for
   them: RR names the next one expected, REJ says that a later one came.
4. Silence is asked about with RR; the answer tells whether our frames or the meter's were lost. The meter is
   NoAnswer after `TRIES` silences running.
5. DISC ends the link on every way out, since a meter that waits for more may refuse a new link for minutes.
"""

from collections import Counter
from dataclasses import dataclass

from drivers.contract import DecodeError, NoAnswer, Refused
from drivers.dlms.hdlc import LONGEST, Address, Decoder, Frame, Kind
from drivers.dlms.link import Script

TO_METER, TO_CLIENT = b"\xe6\xe6\x00", b"\xe6\xe7\x00"
"""The link header before each message."""

DEFAULT_LENGTH, DEFAULT_WINDOW = 128, 1
LONGEST_INFORMATION = LONGEST - 19
"""Bytes of information that fit a frame with two addresses of four bytes."""

MODULO = 8
TRIES = 3
"""Silences in a row: a line that loses one frame in ten loses three running each thousandth time."""

FRUITLESS = 10
"""Turns in a row that bring nothing on: a loss costs two, one of silence and one to ask; a busy meter more."""

MAX_MESSAGE = 1 << 20
"""Bytes of one answer: a year of quarter hours of six values takes 700 kB, and comes in blocks."""

_FORMAT, _GROUP = 0x81, 0x80
_SEND_LENGTH, _RECEIVE_LENGTH, _SEND_WINDOW, _RECEIVE_WINDOW = 5, 6, 7, 8


@dataclass(frozen=True, slots=True)
class Limits:
    """What one side may send and wishes to receive: bytes of information a frame, and frames at once."""

    send: int = DEFAULT_LENGTH
    receive: int = DEFAULT_LENGTH
    send_window: int = DEFAULT_WINDOW
    receive_window: int = DEFAULT_WINDOW

    @property
    def field(self) -> bytes:
        """The information field of SNRM and UA; nothing when all is as usual."""
        if self == DEFAULTS:
            return b""
        lengths = b"".join(
            bytes((tag, 1 if value < 256 else 2)) + value.to_bytes(1 if value < 256 else 2, "big")  # noqa: PLR2004
            for tag, value in ((_SEND_LENGTH, self.send), (_RECEIVE_LENGTH, self.receive))
        )
        windows = b"".join(
            bytes((tag, 4)) + value.to_bytes(4, "big")
            for tag, value in ((_SEND_WINDOW, self.send_window), (_RECEIVE_WINDOW, self.receive_window))
        )
        return bytes((_FORMAT, _GROUP, len(lengths + windows))) + lengths + windows

    @classmethod
    def of_field(cls, field: bytes) -> "Limits":
        """Read the field, from its sender's side; what it leaves out or gets wrong is as usual."""
        values = {}
        at = 3
        while field[:2] == bytes((_FORMAT, _GROUP)) and at + 2 <= len(field):
            tag, length = field[at], field[at + 1]
            values[tag] = int.from_bytes(field[at + 2 : at + 2 + length], "big")
            at += 2 + length
        return cls(
            _bounded(values.get(_SEND_LENGTH, 0), DEFAULT_LENGTH, LONGEST_INFORMATION),
            _bounded(values.get(_RECEIVE_LENGTH, 0), DEFAULT_LENGTH, LONGEST_INFORMATION),
            _bounded(values.get(_SEND_WINDOW, 0), DEFAULT_WINDOW, MODULO - 1),
            _bounded(values.get(_RECEIVE_WINDOW, 0), DEFAULT_WINDOW, MODULO - 1),
        )

    def granted(self, other: "Limits") -> "Limits":
        """Give what both sides can do, where `other` is said from the other side."""
        return Limits(
            min(self.send, other.receive), min(self.receive, other.send),
            min(self.send_window, other.receive_window), min(self.receive_window, other.send_window),
        )  # fmt: skip


DEFAULTS = Limits()


def _bounded(value: int, usual: int, most: int) -> int:
    return min(value, most) if value else usual


class HdlcLink:
    """One link from `client` to `server`; `wish` is what is asked for, `limits` what the meter granted.

    `counters` holds what was of no use: what the decoder left out, `foreign_frame`, `unexpected_frame`, `repeated`.
    """

    def __init__(self, client: Address, server: Address, wish: Limits = DEFAULTS) -> None:
        self.limits = DEFAULTS
        self._client, self._server, self._wish = client, server, wish
        self._decoder = Decoder()
        self._counters: Counter[str] = Counter()
        self._open = False
        self._next = self._expected = 0

    @property
    def counters(self) -> Counter[str]:
        """What was of no use, by reason."""
        return self._counters + self._decoder.counters

    def open(self) -> Script[None]:
        """Have the meter open the link; raises NoAnswer, Refused."""
        self._next = self._expected = 0
        self._open = True  # a meter may have opened it though its answer is lost
        for _ in range(TRIES):
            for frame in (yield from self._turn([self._frame(Kind.SNRM, self._wish.field)])):
                if frame.kind is Kind.UA:
                    self.limits = self._wish.granted(Limits.of_field(frame.information))
                    return
                if frame.kind is Kind.DM:
                    self._open = False
                    raise Refused("the meter refuses a link", "another reader may have it: try in some minutes")
        raise NoAnswer("nobody answers at this HDLC address", "address of the meter, wiring, speed?")

    def ask(self, message: bytes) -> Script[bytes]:
        """Send one message in frames, and gather its answer's; raises NoAnswer, DecodeError."""
        exchange = _Exchange(TO_METER + message, self.limits, self._next, self._expected)
        silent = fruitless = 0
        enquire = False
        while not exchange.whole:
            frames = yield from self._turn(self._to_send(exchange, enquire=enquire))
            if any(frame.kind is Kind.RNR for frame in frames):
                yield b""  # the meter asks for time: as long as one answer may take
            moved = exchange.take(frames)
            enquire = not frames and not enquire
            silent = 0 if frames else silent + 1
            fruitless = 0 if moved else fruitless + 1
            if silent > TRIES or fruitless > FRUITLESS:
                raise NoAnswer("the meter fell silent on an open link", "distance, wiring, deadline of the meter?")
        self._next, self._expected = exchange.next, exchange.expected
        self._counters += exchange.counters
        if not exchange.answer.startswith(TO_CLIENT):
            raise DecodeError("the answer has no link header", "does the meter speak DLMS?")
        return bytes(exchange.answer[len(TO_CLIENT) :])

    def close(self) -> Script[None]:
        """Tell the meter that the link ends, and let it say yes."""
        if self._open:
            yield from self._turn([self._frame(Kind.DISC)])
            self._open = False

    def goodbye(self) -> bytes:
        """Give the frame that ends the link, for those who cannot await the answer; nothing when it is not open."""
        was_open, self._open = self._open, False
        return bytes(self._frame(Kind.DISC)) if was_open else b""

    # --- one turn of the line ----------------------------------------------------------------------------------------

    def _to_send(self, exchange: "_Exchange", *, enquire: bool) -> list[Frame]:
        if enquire or not exchange.unsent:
            kind = Kind.REJ if exchange.gap else Kind.RR
            return [self._frame(kind, receive=exchange.expected)]
        pieces = exchange.unsent[: self.limits.send_window]
        return [
            self._frame(
                Kind.I, piece, (exchange.next + number) % MODULO, exchange.expected,
                final=number == len(pieces) - 1, segmented=number < len(exchange.unsent) - 1,
            )
            for number, piece in enumerate(pieces)
        ]  # fmt: skip

    def _turn(self, frames: list[Frame]) -> Script[list[Frame]]:
        """Send frames and hear the meter until it gives the word back or falls silent."""
        heard = yield b"".join(map(bytes, frames))
        found: list[Frame] = []
        while True:
            found += self._ours(self._decoder.feed(heard) if heard else self._decoder.end())
            if not heard or (found and found[-1].final):
                return found
            heard = yield b""

    def _ours(self, frames: list[Frame]) -> list[Frame]:
        ours = [frame for frame in frames if (frame.destination, frame.source) == (self._client, self._server)]
        self._counters["foreign_frame"] += len(frames) - len(ours)
        return [frame for frame in ours if frame.kind is not Kind.UI]

    def _frame(
        self, kind: Kind, information: bytes = b"", send: int = 0, receive: int = 0, *,
        final: bool = True, segmented: bool = False,
    ) -> Frame:  # fmt: skip
        return Frame(self._server, self._client, kind, information, send, receive, final, segmented)


class _Exchange:
    """One message and its answer: what the meter has not acknowledged yet, and what has come."""

    def __init__(self, message: bytes, limits: Limits, number: int, expected: int) -> None:
        self.unsent = [message[at : at + limits.send] for at in range(0, len(message), limits.send)]
        self.next, self.expected = number, expected
        self.answer = bytearray()
        self.whole = self.gap = False
        self.counters: Counter[str] = Counter()
        self._window = limits.send_window

    def take(self, frames: list[Frame]) -> bool:
        """Take what the meter said in its turn, and tell whether that helped; raises NoAnswer, DecodeError."""
        self.gap = False
        before = len(self.unsent), self.expected, self.whole
        for frame in frames:
            if frame.kind in (Kind.DM, Kind.FRMR):
                raise NoAnswer("the meter ended the link", "another reader, or a pause longer than it waits?")
            if frame.kind not in (Kind.I, Kind.RR, Kind.RNR, Kind.REJ):
                self.counters["unexpected_frame"] += 1
                continue
            self._acknowledge(frame.receive)
            if frame.kind is Kind.I:
                self._gather(frame)
        return (len(self.unsent), self.expected, self.whole) != before

    def _acknowledge(self, number: int) -> None:
        """Forget the frames before `number`, when that can be: no more than a window was ever sent."""
        count = (number - self.next) % MODULO
        if count <= min(self._window, len(self.unsent)):
            del self.unsent[:count]
            self.next = number

    def _gather(self, frame: Frame) -> None:
        if frame.send != self.expected or self.whole:
            self.gap = (frame.send - self.expected) % MODULO < MODULO // 2
            self.counters["repeated"] += 1
            return
        self.gap = False
        self.expected = (self.expected + 1) % MODULO
        self.answer += frame.information
        self.whole = not frame.segmented
        if len(self.answer) > MAX_MESSAGE:
            raise DecodeError("an answer without end", "the meter breaks the protocol")
