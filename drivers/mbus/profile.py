"""M-Bus meter models: which record is which quantity, and how a telegram becomes values.

1. A row names a record by quantity, function, storage, tariff, subunit and what modifies it; all but the quantity have
   the usual values (instantaneous, 0, 0, 0, nothing).
2. Several rows may give one quantity; the first with a value counts. Units come by the wire and are turned into ours.
3. Flags come from the status and from rules of the maker (flags.py).
4. A wireless meter's model has the same rows, so one decoder serves both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from drivers import decimals
from drivers.contract import DecodeError, Number
from drivers.mbus.flags import FlagRule, FlagsOfFile, check_flags, compile_flags, flags_of
from drivers.mbus.frames import decode
from drivers.mbus.records import Function, Record
from drivers.mbus.telegram import Identity, Telegram, decode_telegram
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict
from drivers.quantities import QUANTITIES, UNITS

_OTHER_UNITS: Mapping[str, tuple[str, Fraction]] = {
    "J": ("Wh", Fraction(1, 3600)),
    "cal": ("Wh", Fraction(4184, 3_600_000)),
    "J/h": ("W", Fraction(1, 3600)),
    "m3/min": ("l/h", Fraction(60_000)),
    "m3/s": ("l/h", Fraction(3_600_000)),
    "gal": ("l", Fraction(3_785_411_784, 10**9)),
    "m": ("s", Fraction(60)),
}
"""Units of the wire that the closed list does not name: our base unit, and the factor into it."""

_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Row:
    """A record and what it means."""

    record: str
    function: Function
    storage: int
    tariff: int
    subunit: int
    modifiers: tuple[str, ...]
    key: str
    base: str

    def names(self, record: Record) -> bool:
        """Tell whether this is the record."""
        mine = (self.record, self.function, self.storage, self.tariff, self.subunit, self.modifiers)
        return mine == (
            record.quantity, record.function, record.storage, record.tariff, record.subunit, record.modifiers,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled profile; `media` are those its meters may report, all when empty.

    `reset` is the sub-code of the application reset before each reading, None without one. `rest` are the seconds
    between two readings that a meter's battery was made for.
    """

    rows: tuple[Row, ...]
    media: frozenset[int] = frozenset()
    reset: bytes | None = None
    rest: float = 0.0
    flags: tuple[FlagRule, ...] = ()


@dataclass(slots=True)
class Said:
    """What a telegram says in our quantities, and the flags its status raises."""

    values: dict[str, Number] = field(default_factory=dict)
    status: tuple[str, ...] = ()


def read_telegram(layout: Layout, telegram: Telegram, sender: Identity | None = None) -> Said:
    """Give what a telegram says; records that no row names are left out.

    `sender` is who sent it, where its own header does not name the meter.
    """
    values: dict[str, Number] = {}
    for row in layout.rows:
        if row.key in values:
            continue
        record = next((record for record in telegram.records.records if row.names(record)), None)
        number = _measure(row, record) if record else None
        if number is not None:
            values[row.key] = number
    who = telegram.header.identity or sender
    return Said(values, flags_of(layout.flags, who, telegram.header, telegram.records))


def _measure(row: Row, record: Record) -> Number | None:
    if not isinstance(record.value, (int, Fraction)):
        return None
    unit = record.unit or ""
    scale = UNITS[row.base].get(unit)
    if scale is None:
        base, scale = _OTHER_UNITS.get(unit, ("", Fraction(0)))
        if base != row.base:
            return None
    return decimals.number(Fraction(record.value) * scale)


# --- the file --------------------------------------------------------------------------------------------------------


class RowOfFile(Strict):
    """One row: `{ record = "volume", quantity = "water_volume" }`."""

    record: str
    quantity: str
    function: Function = "instantaneous"
    storage: int = Field(0, ge=0)
    tariff: int = Field(0, ge=0)
    subunit: int = Field(0, ge=0)
    modifiers: tuple[str, ...] = ()


class Example(Strict):
    """A telegram as a long frame in hexadecimal digits, what it says in base units, and which flags it raises."""

    telegram: str
    readings: dict[str, float]
    flags: tuple[str, ...] = ()


class File(ProfileFile):
    """A wired M-Bus meter model."""

    driver: Literal["mbus"]
    media: tuple[int, ...] = ()
    reset: tuple[Annotated[int, Field(ge=0, le=255)], ...] | None = Field(None, max_length=10)
    rest: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}[smh]$")] | None = None
    rows: tuple[RowOfFile, ...] = Field(min_length=1)
    flags: tuple[FlagsOfFile, ...] = ()
    examples: tuple[Example, ...] = Field(min_length=1)

    def compile(self) -> Layout:
        """Resolve quantities; raises ProfileError."""
        reset = None if self.reset is None else bytes(self.reset)
        rest = int(self.rest[:-1]) * _SECONDS[self.rest[-1]] if self.rest else 0
        return Layout(compile_rows(self.rows), frozenset(self.media), reset, rest, compile_flags(self.flags))

    def quantities(self) -> tuple[str, ...]:
        """Name the quantities in the order of the rows, each once."""
        return tuple(dict.fromkeys(row.quantity for row in self.rows))

    def prove(self, profile: Profile) -> None:
        """Decode every example and compare; raises ProfileError."""
        for number, example in enumerate(self.examples):
            place = f"examples.{number}"
            try:
                frame = decode(bytes.fromhex(example.telegram))
                said = read_telegram(profile.layout, decode_telegram(frame.ci, frame.data))
            except (DecodeError, ValueError) as error:
                raise ProfileError(None, f"{place}.telegram", str(error), "give the whole long frame") from error
            compare(place, said.values, example.readings)
            check_flags(place, said.status, example.flags)


def compile_rows(rows: tuple[RowOfFile, ...]) -> tuple[Row, ...]:
    """Resolve the quantities of rows; raises ProfileError."""
    found = []
    for number, row in enumerate(rows):
        quantity = QUANTITIES.get(row.quantity)
        if quantity is None:
            what = f"{row.quantity!r} is not in the closed list"
            raise ProfileError(None, f"rows.{number}.quantity", what, "docs: quantities")
        place = (row.record, row.function, row.storage, row.tariff, row.subunit, row.modifiers)
        found.append(Row(*place, quantity.key, quantity.unit))
    return tuple(found)


def compare(place: str, values: Mapping[str, Number], readings: Mapping[str, float]) -> None:
    """Hold what was read against what an example says; raises ProfileError."""
    for name in readings:
        if name not in QUANTITIES:
            raise ProfileError(None, f"{place}.readings", f"{name} is no quantity", "spell it as its row does")
    expected = {QUANTITIES[name].key: value for name, value in readings.items()}
    if {key: float(value) for key, value in values.items()} != expected:
        raise ProfileError(None, f"{place}.readings", f"base units: {dict(values)}", "mend the row or the example")
