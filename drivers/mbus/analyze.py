"""What `nabd analyze` makes of recorded M-Bus bytes: requests, answers, and every record in them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction

from drivers.analysis import About, Frame, Keys, Span, Value
from drivers.contract import DecodeError, Number
from drivers.mbus import frames
from drivers.mbus.history import Stored, stored
from drivers.mbus.modifiers import PROFILES
from drivers.mbus.profile import read_telegram
from drivers.mbus.records import Content, Mark, Record, Records, walk
from drivers.mbus.telegram import Header, Identity, decode_header, decode_telegram, status_words
from drivers.profiles import Profile

_HEAD, _TAIL = 7, 2
"""Bytes of a long frame before its data, and after it."""

_CONTROLS = {
    0x40: "SND_NKE: start anew", 0x53: "SND_UD: take this", 0x73: "SND_UD: take this", 0x5A: "REQ_UD1: alarms?",
    0x7A: "REQ_UD1: alarms?", 0x5B: "REQ_UD2: your data?", 0x7B: "REQ_UD2: your data?",
}  # fmt: skip
_DIRECTION = 0x40


def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]:  # noqa: ARG001  wired meters have no keys
    """Find every frame and explain it; bytes between frames are in none."""
    return tuple(_explain(data, start, end) for start, end in _places(data))


def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]:  # noqa: ARG001
    """Give what the meter model makes of each answer."""
    found = []
    for start, end in _places(data):
        try:
            frame = frames.decode(data[start:end])
            said = read_telegram(profile.layout, decode_telegram(frame.ci, frame.data))
        except DecodeError:
            continue
        if said.values:
            found.append(said.values)
    return tuple(found)


def _places(data: bytes) -> Iterator[tuple[int, int]]:
    """Give where frames begin and end, by their own checksums."""
    at = 0
    while at < len(data):
        length = frames.length_of(data[at : at + 4])
        if length and length > 1 and frames.is_sound(data[at : at + length]):
            yield at, at + length
            at += length
        else:
            at += 1


# --- one frame -------------------------------------------------------------------------------------------------------


def _explain(data: bytes, start: int, end: int) -> Frame:
    if data[start] == frames.SHORT:
        return Frame(start, end, spans=tuple(_short(data, start)))
    control, ci = data[start + 4], data[start + 6]
    spans = list(_long(data, start, end))
    body = data[start + _HEAD : end - _TAIL]
    about, error = About(), None
    values: tuple[Value, ...] = ()
    if not control & _DIRECTION:
        try:
            telegram = decode_telegram(ci, body)
        except DecodeError as wrong:
            error = wrong.what
        else:
            about = about_of(telegram.header.identity)
            values = values_of(telegram.records)
        spans[-2:-2] = _body(ci, body, start + _HEAD)
    elif body:
        spans.insert(-2, Span(start + _HEAD, end - _TAIL, "what is told"))
    return Frame(start, end, error, about, values, tuple(spans))


def _short(data: bytes, start: int) -> Iterator[Span]:
    control, address = data[start + 1], data[start + 2]
    yield Span(start, start + 1, "start of a short frame")
    yield Span(start + 1, start + 2, _CONTROLS.get(control, f"control {control:02X}"))
    yield Span(start + 2, start + 3, f"address {address}")
    yield Span(start + 3, start + 4, "checksum, right")
    yield Span(start + 4, start + 5, "stop")


def _long(data: bytes, start: int, end: int) -> Iterator[Span]:
    control, address, ci = data[start + 4 : start + 7]
    answers = "RSP_UD: an answer" if not control & _DIRECTION else _CONTROLS.get(control, f"control {control:02X}")
    yield Span(start, start + 4, f"start of a long frame, {data[start + 1]} bytes")
    yield Span(start + 4, start + 5, answers)
    yield Span(start + 5, start + 6, f"address {address}")
    yield Span(start + 6, start + 7, f"CI {ci:02X}")
    yield Span(end - 2, end - 1, "checksum, right")
    yield Span(end - 1, end, "stop")


def _body(ci: int, body: bytes, base: int) -> list[Span]:
    """Explain header and records as far as they make sense; the rest is not understood."""
    try:
        header = decode_header(ci, body)
    except DecodeError:
        return []
    spans = list(header_spans(header, base))
    return spans + list(record_spans(body[header.length :], base + header.length))


# --- shared with the wireless side -----------------------------------------------------------------------------------


def header_spans(header: Header, base: int) -> Iterator[Span]:
    """Explain what stands before the records."""
    at = base
    if (who := header.identity) is not None:
        yield Span(at, at + 4, f"number {who.number}")
        yield Span(at + 4, at + 6, f"maker {who.manufacturer}")
        yield Span(at + 6, at + 7, f"version {who.version}")
        yield Span(at + 7, at + 8, f"medium: {who.medium_name}")
        at += 8
    if header.length:
        words = ", ".join(status_words(header.status)) or "nothing to report"
        yield Span(at, at + 1, f"access number {header.access}")
        yield Span(at + 1, at + 2, f"status: {words}")
        yield Span(at + 2, at + 4, f"security mode {header.security}" if header.signature else "not ciphered")


def record_spans(data: bytes, base: int) -> Iterator[Span]:
    """Explain records one by one, up to where they stop making sense."""
    try:
        for item in walk(data):
            if isinstance(item, Mark):
                yield from _mark(item, base)
                continue
            yield Span(base + item.start, base + item.data_at, id_of(item))
            if item.data_at < item.end:
                yield Span(base + item.data_at, base + item.end, _shown(item), depth=1)
    except DecodeError:
        return


def _mark(mark: Mark, base: int) -> Iterator[Span]:
    if not mark.is_manufacturers:
        yield Span(base + mark.start, base + mark.end, "filler")
        return
    more = "; another telegram follows" if mark.more else ""
    yield Span(base + mark.start, base + mark.start + 1, f"the maker's own data{more}")
    if mark.end > mark.start + 1:
        yield Span(base + mark.start + 1, base + mark.end, "known to the maker only", known=False, depth=1)


def about_of(who: Identity | None) -> About:
    """Give what a header says of the meter."""
    return About() if who is None else About(who.number, who.manufacturer or None, None, who.medium_name)


def id_of(record: Record) -> str:
    """Name a record: function, quantity, modifiers, storage, tariff, subunit, as far as they are not the usual ones."""
    words = [record.quantity] if record.function == "instantaneous" else [record.function, record.quantity]
    places = (("storage", record.storage), ("tariff", record.tariff), ("subunit", record.subunit))
    return " ".join([*words, *record.modifiers, *(f"{name} {number}" for name, number in places if number)])


def values_of(records: Records) -> tuple[Value, ...]:
    """Give all values of a telegram as programs see them; those inside profiles follow, each with its own time."""
    plainly = [Value(id_of(record), plain(record.value), record.unit) for record in records.records]
    inside = [
        Value(_id_inside(value), plain(value.value), value.record.unit, value.at.isoformat() if value.at else None)
        for value in stored(records)
    ]
    return (*plainly, *inside)


def _id_inside(value: Stored) -> str:
    words = tuple(word for word in value.record.modifiers if word not in PROFILES)
    return id_of(replace(value.record, storage=value.storage, modifiers=words))


def plain(value: Content) -> int | float | str | None:
    """Give a record's value as JSON has it."""
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _shown(record: Record) -> str:
    if record.error:
        return f"none: {record.error}"
    value = plain(record.value)
    return "none" if value is None else f"{value} {record.unit or ''}".rstrip()
