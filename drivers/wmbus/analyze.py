"""What `nabd analyze` makes of recorded wireless M-Bus bytes: frames, who sent them, and what every byte means.

Bytes may be frames one after the other, with or without CRCs, or a stick's or receiver's own recording. Wired frames
among them are left to `mbus`. A ciphered frame is explained as far as it is in the clear; the rest, deciphered, is
explained in `inside`.
"""

from collections.abc import Iterator, Mapping

from drivers.analysis import About, Frame, Keys, Span, Value
from drivers.contract import DecodeError, Number
from drivers.mbus.analyze import about_of, header_spans, record_spans, value_of
from drivers.mbus.records import Records, decode_records
from drivers.profiles import Profile
from drivers.wmbus.compact import Formats, UnknownFormat
from drivers.wmbus.layers import COMPACT, MAKERS, Message, unwrap
from drivers.wmbus.link import HEAD, decode_frame, split
from drivers.wmbus.profile import read_message
from drivers.wmbus.sniff import Sniffer

_CONTROLS = {0x44: "SND_NR: the meter's data", 0x46: "SND_IR: looks for a receiver", 0x08: "RSP_UD: an answer"}


def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]:
    """Find every frame and explain it."""
    formats = Formats()
    return tuple(_explain(start, end, frame, data, keys, formats) for start, end, frame in _places(data))


def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]:
    """Give what the meter model makes of each frame it finds anything in."""
    formats, found = Formats(profile.layout.formats), []
    for _, _, frame in _places(data):
        try:
            said = read_message(profile.layout, unwrap(decode_frame(frame), keys.encryption), formats)
        except DecodeError:
            continue
        if said.values:
            found.append(said.values)
    return tuple(found)


def _places(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give where frames begin and end, and the frames without CRCs."""
    found = list(split(data))
    if found:
        yield from found
        return
    # A recording of a stick: its own bytes stand around the frames, and a frame's place is what is left to tell.
    at = 0
    for caught in Sniffer().feed(data):
        start = data.find(caught.frame, at)
        digits = caught.frame.hex()
        if start < 0 and (start := data.lower().find(digits.encode(), at)) >= 0:
            at = start + len(digits)
        elif start >= 0:
            at = start + len(caught.frame)
        yield (start, at, caught.frame) if start >= 0 else (at, at, caught.frame)


def _explain(start: int, end: int, frame: bytes, data: bytes, keys: Keys, formats: Formats) -> Frame:
    head = tuple(_link(frame, start))
    plain = data[start:end] == frame
    try:
        radio = decode_frame(frame)
        message = unwrap(radio, keys.encryption)
    except DecodeError as error:
        rest = Span(start + HEAD, end, "not understood", known=False)
        about = About() if len(frame) <= HEAD else about_of(decode_frame(frame).sender)
        return Frame(start, end, error.what, about, spans=(*head, rest) if plain else _whole(start, end))
    about = about_of(message.header.identity or radio.sender)
    records, error_text, deciphered = _records(message, formats)
    spans = (*head, *_payload(message, start, end, ciphered=deciphered != message.records)) if plain else _whole(start, end)
    values: tuple[Value, ...] = tuple(value_of(record) for record in records.records)
    return Frame(start, end, error_text, about, values, spans, deciphered, tuple(_filled(deciphered)))


def _records(message: Message, formats: Formats) -> tuple[Records, str | None, bytes]:
    """Give the records, what is wrong with them, and the bytes they were read from."""
    if message.ci in MAKERS:
        return Records((), message.records), None, message.records
    try:
        data = formats.expand(message.records) if message.ci == COMPACT else message.records
    except UnknownFormat as error:
        return Records(()), error.what, message.records
    except DecodeError as error:
        return Records(()), error.what, message.records
    records = decode_records(data, cut_off=True)
    if message.ci != COMPACT:
        formats.learn(records)
    return records, None, data
