"""P1 meter models: which OBIS code is which quantity, and how a telegram becomes values.

1. A row names an OBIS code, a quantity of the closed list and the unit the meter's document gives.
2. A row `0-n:24.2.1` belongs to a sub-meter on the P1 port's M-Bus side (gas, water, heat); n is its channel, 1 to 4.
   Where no channel is configured, it is the first of the profile's device type (`0-n:24.1.0`) that has values.
3. Several rows may give one quantity, where generations of meters use several codes; the first row with a value counts.
4. A value is the exact decimal of the wire. Its unit is the wire's; a foreign one is left out and counted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from drivers.contract import DecodeError, Number
from drivers.obis import Row, RowOfFile, compare, compile_rows
from drivers.p1.codec import Telegram, Value, decode, encode, parse_time, parse_timestamp
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict
from drivers.quantities import DECIMALS

CHANNELS = ("1", "2", "3", "4")
CLOCK = "0-0:1.0.0"

# Up to sixteen digits: a float holds them all, in the base unit too.
_NUMBER = re.compile(r"(\d{1,12}|\d{1,8}\.\d{1,7})([A-Za-z]\w*)?", re.ASCII)
_DEVICE_TYPE = re.compile(r"\d{1,3}", re.ASCII)
_CAPTURE_TIME = re.compile(r"\d{12}[SW]?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled profile: each row with its code as the file spells it, the channel an `n`.

    `device_type` is None for the electricity meter itself.
    """

    rows: tuple[tuple[str, Row], ...]
    device_type: int | None

    @property
    def is_sub_meter(self) -> bool:
        """Whether the meter hangs on the P1 meter's M-Bus."""
        return self.device_type is not None


@dataclass(slots=True)
class Said:
    """What a telegram says of one meter.

    `captured_text` is the sub-meter's own time as on the wire, `captured` the same in UTC ms where its zone is known.
    `left_out` counts what was of no use, by reason.
    """

    values: dict[str, Number] = field(default_factory=dict)
    captured_text: str | None = None
    captured: int | None = None
    left_out: Counter[str] = field(default_factory=Counter)


def read_telegram(layout: Layout, telegram: Telegram, address: int | str | None = None) -> Said:
    """Give what the telegram says of the meter; no values when it says nothing of it."""
    # A sixth group other than 255 names a value of the past.
    objects = {entry.id.removesuffix("*255"): entry.values for entry in telegram.objects}
    said = Said()
    for channel in _channels(layout, objects, address):
        said = _read_rows(layout, objects, channel, said.left_out)
        if said.values:
            break
    return said


def _channels(layout: Layout, objects: Mapping[str, tuple[Value, ...]], address: int | str | None) -> Iterable[str]:
    if not layout.is_sub_meter:
        return ("",)
    if address is not None:
        return (str(address),)
    return (channel for channel in CHANNELS if _device_type(objects.get(f"0-{channel}:24.1.0")) == layout.device_type)


def _device_type(values: tuple[Value, ...] | None) -> int | None:
    text = values[0][0] if values else ""
    return int(text) if _DEVICE_TYPE.fullmatch(text) else None


def _read_rows(layout: Layout, objects: Mapping[str, tuple[Value, ...]], channel: str, left_out: Counter[str]) -> Said:
    said = Said(left_out=left_out)
    for code, row in layout.rows:
        values = objects.get(code.replace("n", channel, 1))
        if values is None or row.key in said.values:
            continue
        time = values[0][0] if len(values) > 1 else None
        if time is not None and not _is_capture_time(time):
            # A date the meter cannot have meant marks a value that never came, or a clock that was never set.
            left_out["bad_time"] += 1
            continue
        number = _measure(row, values)
        if number is None:
            left_out["unusable_value"] += 1
            continue
        said.values[row.key] = number
        if time is not None:
            said.captured_text, said.captured = time, parse_timestamp(time)
    return said


def _is_capture_time(text: str) -> bool:
    return _CAPTURE_TIME.fullmatch(text) is not None and parse_time(text) is not None


def _measure(row: Row, values: tuple[Value, ...]) -> Number | None:
    """Read the last group in the base unit; None when it is no number or its unit is of another dimension.

    The unit stands behind `*`, right behind the number (Fluvius), or in the group before (DSMR 2 and 3).
    """
    text, unit = values[-1]
    found = _NUMBER.fullmatch(text)
    if found is None or (unit and found[2]):
        return None
    unit = unit or found[2]
    if unit is None and len(values) > 1 and values[-2][0].lower() in row.scales:
        unit = values[-2][0]
    scale = row.scales.get((unit or row.unit).lower())
    if scale is None:
        return None
    # Row.measure does the same with a Fraction, at five times the cost; telegrams come every second.
    whole, _, part = found[1].partition(".")
    top = int(whole + part) * scale.numerator
    bottom: int = 10 ** len(part) * scale.denominator
    return round(top / bottom, DECIMALS) if top % bottom else top // bottom


# --- the file --------------------------------------------------------------------------------------------------------


class P1Row(RowOfFile):
    """One row: `{ obis = "1-0:1.8.1", quantity = "energy_import_t1", unit = "kWh" }`."""

    obis: Annotated[str, StringConstraints(pattern=r"^(\d-\d|0-n):\d{1,3}\.\d{1,3}\.\d{1,3}$")]


class Example(Strict):
    """A telegram, whose checksum is made here, and what it says in the rows' own units."""

    telegram: str
    readings: dict[str, float]


class File(ProfileFile):
    """A P1 meter model."""

    driver: Literal["p1"]
    device_type: int | None = Field(None, ge=0, le=255)
    rows: tuple[P1Row, ...] = Field(min_length=1)
    examples: tuple[Example, ...] = Field(min_length=1)

    def compile(self) -> Layout:
        """Resolve quantities and units; raises ProfileError."""
        for number, row in enumerate(self.rows):
            if row.obis.startswith("0-n:") != (self.device_type is not None):
                what = f"{row.obis} does not fit device_type {self.device_type}"
                hint = "a sub-meter has a device_type and rows of `0-n:…`, the electricity meter has neither"
                raise ProfileError(None, f"rows.{number}", what, hint)
        codes = [row.obis for row in self.rows]
        # Any channel does: what the code means does not depend on it.
        any_channel = [row.model_copy(update={"obis": row.obis.replace("n", CHANNELS[0])}) for row in self.rows]
        return Layout(tuple(zip(codes, compile_rows(tuple(any_channel)), strict=True)), self.device_type)

    def quantities(self) -> tuple[str, ...]:
        """Name the quantities in the order of the rows, each once."""
        return tuple(dict.fromkeys(row.quantity for row in self.rows))

    def prove(self, profile: Profile) -> None:
        """Decode every example and compare; raises ProfileError."""
        for number, example in enumerate(self.examples):
            place = f"examples.{number}"
            said = read_telegram(profile.layout, _telegram_of(example.telegram, place))
            compare(self.rows, example.readings, said.values, place)


def _telegram_of(text: str, place: str) -> Telegram:
    """Make the telegram of an example anew, with the right checksum; raises ProfileError."""
    head, *lines = text.strip().splitlines()
    data = encode(head.removeprefix("/"), (line for line in lines if line and not line.startswith("!")))
    try:
        return decode(data)
    except DecodeError as error:
        hint = "it starts with `/` and three letters"
        raise ProfileError(None, f"{place}.telegram", "is no P1 telegram", hint) from error
