"""The plain form of `nabd analyze`: every byte beside its meaning, in 80 columns.

    frame 1, bytes 0 to 19: modbus, unit 1
      00000000  01                       unit 1
      00000001  04                       read input registers

What was understood is plain, what was not is yellow, what is wrong is red; without colour, `?` and `!` say the same.
Text of a telegram stands as text. Nothing from the wire reaches the terminal but printable characters.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from textwrap import wrap
from typing import Any

from drivers.analysis import Frame, Span
from drivers.quantities import BY_KEY
from gateway.analyze_cmd import Findings

WIDTH = 80
ROW = 8
"""Bytes shown a line."""
ROWS = 4
"""Lines shown of one span; a longer one is cut in its middle."""

_TEXT = re.compile(rb"[\x20-\x7e]+[\r\n]*")
_PRINTABLE = re.compile(rb"[\x20-\x7e\r\n]")
_MOSTLY = 0.9
"""The share of printable bytes that makes a frame one of a text protocol, whose bytes are shown as text."""

_LEFT = 2 + 8 + 2 + 3 * ROW
_RED, _YELLOW, _BOLD, _GREY = "31", "33", "1", "2"


def lines(findings: Findings, *, colour: bool) -> Iterator[str]:
    """Show each frame, what lies between frames, and what the meter model makes of it all."""
    paint = _Paint(colour)
    at = 0
    for number, frame in enumerate(findings.frames, 1):
        yield from _between(findings.data, at, frame.start, paint)
        yield from _frame(findings, number, frame, paint)
        at = frame.end
    yield from _between(findings.data, at, len(findings.data), paint)
    if findings.profile:
        yield from _readings(findings, paint)
    yield from _summary(findings, paint)


def _frame(findings: Findings, number: int, frame: Frame, paint: "_Paint") -> Iterator[str]:
    about = frame.meter
    words = [word for word in (about.manufacturer, about.model, about.id, about.medium) if word]
    head = f"frame {number}, bytes {frame.start} to {frame.end - 1}: {', '.join([findings.protocol, *words])}"
    yield from (paint(_BOLD, line) for line in wrap(_clean(head), WIDTH))
    if frame.error:
        yield from (paint(_RED, line) for line in wrap(f"! {_clean(frame.error)}", WIDTH))
    yield from _bytes(findings.data, frame.start, frame.end, frame.spans, paint)
    if frame.inside:
        yield "deciphered:"
        yield from _bytes(frame.plain, 0, len(frame.plain), frame.inside, paint)
    for value in frame.values:
        shown = "-" if value.value is None else f"{value.value}"
        unit = f" {value.unit}" if value.unit else ""
        when = f"  at {value.at}" if value.at else ""
        yield from wrap(_clean(f"= {value.id}  {shown}{unit}{when}"), WIDTH, subsequent_indent="    ")
    yield ""


def _bytes(data: bytes, start: int, end: int, spans: tuple[Span, ...], paint: "_Paint") -> Iterator[str]:
    """Show the spans of a run of bytes, and as not understood what lies in none of them."""
    as_text = len(_PRINTABLE.findall(data, start, end)) >= _MOSTLY * (end - start)
    at = start
    for span in spans:
        yield from _between(data, at, span.start, paint)
        yield from _span(data, span, paint, as_text=as_text)
        at = max(at, span.end)
    yield from _between(data, at, end, paint)


def _between(data: bytes, start: int, end: int, paint: "_Paint") -> Iterator[str]:
    if start < end:
        yield from _span(data, Span(start, end, "not understood", known=False), paint)


def _span(data: bytes, span: Span, paint: "_Paint", *, as_text: bool = False) -> Iterator[str]:
    mark = "" if span.known else "? "
    meaning = wrap(_clean(mark + span.meaning), WIDTH - _LEFT - 1 - 2 * min(span.depth, 6)) or [""]
    left = list(_left(data, span, as_text=as_text))
    for number in range(max(len(left), len(meaning))):
        bytes_ = left[number] if number < len(left) else ""
        text = "  " * min(span.depth, 6) + meaning[number] if number < len(meaning) else ""
        line = f"{bytes_:{_LEFT}} {text}".rstrip()
        yield line if span.known else paint(_YELLOW, line)


def _left(data: bytes, span: Span, *, as_text: bool) -> Iterator[str]:
    """Give the bytes of a span, as text where they are, cut in the middle when they are many."""
    is_text = as_text and _TEXT.fullmatch(data, span.start, span.end) is not None
    row = 3 * ROW - 2 if is_text else ROW
    # A line's end says nothing.
    end = span.start + len(data[span.start : span.end].rstrip(b"\r\n")) if is_text else span.end
    starts = list(range(span.start, end, row))
    shown = starts if len(starts) <= ROWS else [*starts[: ROWS - 1], starts[-1]]
    for start, after in pairwise([*shown, None]):
        assert start is not None  # noqa: S101  only the last is
        part = data[start : min(start + row, end)]
        said = part.decode("latin-1") if is_text else part.hex(" ")
        yield f"  {start:08x}  {said}"
        if after is not None and after - start > row:
            yield f"  {'':8}  … {after - start - row} bytes"


def _readings(findings: Findings, paint: "_Paint") -> Iterator[str]:
    assert findings.profile is not None  # noqa: S101  the caller looked
    for number, values in enumerate(findings.readings, 1):
        yield paint(_BOLD, f"reading {number} by {findings.profile.name}")
        yield from _quantities(values)
        yield ""
    if not findings.readings:
        yield paint(_RED, f"! {findings.profile.name} finds nothing of its meter in these bytes")


def _quantities(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        quantity = BY_KEY.get(key)
        yield f"  {quantity.name if quantity else key:28} {value!s:>18} {quantity.unit if quantity else ''}".rstrip()


def _summary(findings: Findings, paint: "_Paint") -> Iterator[str]:
    whole = sum(frame.ok for frame in findings.frames)
    known = sum(_known(frame) for frame in findings.frames)
    total = len(findings.data)
    text = f"{whole} of {len(findings.frames)} frames whole; {known} of {total} bytes understood"
    yield paint(_BOLD if whole else _RED, text)
    if not findings.frames:
        yield "another protocol? give --protocol, or a longer recording"


def _known(frame: Frame) -> int:
    return sum(span.end - span.start for span in frame.spans if span.known)


def _clean(text: str) -> str:
    """Leave only what a terminal may show."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


class _Paint:
    """Colours a line, or leaves it as it is."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, code: str, line: str) -> str:
        return f"\x1b[{code}m{line}\x1b[0m" if self._colour and line else line
