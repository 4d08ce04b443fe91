"""SML meter models: which OBIS code is which quantity, and how a telegram becomes values.

1. A row names an OBIS code in full (`1-0:1.8.0`), a quantity of the closed list and the unit that counts where the wire
   names none.
2. Several rows may give one quantity, where makes of meters use several codes; the first row with a value counts.
3. A value is the exact decimal of the wire. Its unit is the wire's; one of another dimension is left out and counted.
4. `quirks` names the faults of makes that are mended first (quirks.py).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from pydantic import Field

from drivers.contract import Number
from drivers.obis import Row, RowOfFile, compare, compile_rows
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict
from drivers.sml.codec import Decoder
from drivers.sml.message import Entry, Telegram
from drivers.sml.quirks import QUIRKS, mend
from drivers.units import NO_UNIT, UNITS


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled profile: its rows by the six bytes of their codes, in the profile's order."""

    rows: Mapping[bytes, Row]
    quirks: tuple[str, ...] = ()


@dataclass(slots=True)
class Said:
    """What a telegram says of a meter; `left_out` counts what was of no use, by reason."""

    values: dict[str, Number] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def read_telegram(layout: Layout, telegram: Telegram) -> Said:
    """Give what the telegram says of the meter; no values when it says nothing of it."""
    entries = {entry.code: entry for entry in reversed(mend(telegram, layout.quirks).entries)}
    said = Said()
    for code, row in layout.rows.items():
        entry = entries.get(code)
        if entry is None or row.key in said.values:
            continue
        value = _measure(row, entry)
        if value is None:
            said.left_out["unusable_value"] += 1
        else:
            said.values[row.key] = value
    return said


def exact(entry: Entry) -> int | Fraction | None:
    """Give an entry's number after its scaler; None for what is no number."""
    if not isinstance(entry.value, int) or isinstance(entry.value, bool):
        return None
    if entry.scaler < 0:
        return Fraction(entry.value, 10**-entry.scaler)
    power: int = 10**entry.scaler
    return entry.value * power


def _measure(row: Row, entry: Entry) -> Number | None:
    number = exact(entry)
    unit = None if entry.unit in NO_UNIT else UNITS.get(entry.unit or 0, "unknown")
    return None if number is None else row.measure(number, unit)


# --- the file --------------------------------------------------------------------------------------------------------


class Example(Strict):
    """A whole file as hexadecimal digits, from start mark to checksum, and what it says in the rows' own units."""

    telegram: str
    readings: dict[str, float]


class File(ProfileFile):
    """An SML meter model."""

    driver: Literal["sml"]
    quirks: tuple[str, ...] = ()
    rows: tuple[RowOfFile, ...] = Field(min_length=1)
    examples: tuple[Example, ...] = Field(min_length=1)

    def compile(self) -> Layout:
        """Resolve codes, quantities and units; raises ProfileError."""
        for number, quirk in enumerate(self.quirks):
            if quirk not in QUIRKS:
                raise ProfileError(None, f"quirks.{number}", f"{quirk!r} is unknown", f"one of {', '.join(QUIRKS)}")
        rows = compile_rows(self.rows)
        return Layout({_bytes_of(row, f"rows.{number}"): row for number, row in enumerate(rows)}, self.quirks)

    def quantities(self) -> tuple[str, ...]:
        """Name the quantities in the order of the rows, each once."""
        return tuple(dict.fromkeys(row.quantity for row in self.rows))

    def prove(self, profile: Profile) -> None:
        """Decode every example and compare; raises ProfileError."""
        for number, example in enumerate(self.examples):
            place = f"examples.{number}"
            said = read_telegram(profile.layout, _telegram_of(example.telegram, place))
            compare(self.rows, example.readings, said.values, place)


def _bytes_of(row: Row, place: str) -> bytes:
    """Write a row's code as SML sends it; raises ProfileError for one that leaves a part out."""
    code = row.obis
    try:
        # A part left out is None, which makes bytes() raise as a part beyond 255 does.
        parts: tuple[Any, ...] = (code.a, code.b, int(code.c), int(code.d), code.e, 255 if code.f is None else code.f)
        return bytes(parts)
    except (TypeError, ValueError):
        raise ProfileError(None, place, f"{code} is no code of six bytes", "write it in full: 1-0:1.8.0") from None


def _telegram_of(digits: str, place: str) -> Telegram:
    try:
        telegrams = Decoder().feed(bytes.fromhex(digits))
    except ValueError:
        telegrams = []
    if len(telegrams) != 1:
        raise ProfileError(None, f"{place}.telegram", "is no SML file", "hexadecimal digits from 1B1B1B1B on")
    return telegrams[0]
