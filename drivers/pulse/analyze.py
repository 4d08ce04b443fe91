"""What `nabd analyze` makes of an S0PCM's lines; edges of GPIO lines leave no bytes."""

import re
from collections.abc import Iterator, Mapping

from drivers.analysis import About, Frame, Keys, Span, Value
from drivers.contract import DecodeError, Number
from drivers.profiles import Profile
from drivers.pulse.count import Total
from drivers.pulse.s0pcm import LIMIT, Telegram, decode

_LINE = re.compile(rb"[^\r\n]+")


def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]:  # noqa: ARG001  nothing is ciphered
    """Find every line and explain it."""
    return tuple(_frame(data, found.start(), found.end()) for found in _LINE.finditer(data))


def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]:  # noqa: ARG001
    """Give what the meter model makes of the first input of each line."""
    found = []
    for line in _LINE.findall(data):
        try:
            inputs = decode(line).inputs
        except DecodeError:
            continue
        found.append(profile.layout.values(Total(next(iter(inputs.values()))[1]), None))
    return tuple(found)


def _frame(data: bytes, start: int, end: int) -> Frame:
    line = data[start:end]
    if line.startswith(b"/"):
        return Frame(start, end, spans=(Span(start, end, "the module's version"),))
    try:
        telegram = decode(line[:LIMIT])
    except DecodeError as error:
        return Frame(start, end, error.what, spans=(Span(start, end, "no line of an S0PCM", known=False),))
    values = tuple(
        Value(f"M{number} {what}", value, "pulses")
        for number, pair in telegram.inputs.items()
        for what, value in zip(("interval", "total"), pair, strict=True)
    )
    return Frame(start, end, None, About(telegram.module, None, "S0PCM"), values, tuple(_spans(line, start, telegram)))


def _spans(line: bytes, start: int, telegram: Telegram) -> Iterator[Span]:
    first = line.index(b":M")
    yield Span(start, start + first, f"module {telegram.module}, after {telegram.interval} s")
    for found in re.finditer(rb":M(\d):(\d+):(\d+)", line):
        number, pulses, total = (int(part) for part in found.groups())
        yield Span(
            start + found.start(), start + found.end(), f"input {number}: {pulses} pulses, {total} since power-up"
        )
