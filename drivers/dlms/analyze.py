"""What `nabd analyze` makes of recorded DLMS bytes: frames, messages, values, and what every byte means.

1. Frames are found (carriers.py), pieces and blocks joined, ciphered messages opened with the keys.
2. A message that stands in one frame as it is is explained there. One that was joined or deciphered is explained as
   `plain`, by the frame that completes it.
3. Both sides of a recorded session may be in the bytes: system titles and what was asked for are remembered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from drivers.analysis import About, Frame, Keys, Span
from drivers.contract import DecodeError, Number
from drivers.dlms import acse, axdr, entries, services
from drivers.dlms.apdu import Apdu, decode
from drivers.dlms.axdr import Data
from drivers.dlms.carriers import Carrier, carriers
from drivers.dlms.entries import Entries, Entry
from drivers.dlms.mbus_transport import Pieces
from drivers.dlms.meaning import about_of, values_of
from drivers.dlms.measured import of_entries
from drivers.dlms.notices import Block, Blocks, DataNotification, EventNotification
from drivers.dlms.push import LLC, Segments, without_llc
from drivers.dlms.sealed import Sealed
from drivers.dlms.security import Unproven, open_text
from drivers.profiles import Profile

if TYPE_CHECKING:
    from drivers.dlms.objects import Descriptor, Result

_DEEPEST = 3
"""Messages within one another: blocks that hold a ciphered message that holds a notification."""


def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]:
    """Find every frame, whole or damaged, and explain it; bytes between frames are in none."""
    walk = _Walk(data, keys)
    return tuple(walk.frame(carrier) for carrier in carriers(data))


def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]:
    """Give what the meter model makes of each notification it finds anything in."""
    layout = profile.layout
    bodies = (entries.entries(notification.body) for notification in notifications(data, keys))
    found = (of_entries(layout.registers, layout.lists, body).values for body in bodies)
    return tuple(values for values in found if values)


def notifications(data: bytes, keys: Keys) -> Iterator[DataNotification]:
    """Give the notifications among recorded bytes."""
    walk = _Walk(data, keys)
    for carrier in carriers(data):
        walk.frame(carrier)
        if isinstance(walk.last, DataNotification):
            yield walk.last


@dataclass(slots=True)
class _Said:
    """What was made of a message so far; `spans` explain it where it stands, `inside` what came out of it."""

    spans: list[Span] = field(default_factory=list)
    error: str | None = None
    apdu: Apdu | None = None
    plain: bytes = b""
    inside: tuple[Span, ...] = ()


class _Walk:
    """Goes through the frames of some bytes and remembers what later ones need."""

    def __init__(self, data: bytes, keys: Keys) -> None:
        self.last: Apdu | None = None
        self._data = data
        self._keys = keys
        self._segments, self._pieces, self._blocks = Segments(), Pieces(), Blocks()
        self._titles: list[bytes] = []
        self._asked: tuple[Descriptor, ...] = ()

    def frame(self, carrier: Carrier) -> Frame:
        self.last = None
        if carrier.error is not None or carrier.at == carrier.till:
            return Frame(carrier.start, carrier.end, carrier.error, spans=carrier.before + carrier.behind)
        piece = self._data[carrier.at : carrier.till]
        said = _Said([Span(carrier.at, carrier.till, f"piece of a message, {len(piece)} bytes")])
        try:
            message = self._join(carrier, piece)
        except DecodeError as error:
            message, said.error = None, error.what
        if message is not None:
            # A piece that is the whole message is explained where it stands.
            here = message == piece
            inner = self._message(message, carrier.at if here else 0, 0)
            said = inner if here else self._within(said, inner, message)
        return self._told(carrier, said)

    def _join(self, carrier: Carrier, piece: bytes) -> bytes | None:
        if carrier.number is None:
            return self._segments.add(carrier.line, piece, more=carrier.more)
        message = self._pieces.add(carrier.number, piece, last=not carrier.more)
        if message is None and not carrier.more:
            raise DecodeError("pieces of this message are missing")
        return message

    def _told(self, carrier: Carrier, said: _Said) -> Frame:
        spans = (*carrier.before, *said.spans, *carrier.behind)
        frame = Frame(carrier.start, carrier.end, said.error, About(), (), spans, said.plain, said.inside)
        self.last = said.apdu
        if said.apdu is None:
            return frame
        told = self._values(said.apdu)
        title = self._titles[-1] if self._titles and isinstance(said.apdu, DataNotification) else None
        return replace(frame, meter=about_of(told, title) if told.values else About(), values=values_of(told))

    # --- messages ----------------------------------------------------------------------------------------------------

    def _message(self, raw: bytes, base: int, depth: int) -> _Said:
        """Explain a message that stands at `base`, and what is in it."""
        head = len(raw) - len(without_llc(raw))
        spans = (
            [Span(base, base + head, "to the meter" if raw.startswith(LLC[1]) else "from the meter")] if head else []
        )
        said = _decoded(raw[head:], base + head)
        said.spans = spans + said.spans
        if depth >= _DEEPEST or said.apdu is None:
            return said
        try:
            inner = self._inner(said.apdu)
        except DecodeError as error:
            said.error, said.apdu = error.what, None
            return said
        if inner is None:
            said.apdu = None if isinstance(said.apdu, Block) else said.apdu
            self._remember(said.apdu)
            return said
        return self._within(said, self._message(inner, 0, depth + 1), inner)

    def _inner(self, apdu: Apdu) -> bytes | None:
        """Give the message inside a message; None when there is none (yet)."""
        if isinstance(apdu, Block):
            return self._blocks.add(apdu)
        return self._opened(apdu) if isinstance(apdu, Sealed) else None

    def _within(self, outer: _Said, inner: _Said, plain: bytes) -> _Said:
        """Let an outer message say what was found inside it; the innermost bytes are those explained."""
        innermost = (inner.plain, inner.inside) if inner.plain else (plain, tuple(inner.spans))
        return _Said(outer.spans, inner.error, inner.apdu, *innermost)

    def _opened(self, sealed: Sealed) -> bytes:
        """Try the title that the message names, or each that was heard, the last one first."""
        titles = [sealed.title] if sealed.title else self._titles[::-1]
        failure: DecodeError = Unproven("the sender's system title is unknown", reason="foreign")
        for title in titles:
            try:
                plain = open_text(sealed, title, self._keys)
                decode(plain)
            except DecodeError as error:
                failure = error if isinstance(error, Unproven) else Unproven("the key does not open this message")
                continue
            self._hear(title)
            return plain
        raise failure

    def _hear(self, title: bytes | None) -> None:
        """Remember the last two titles: both sides of a session."""
        if title is not None:
            self._titles = [*(one for one in self._titles if one != title), title][-2:]

    def _remember(self, apdu: Apdu | None) -> None:
        if isinstance(apdu, acse.OpenRequest | acse.OpenResponse):
            self._hear(apdu.title)
        if isinstance(apdu, services.GetRequest):
            self._asked = (apdu.target,)
        if isinstance(apdu, services.GetListRequest):
            self._asked = tuple(target for target, _ in apdu.queries)

    def _values(self, apdu: Apdu) -> Entries:
        if isinstance(apdu, DataNotification):
            return entries.entries(apdu.body)
        if isinstance(apdu, EventNotification):
            return Entries((Entry(1, apdu.value, apdu.target),))
        results: tuple[Result, ...] = (apdu.result,) if isinstance(apdu, services.GetResponse) else ()
        if isinstance(apdu, services.GetListResponse):
            results = apdu.results
        asked = zip(self._asked, results, strict=False)
        return Entries(tuple(
            Entry(at, result, target) for at, (target, result) in enumerate(asked, 1) if isinstance(result, Data)
        ))  # fmt: skip


def _decoded(raw: bytes, base: int) -> _Said:
    """Explain a message or, where there is none, a value by itself; a damaged message as far as it can be read."""
    tracer = _Tracer(base)
    try:
        return _Said(tracer.spans, None, decode(raw, tracer))
    except DecodeError as error:
        failure = error.what
    value = _Tracer(base)
    try:
        return _Said(value.spans, None, DataNotification(axdr.decode(raw, value)))
    except DecodeError:
        tracer.fill(base + len(raw))
        return _Said(tracer.spans, failure)


class _Tracer:
    """Makes spans of what a reader tells, without gaps."""

    def __init__(self, base: int) -> None:
        self.spans: list[Span] = []
        self._base = base
        self._end = base

    def __call__(self, start: int, end: int, meaning: str, depth: int) -> None:
        self.fill(self._base + start)
        if end > start:
            self.spans.append(Span(self._base + start, self._base + end, meaning, depth=depth))
            self._end = self._base + end

    def fill(self, end: int) -> None:
        """Say that nobody knows what the bytes up to here mean."""
        if end > self._end:
            self.spans.append(Span(self._end, end, "not understood", known=False))
            self._end = end
