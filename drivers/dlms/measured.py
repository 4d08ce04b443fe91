"""What a meter model makes of a meter's values: registers that were read, notifications, rows of a load profile.

1. A value counts with the scaler and unit the wire names; where it names none, with those of its row.
2. A unit of another dimension, and what is no number, is no value, and counted.
3. Values that a notification names by their place alone get their codes from the list of that version and length.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from drivers.contract import Number
from drivers.dlms.data import Data, Tag
from drivers.dlms.entries import Entries, Entry
from drivers.dlms.objects import Descriptor
from drivers.obis import Row
from drivers.units import NO_UNIT, UNITS

_BIGGEST_SCALER = 20
"""Powers of ten that any unit needs; a meter's byte could ask for a number of 128 digits."""

SCALER_AND_UNIT = {3: 3, 4: 3, 5: 4}
"""Which attribute holds scaler and unit, by class: register, extended register, demand register."""


@dataclass(frozen=True, slots=True)
class Register:
    """A row of a model: the attribute that is read, what it means, and the power of ten where the wire names none."""

    target: Descriptor
    row: Row
    scaler: int = 0

    @property
    def scale_target(self) -> Descriptor | None:
        """The attribute with scaler and unit; None for a class that has none."""
        index = SCALER_AND_UNIT.get(self.target.class_id)
        return None if index is None else Descriptor(self.target.class_id, self.target.obis, index)


@dataclass(frozen=True, slots=True)
class Places:
    """A list of values without names: codes by place, None for what is no row. `version` as the meter calls it."""

    version: str | None
    codes: tuple[bytes | None, ...]


@dataclass(slots=True)
class Said:
    """What a meter says; `left_out` counts what was of no use, by reason."""

    values: dict[str, Number] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def take(self, register: Register, value: Data, scale: "Scale") -> None:
        """Take one value, if its quantity has none yet."""
        if register.row.key in self.values or value.tag in (Tag.NULL, Tag.DONT_CARE):
            return
        measured = _measure(register, value, scale)
        if measured is None:
            self.left_out["unusable_value"] += 1
        else:
            self.values[register.row.key] = measured


Scale = tuple[int, int] | None
"""Power of ten and number of the unit, where the wire names them."""


def scale_of(data: Data) -> Scale:
    """Read the attribute with scaler and unit; None for what is none."""
    match [part.content for part in data.elements]:
        case [int(scaler), int(unit)] if abs(scaler) <= _BIGGEST_SCALER:
            return scaler, unit
    return None


def of_entries(registers: Iterable[Register], lists: Iterable[Places], entries: Entries) -> Said:
    """Give what a notification says of the meter."""
    by_code = dict(reversed(list(_coded(lists, entries))))
    said = Said()
    for register in registers:
        entry = by_code.get(register.target.obis)
        if entry is not None:
            scale = None if entry.scaler is None or entry.unit is None else (entry.scaler, entry.unit)
            said.take(register, entry.value, scale)
    return said


def of_answers(registers: Iterable[Register], answers: Mapping[Descriptor, Data]) -> Said:
    """Give what attributes that were read say of the meter."""
    said = Said()
    for register in registers:
        value, scaled_by = answers.get(register.target), register.scale_target
        if value is not None:
            scale = answers.get(scaled_by) if scaled_by else None
            said.take(register, value, None if scale is None else scale_of(scale))
    return said


def _coded(lists: Iterable[Places], entries: Entries) -> Iterable[tuple[bytes, Entry]]:
    named = [(entry.target.obis, entry) for entry in entries.values if entry.target is not None]
    if named:
        return named
    for places in lists:
        if len(places.codes) == len(entries.values) and places.version in (None, entries.version):
            return [(code, entry) for code, entry in zip(places.codes, entries.values, strict=True) if code is not None]
    return []


def _measure(register: Register, value: Data, scale: Scale) -> Number | None:
    number = value.content
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number:  # noqa: PLR0124  NaN
        return None
    if isinstance(number, float) and abs(number) == float("inf"):
        return None
    scaler, unit = scale or (register.scaler, 0)
    exact = Fraction(number) * Fraction(10) ** scaler
    return register.row.measure(exact, None if unit in NO_UNIT else UNITS.get(unit, "unknown"))
