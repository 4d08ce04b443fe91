"""Meter models behind wmbusmeters: which field of its JSON is which quantity, and how a telegram becomes values.

1. A row names a field (`total_m3`), a quantity of the closed list and the field's unit.
2. Several rows may give one quantity, where drivers of wmbusmeters name it differently; the first with a number counts.
3. `media` says which meters are meant, in wmbusmeters' words; those of others are left out.
4. Words of a telegram's status become flags where their meaning is plain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from drivers import decimals
from drivers.contract import DecodeError, Number
from drivers.mbus.profile import Said, compare
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict
from drivers.quantities import QUANTITIES, UNITS, scale_of
from drivers.wmbusmeters.codec import Telegram, decode_line

STATUS_FIELDS = ("status", "current_status")

_WORDS: Mapping[str, str] = {
    "leak": "LEAK LEAKAGE LEAKING LEAK_FLOW_LOW LEAK_FLOW_HIGH CONTINUOUS_FLOW",
    "burst": "BURST BURSTING BROKEN_PIPE",
    "backflow": "REVERSE REVERSE_FLOW BACK_FLOW BACKFLOW BACKFLOWING",
    "dry": "DRY",
    "tamper": "TAMPER MANIPULATION SENSOR_FRAUD MECHANICAL_FRAUD SABOTAGE_ENCLOSURE SEAL_BROKEN",
    "battery_low": "BATTERY_LOW LOW_BATTERY LOW_BATTERY_LEVEL BATTERY_EOL POWER_LOW",
    "measurement_error": "PERMANENT_ERROR TEMPORARY_ERROR MEASUREMENT_ERROR SENSOR_ERROR",
}
FLAGS = {word: flag for flag, words in _WORDS.items() for word in words.split()}
"""Words of its JSON that mean the same with every meter; others (`ERROR_FLAGS_800`) are a maker's own, and those of the
past (`PREV_LEAKAGE`, `WAS_TAMPERED`) raise nothing now."""


@dataclass(frozen=True, slots=True)
class Row:
    """A field, the quantity's key, the factor into its base unit, and the least it may be."""

    field: str
    key: str
    scale: Fraction
    least: int | None = None

    def measure(self, telegram: Telegram) -> Number | None:
        """Give the field in base units; None where it is no number, or cannot be the quantity's."""
        number = telegram.fields.get(self.field)
        if not isinstance(number, Decimal) or (self.least is not None and number < self.least):
            return None
        return decimals.number(Fraction(number) * self.scale)


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled profile; no `media` means any."""

    rows: tuple[Row, ...]
    media: frozenset[str] = frozenset()


def read_telegram(layout: Layout, telegram: Telegram) -> Said:
    """Give what a telegram says of the meter; no values when it is of other media, or says nothing of it."""
    if layout.media and telegram.media not in layout.media:
        return Said()
    values: dict[str, Number] = {}
    for row in layout.rows:
        number = None if row.key in values else row.measure(telegram)
        if number is not None:
            values[row.key] = number
    return Said(values, _flags(telegram))


def _flags(telegram: Telegram) -> tuple[str, ...]:
    words = " ".join(telegram.text(field) for field in STATUS_FIELDS).split()
    return tuple(dict.fromkeys(FLAGS[word] for word in words if word in FLAGS))


# --- the file --------------------------------------------------------------------------------------------------------


class RowOfFile(Strict):
    """One row: `{ field = "total_m3", quantity = "water_volume", unit = "m3" }`."""

    field: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,64}$")]
    quantity: str
    unit: str


class Example(Strict):
    """A line of JSON, and what it says in base units."""

    telegram: str
    readings: dict[str, float]
    flags: tuple[str, ...] = ()


class File(ProfileFile):
    """A meter model behind wmbusmeters."""

    driver: Literal["wmbusmeters"]
    media: tuple[str, ...] = ()
    rows: tuple[RowOfFile, ...] = Field(min_length=1)
    examples: tuple[Example, ...] = Field(min_length=1)

    def compile(self) -> Layout:
        """Resolve quantities and units; raises ProfileError."""
        rows = tuple(_compile(row, f"rows.{number}") for number, row in enumerate(self.rows))
        return Layout(rows, frozenset(self.media))

    def quantities(self) -> tuple[str, ...]:
        """Name the quantities in the order of the rows, each once."""
        return tuple(dict.fromkeys(row.quantity for row in self.rows))

    def prove(self, profile: Profile) -> None:
        """Read every example and compare; raises ProfileError."""
        for number, example in enumerate(self.examples):
            place = f"examples.{number}"
            try:
                said = read_telegram(profile.layout, decode_line(example.telegram.encode()))
            except DecodeError as error:
                raise ProfileError(None, f"{place}.telegram", error.what, "give one line of its JSON") from error
            compare(place, said.values, example.readings)
            if said.status != example.flags:
                raise ProfileError(None, f"{place}.flags", f"are {said.status}", "mend the example")


def _compile(row: RowOfFile, place: str) -> Row:
    quantity = QUANTITIES.get(row.quantity)
    if quantity is None:
        raise ProfileError(None, f"{place}.quantity", f"{row.quantity!r} is not in the closed list", "docs: quantities")
    units = UNITS[quantity.unit]
    if row.unit not in units:
        what = f"{row.unit!r} does not fit {row.quantity}"
        raise ProfileError(None, f"{place}.unit", what, f"one of {', '.join(units)}")
    # A register counts from zero; wmbusmeters tells the wire's "no value" as -2147483.648.
    return Row(row.field, quantity.key, scale_of(row.quantity, row.unit), 0 if quantity.kind == "counter" else None)
