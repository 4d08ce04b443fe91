"""Which bytes of an SML file mean what: one span for each mark, each head of a list, each field.

The names of fields stand in tables that are shaped like the messages. A field that nobody named is shown as what it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from drivers.analysis import Span
from drivers.contract import DecodeError
from drivers.crc import x25
from drivers.obis import Obis
from drivers.sml.codec import ESCAPE, MARK, Raw
from drivers.sml.element import DEPTH, LEFT_OUT, LIST, OCTETS, Element, long_head, value_of
from drivers.sml.identity import id_text, letters
from drivers.units import NO_UNIT, UNITS

_LONGEST_SHOWN = 16
_MOST_ZEROS = 3


@dataclass(frozen=True, slots=True)
class Explained:
    """Spans of the bytes as they stand in the data; of the unescaped ones too, where they differ."""

    spans: tuple[Span, ...]
    plain: bytes = b""
    inside: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A field's name, how its value is shown, and which field stands at a place in it, given those before."""

    name: str
    show: Callable[[Any], str] | None = None
    member: Callable[[Sequence[Element]], "Field"] | None = None


def explain(raw: Raw) -> Explained:
    """Explain a file; a damaged one as far as its start mark."""
    start, end = raw.start, raw.start + len(raw.data)
    first = Span(start, start + MARK, "start of a file")
    if raw.error:
        rest = (Span(start + MARK, end, "damaged", known=False),) if end > start + MARK else ()
        return Explained((first, *rest))
    kind = "X.25" if x25(raw.data[:-2]) == int.from_bytes(raw.data[-2:], "little") else "Kermit"
    last = (
        Span(end - MARK, end - 3, "end of the file"),
        Span(end - 3, end - 2, f"bytes of padding: {raw.data[-3]}"),
        Span(end - 2, end, f"checksum CRC-16/{kind}, right"),
    )
    body = raw.body
    if len(body) == len(raw.data) - 2 * MARK:
        return Explained((first, *_messages(body, start + MARK), *last))
    escaped = Span(start + MARK, end - MARK, f"messages, with {ESCAPE.hex().upper()} in them sent twice")
    return Explained((first, escaped, *last), body, _messages(body, 0))


def _messages(body: bytes, base: int) -> tuple[Span, ...]:
    """Explain unescaped messages, which stand at `base`."""
    walk = _Walk(body, base)
    at = 0
    try:
        while at < len(body):
            if body[at]:
                _, at = walk.element(at, MESSAGE, 0)
            else:
                at = walk.zeros(at)
    except (DecodeError, IndexError):
        done = walk.spans[-1].end - base if walk.spans else 0
        walk.add(done, len(body), "not understood", 0, known=False)
    return tuple(walk.spans)


class _Walk:
    """Goes through elements and notes a span for each."""

    def __init__(self, data: bytes, base: int) -> None:
        self.spans: list[Span] = []
        self._data = data
        self._base = base

    def add(self, start: int, end: int, meaning: str, depth: int, *, known: bool = True) -> None:
        self.spans.append(Span(self._base + start, self._base + end, meaning, known, depth))

    def zeros(self, at: int) -> int:
        end = at
        while end < len(self._data) and self._data[end] == 0 and end - at < _MOST_ZEROS:
            end += 1
        self.add(at, end, "padding", 0)
        return end

    def element(self, at: int, field: Field, depth: int) -> tuple[Element, int]:
        kind, size, begin = long_head(self._data, at)
        if kind == LIST:
            return self._list(at, begin, size, field, depth)
        end = at + size
        if self._data[at] == 0 and field is END:
            end, value = begin, None
        elif end > len(self._data) or end <= begin - (kind == OCTETS):
            raise DecodeError("an element of an impossible length")
        else:
            value = None if self._data[at] == LEFT_OUT else value_of(kind, self._data[begin:end])
        meaning = field.name if field is END else f"{field.name}: {_shown(value, field)}"
        self.add(at, end, meaning, depth, known=field is not UNKNOWN)
        return value, end

    def _list(self, at: int, begin: int, size: int, field: Field, depth: int) -> tuple[Element, int]:
        if depth > DEPTH:
            raise DecodeError("too deep")
        self.add(at, begin, f"{field.name}, {size} field{'s' * (size != 1)}", depth, known=field is not UNKNOWN)
        items: list[Element] = []
        at = begin
        for _ in range(size):
            item, at = self.element(at, field.member(items) if field.member else UNKNOWN, depth + 1)
            items.append(item)
        return tuple(items), at


