"""IEC 62056-21 meter models: how to talk to one, which code is which quantity, and how a list becomes values.

1. A row names an OBIS code, a quantity of the closed list, and the unit that counts where the wire names none.
2. Several rows may give one quantity, where models use several codes; the first row with a value counts.
3. A code followed by several values (a time, then a register) gives the first one that has a unit, else the first.
4. A value is the exact decimal of the wire. Its unit is the wire's; a foreign one is left out and counted.
5. An error register (F.F, F) other than zeros is `measurement_error`; so is a list accepted with a wrong check.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from drivers.contract import Number
from drivers.iec62056.codec import Decoder, by_address
from drivers.iec62056.messages import ETX, STX, Bcc, DataSet, ReadOut, check_character
from drivers.iec62056.session import Ask, Manner, Mode
from drivers.obis import Obis, Row, RowOfFile, compare, compile_rows
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict

# Up to sixteen digits: a float holds them all, in the base unit too.
_NUMBER = re.compile(r" *([+-]?(?:\d{1,12}|\d{1,9}\.\d{1,7})) *", re.ASCII)
_ERROR_REGISTERS = ("F.F", "F.F.0", "F")

SPEED = 300
PUSHED_SPEED = 9600
LENGTH = 4000
"""Characters of a long list, by which the budget of a read-out is reckoned: two minutes and a bit at 300 baud."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled profile. `characters` is how the meter frames them; `budget` the seconds one read-out may take."""

    rows: tuple[Row, ...]
    manner: Manner
    ask: Ask | None
    level: Literal["P1", "P2"]
    characters: str
    budget: float


@dataclass(slots=True)
class Said:
    """What a list says: values by key, flags, and what was of no use, by reason."""

    values: dict[str, Number] = field(default_factory=dict)
    status: tuple[str, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)


def read_list(layout: Layout, read_out: ReadOut) -> Said:
    """Give what a list says in the words of the profile."""
    said = Said()
    groups = by_address(read_out.block.sets)
    codes = [(Obis.parse(address), sets) for address, sets in groups.items()]
    for row in layout.rows:
        sets = next((sets for code, sets in codes if code is not None and code.is_named_by(row.obis)), None)
        if sets is None or row.key in said.values:
            continue
        number = _measure(row, sets)
        if number is None:
            said.left_out["unusable_value"] += 1
        else:
            said.values[row.key] = number
    errors = [sets[0].value for name in _ERROR_REGISTERS if (sets := groups.get(name))]
    if any(error.strip("0 ") for error in errors) or read_out.block.check == "wrong":
        said.status = ("measurement_error",)
    return said


def _measure(row: Row, sets: tuple[DataSet, ...]) -> Number | None:
    """Read the value in the base unit; None when it is no number or its unit is of another dimension."""
    entry = next((entry for entry in sets if entry.unit), sets[0])
    found = _NUMBER.fullmatch(entry.value)
    return None if found is None else row.measure(Fraction(found[1]), entry.unit)


# --- the file --------------------------------------------------------------------------------------------------------


class Example(Strict):
    """A list, framed here as the profile's meter would, and what it says in the rows' own units."""

    telegram: str
    readings: dict[str, float]


class File(ProfileFile):
    """An IEC 62056-21 meter model, and how it wants to be talked to.

    `mode`: auto follows the meter's own offer; A, B and C insist; D is a meter that talks by itself. `speed`: baud of
    the sign-on (300 unless given), or of a talking meter (9600). `stay`: stay at that speed, for meters that offer more
    than they do. `option`: protocol and mode characters of mode C's acknowledgement, 00 for the standard list, 06 for a
    maker's own. `wake_up`: NULs first. `bcc`: what becomes of a list without a right check character. `ask`: read the
    rows one by one in programming mode with this command; `level` is the password's. `characters`: 7E1 by the standard.
    `budget`: seconds for one read-out, reckoned from `LENGTH` and `speed` unless given.
    """

    driver: Literal["iec62056-21"]
    mode: Mode = "auto"
    speed: int | None = Field(None, ge=300, le=115_200)
    stay: bool = False
    wake_up: bool = False
    bcc: Bcc = "required"
    option: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")] = "00"
    ask: Ask | None = None
    level: Literal["P1", "P2"] = "P1"
    characters: Literal["7E1", "8N1"] = "7E1"
    budget: float | None = Field(None, ge=1, le=3600)
    rows: tuple[RowOfFile, ...] = Field(min_length=1)
    examples: tuple[Example, ...] = Field(min_length=1)

    def compile(self) -> Layout:
        """Resolve codes, quantities and units; raises ProfileError."""
        if self.ask and self.mode not in ("auto", "C"):
            raise ProfileError(None, "ask", f"mode {self.mode} has no programming mode", "leave ask or mode out")
        speed = self.speed or (PUSHED_SPEED if self.mode == "D" else SPEED)
        manner = Manner(self.mode, speed, self.stay, self.wake_up, self.bcc, self.option)
        budget = self.budget or LENGTH * 10 / speed
        return Layout(compile_rows(self.rows), manner, self.ask, self.level, self.characters, budget)

    def quantities(self) -> tuple[str, ...]:
        """Name the quantities in the order of the rows, each once."""
        return tuple(dict.fromkeys(row.quantity for row in self.rows))

    def prove(self, profile: Profile) -> None:
        """Decode every example and compare; raises ProfileError."""
        for number, example in enumerate(self.examples):
            place = f"examples.{number}"
            said = read_list(profile.layout, _list_of(example.telegram, place))
            compare(self.rows, example.readings, said.values, place)


def _list_of(text: str, place: str) -> ReadOut:
    """Frame the list of an example and read it; raises ProfileError."""
    head, *lines = text.strip().splitlines()
    body = "\r\n".join([*(line for line in lines if line and line != "!"), "!\r\n"]).encode("latin-1") + ETX
    framed = f"{head}\r\n".encode("latin-1") + STX + body + bytes((check_character(body),))
    found = Decoder().feed(framed)
    if len(found) != 1:
        raise ProfileError(
            None, f"{place}.telegram", "is no list", "`/`, three letters, a speed; then `code(value*unit)`"
        )
    return found[0]
