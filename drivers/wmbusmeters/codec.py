"""Lines of JSON as wmbusmeters writes them, one telegram a line: bytes in, telegrams out.

1. A line that is no telegram costs itself only: it is left out and counted.
2. A telegram is an object of plain fields, `id` among them; a field that is a list or an object is not kept.
3. Numbers are exact decimals, never floats, within bounds: `1e999999999` is ten letters, and a gigabyte as an integer.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from drivers.contract import DecodeError

MAX_LINE = 16 * 1024
"""Bytes: the longest of 200 captured telegrams makes a line of 1.5 KB, and those with most history stay below 4 KB."""

MAX_DIGITS = 40
"""Letters of a number: a register has 12 digits, a float written in full has 25."""

MAX_POWER = 20
"""Powers of ten that a number may be away from one: no register holds more."""

HINT = "start wmbusmeters with --format=json"

Field = Decimal | str | bool | None
"""What a field may be."""


@dataclass(frozen=True, slots=True)
class Telegram:
    """What wmbusmeters says of one telegram; `id` is the meter's number in capitals, `fields` has every plain field."""

    id: str
    fields: Mapping[str, Field]

    def text(self, name: str) -> str:
        """Give a field of words; nothing where there is none."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    @property
    def media(self) -> str:
        """What the meter measures, in wmbusmeters' words: `cold water`."""
        return self.text("media")


def decode_line(line: bytes) -> Telegram:
    """Read one line; raises DecodeError."""
    if len(line) > MAX_LINE:
        raise DecodeError("the line is longer than any telegram", HINT)
    try:
        told = json.loads(
            line.decode("utf-8"), parse_float=_number, parse_int=_number, parse_constant=_refuse
        )  # fmt: skip
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are of the first
        raise DecodeError("the line is no JSON", HINT) from error
    number = told.get("id") if isinstance(told, dict) else None
    if not isinstance(number, str) or not number:
        raise DecodeError("the line is no telegram: it names no meter", HINT)
    plain = {name: value for name, value in told.items() if value is None or isinstance(value, Decimal | str | bool)}
    return Telegram(number.upper(), plain)


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= MAX_DIGITS else None
    except InvalidOperation:  # a power of ten with twenty digits
        number = None
    if number is None or abs(number.adjusted()) > MAX_POWER:
        raise ValueError("no number of a meter")
    return number


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


class Lines:
    """Cuts a stream into lines; `counters` are what was left out, by reason."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._buffer = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and give the lines they complete, without their ends; empty ones are none."""
        *whole, rest = (self._buffer + data).split(b"\n")
        lines = [self._kept(line) for line in whole]
        if len(rest) > MAX_LINE:
            self._too_long()
            self._skipping, rest = True, b""
        self._buffer = b"" if self._skipping else rest
        return [line for line in lines if line]

    def _kept(self, line: bytes) -> bytes:
        """Give a whole line, or nothing for the end of one that was too long."""
        if self._skipping:
            self._skipping = False
            return b""
        if len(line) > MAX_LINE:
            self._too_long()
            return b""
        return line.strip()

    def _too_long(self) -> None:
        # Once a line: what follows of it is skipped in silence.
        self.counters["too_long"] += not self._skipping


class Decoder:
    """Finds telegrams in a stream; `counters` are what was left out, by reason."""

    def __init__(self) -> None:
        self._lines = Lines()
        self.counters = self._lines.counters

    def feed(self, data: bytes) -> list[Telegram]:
        """Take the next bytes and give the telegrams they complete; never raises."""
        telegrams = []
        for line in self._lines.feed(data):
            try:
                telegrams.append(decode_line(line))
            except DecodeError:
                self.counters["no_telegram"] += 1
        return telegrams