def _shown(value: Element, field: Field) -> str:
    if value is None:
        return "left out"
    try:
        return field.show(value) if field.show else _plainly(value)
    except (TypeError, ValueError):  # of another type than this field should have
        return _plainly(value)


def _plainly(value: Element) -> str:
    if not isinstance(value, bytes):
        return str(value)
    text = letters(value)
    digits = value.hex(" ").upper() if len(value) <= _LONGEST_SHOWN else f"{len(value)} bytes"
    return f'{digits} "{text}"' if text else digits


# --- the shape of messages -------------------------------------------------------------------------------------------

UNKNOWN = Field("unknown")
END = Field("end of the message")


def _named(*fields: Field | str) -> Callable[[Sequence[Element]], Field]:
    """Name the fields of a list in their order."""
    table = tuple(Field(field) if isinstance(field, str) else field for field in fields)
    return lambda before: table[len(before)] if len(before) < len(table) else UNKNOWN


def _hexadecimal(number: int) -> str:
    return f"{number:#010x}"


def _code(code: bytes) -> str:
    text = str(Obis.of_bytes(code))
    return f"{text}, {_OBJECTS[text]}" if text in _OBJECTS else text


def _unit(number: int) -> str:
    return "none" if number in NO_UNIT else UNITS.get(number, f"number {number}")


_OBJECTS = {
    "129-129:199.130.3*255": "maker",
    "129-129:199.130.5*255": "public key",
    "1-0:96.50.1*1": "maker",
    "1-0:96.1.0*255": "meter id",
    "1-0:0.0.9*255": "meter id",
    "1-0:0.0.0*255": "number given by the owner",
    "0-0:96.1.255*255": "number given by the maker",
}
_ID = Field("meter id", id_text)
_TIMES = {1: "seconds of the meter", 2: "unix time", 3: "local time"}


def _time(name: str) -> Field:
    local = Field("local time", None, _named("unix time", "minutes of the zone", "minutes of summer time"))
    kind = Field("kind", lambda number: _TIMES.get(number, str(number)))
    return Field(
        name, None, lambda before: kind if not before else local if before[0] == 3 else Field("time")  # noqa: PLR2004
    )  # fmt: skip


_ENTRY_FIELDS = _named(
    Field("code", _code), Field("status", _hexadecimal), _time("time"), Field("unit", _unit), "power of ten", "value",
    "signature",
)  # fmt: skip
_VALUE_AT, _UNIT_AT, _SCALER_AT = 5, 3, 4


def _entry_member(before: Sequence[Element]) -> Field:
    if len(before) != _VALUE_AT:
        return _ENTRY_FIELDS(before)
    unit, scaler = before[_UNIT_AT], before[_SCALER_AT] or 0

    def show(value: Element) -> str:
        if not isinstance(value, int) or scaler not in range(-128, 128):
            return _plainly(value)
        number = value * 10**scaler if scaler >= 0 else value / 10**-scaler
        return f"{number} {'' if unit in NO_UNIT else _unit(unit)}".rstrip()

    return Field("value", show, _named("kind", "time"))


_ENTRY = Field("entry", None, _entry_member)
_BODIES = {
    0x0101: Field("opens a file", None, _named("code page", "client", "file", _ID, _time("time"), "version")),
    0x0201: Field("closes a file", None, _named("signature")),
    0x0701: Field(
        "lists values",
        None,
        _named(
            "client", _ID, "list", _time("meter's clock"), Field("values", None, lambda _: _ENTRY), "signature",
            _time("gateway's clock"),
        ),
    ),
}  # fmt: skip


def _body_member(before: Sequence[Element]) -> Field:
    return _BODIES.get(before[0], UNKNOWN) if before else Field("kind", lambda kind: f"{kind:#06x}")


MESSAGE = Field(
    "message",
    None,
    _named(
        "transaction", "group", "on error", Field("body", None, _body_member),
        Field("checksum", lambda number: f"{number:#06x}"), END,
    ),
)  # fmt: skip
