"""What `nabd analyze` makes of recorded wireless M-Bus bytes: frames, who sent them, and what every byte means.

Bytes may be frames one after the other, with or without CRCs, or a stick's or receiver's own recording. Wired frames
among them are left to `mbus`. A ciphered frame is explained as far as it is in the clear; the rest, deciphered, is
explained in `inside`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from drivers.analysis import Frame, Keys, Span
from drivers.contract import DecodeError, Number
from drivers.mbus.analyze import about_of, header_spans, record_spans, values_of
from drivers.mbus.records import Records, decode_records
from drivers.profiles import Profile
from drivers.wmbus.compact import Formats
from drivers.wmbus.fragments import Fragments
from drivers.wmbus.layers import COMPACT, MAKERS, Message, unwrap
from drivers.wmbus.link import HEAD, decode_frame, sender_of, split
from drivers.wmbus.profile import read_message
from drivers.wmbus.sniff import Sniffer

_WRITTEN = "a frame as its receiver wrote it: shown without CRCs below"
_CONTROLS = {0x44: "SND_NR: the meter's data", 0x46: "SND_IR: looks for a receiver", 0x08: "RSP_UD: an answer"}


@dataclass(frozen=True, slots=True)
class Heard:
    """What later frames need of earlier ones."""

    formats: Formats = field(default_factory=Formats)
    fragments: Fragments = field(default_factory=lambda: Fragments(Counter()))


def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]:
    """Find every frame and explain it."""
    heard = Heard()
    return tuple(_explain(start, end, frame, data, keys, heard) for start, end, frame in _places(data))


def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]:
    """Give what the meter model makes of each frame it finds anything in."""
    heard, found = Heard(), []
    for _, _, frame in _places(data):
        try:
            radio = heard.fragments.add(decode_frame(frame))
            said = read_message(profile.layout, unwrap(radio, keys.encryption), heard.formats) if radio else None
        except DecodeError:
            continue
        if said and said.values:
            found.append(said.values)
    return tuple(found)


def _places(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give where frames begin and end, and the frames without CRCs."""
    found = list(split(data))
    if found:
        yield from found
        return
    # A recording of a receiver: its own bytes stand around the frames, which are found again by what is in them.
    at = 0
    for caught in Sniffer(Counter()).feed(data):
        start, end = _found(data, caught.frame, at)
        yield start, end, caught.frame
        at = end


def _found(data: bytes, frame: bytes, at: int) -> tuple[int, int]:
    """Find a frame as it stands in a recording: as bytes, or as digits, or with something in between."""
    digits = frame.hex().encode()
    for text, piece in ((data, frame), (data.lower(), digits)):
        start = text.find(piece, at)
        if start >= 0:
            return start, start + len(piece)
    # With CRCs or escapes in between: its first bytes lead to it.
    start = max(data.lower().find(digits[: 2 * HEAD], at), data.find(frame[:HEAD], at), at)
    return start, min(start + len(frame), len(data))


# --- one frame -------------------------------------------------------------------------------------------------------


def _explain(start: int, end: int, frame: bytes, data: bytes, keys: Keys, heard: Heard) -> Frame:
    as_sent = data[start:end] == frame
    radio = decode_frame(frame)
    try:
        # A part of a message is refused; the last one has it whole.
        message = unwrap(heard.fragments.add(radio) or radio, keys.encryption)
    except DecodeError as error:
        rest = Span(start + HEAD, end, "not understood", known=False)
        spans = (*_link(frame[:HEAD], start), rest) if as_sent else (Span(start, end, _WRITTEN),)
        return Frame(start, end, error.what, about_of(radio.sender), spans=spans)
    records, error_text, told = _records(message, heard.formats)
    about = about_of(message.header.identity or radio.sender)
    values = values_of(records)
    clear = frame[:HEAD] + message.head + told + message.trailer
    if as_sent and clear == frame:
        return Frame(start, end, error_text, about, values, tuple(_inner(clear, message, told, start)))
    spans = (Span(start, end, _WRITTEN),)
    if as_sent:
        spans = (
            *_link(frame[:HEAD], start),
            Span(start + HEAD, end, "ciphered, shortened, or the end of a longer message: shown in full below"),
        )
    return Frame(start, end, error_text, about, values, spans, clear, tuple(_inner(clear, message, told, 0)))


def _records(message: Message, formats: Formats) -> tuple[Records, str | None, bytes]:
    """Give the records, what is wrong with them, and the bytes they were read from."""
    data = message.records
    if message.ci in MAKERS:
        return Records((), data), None, data
    try:
        data = formats.expand(data) if message.ci == COMPACT else data
    except DecodeError as error:
        return Records(()), error.what, data
    records = decode_records(data, cut_off=True)
    if message.ci != COMPACT:
        formats.learn(records)
    return records, None, data


def _link(head: bytes, base: int) -> Iterator[Span]:
    who = sender_of(head)
    yield Span(base, base + 1, f"{head[0]} bytes follow")
    yield Span(base + 1, base + 2, _CONTROLS.get(head[1], f"control {head[1]:02X}"))
    yield Span(base + 2, base + 4, f"maker {who.manufacturer}")
    yield Span(base + 4, base + 8, f"number {who.number}")
    yield Span(base + 8, base + 9, f"version {who.version}")
    yield Span(base + 9, base + HEAD, f"medium: {who.medium_name}")


def _inner(clear: bytes, message: Message, records: bytes, base: int) -> Iterator[Span]:
    """Explain every byte of a frame in the clear."""
    yield from _link(clear[:HEAD], base)
    at = base + HEAD
    begins = [at + place for place, _ in message.layers]
    for (_, name), start, end in zip(message.layers, begins, [*begins[1:], begins[-1] + 1], strict=True):
        yield Span(start, end, name)
    after = begins[-1] + 1
    headed = list(header_spans(message.header, after))
    yield from headed
    at = headed[-1].end if headed else after
    start = base + HEAD + len(message.head)
    if at < start:
        yield Span(at, start, "which key ciphers the records")
    explained = [] if message.ci in MAKERS else list(record_spans(records, start))
    yield from explained
    at, end = (explained[-1].end if explained else start), start + len(records)
    if at < end:
        yield Span(at, end, "known to the maker only", known=False)
    if message.trailer:
        yield Span(end, end + len(message.trailer), "behind the ciphered records")
