"""OBIS codes in telegrams, and the rows of meter models that name values by them.

1. A code is `A-B:C.D.E*F`; meters leave A-B and F out where they mean nothing (`1.8.0`). F 255 means the same as none.
2. A row names a code, a quantity of the closed list, and the unit that counts where the wire names none.
3. A value's unit is the wire's. One of another dimension is no value.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from pydantic import StringConstraints

from drivers.contract import Number
from drivers.profiles import ProfileError, Strict
from drivers.quantities import DECIMALS, QUANTITIES, UNITS, scale_of

_CODE = re.compile(
    r"(?:(\d{1,3})-(\d{1,3}):)?([0-9A-Z]{1,3})\.([0-9A-Z]{1,3})(?:\.(\d{1,3}))?(?:[*&](\d{1,3}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Obis:
    """A code in its parts; None where the meter left one out. C and D are text, for `F.F` and `C.1.0` exist."""

    a: int | None
    b: int | None
    c: str
    d: str
    e: int | None
    f: int | None

    @classmethod
    def parse(cls, text: str) -> "Obis | None":
        """Take a code apart; None for what is none."""
        found = _CODE.fullmatch(text)
        if found is None:
            return None
        a, b, c, d, e, f = found.groups()
        return cls(_number(a), _number(b), c, d, _number(e), _number(f))

    @classmethod
    def of_bytes(cls, six: bytes) -> "Obis":
        """Make a code of the six bytes in which binary protocols send it; raises ValueError for another length."""
        a, b, c, d, e, f = six
        return cls(a, b, str(c), str(d), e, f)

    def __str__(self) -> str:
        """Write the code as meters do."""
        front = "" if self.a is None else f"{self.a}-{self.b}:"
        tail = "" if self.e is None else f".{self.e}"
        return f"{front}{self.c}.{self.d}{tail}" + ("" if self.f is None else f"*{self.f}")

    def is_named_by(self, row: "Obis") -> bool:
        """Tell whether a row means this code: parts that either side leaves out count as the same, F 255 as left out.

        A row without E means E 0 as well, never another tariff.
        """
        same_medium = self.a is None or row.a is None or (self.a, self.b) == (row.a, row.b)
        same_value = (self.c, self.d, self.e or 0) == (row.c, row.d, row.e or 0)
        return same_medium and same_value and (255 if self.f is None else self.f) == (255 if row.f is None else row.f)


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


# --- rows of a profile -----------------------------------------------------------------------------------------------

Code = Annotated[str, StringConstraints(pattern=_CODE.pattern.join("^$"))]


class RowOfFile(Strict):
    """One row: `{ obis = "1-0:1.8.0", quantity = "energy_import", unit = "kWh" }`."""

    obis: Code
    quantity: str
    unit: str


@dataclass(frozen=True, slots=True)
class Row:
    """What a code means; `scales` holds the factor into the base unit by the wire's unit, in small letters."""

    obis: Obis
    key: str
    unit: str
    scales: Mapping[str, Fraction]

    def measure(self, number: int | Fraction, unit: str | None) -> Number | None:
        """Bring a value of the wire into the base unit; None when its unit is of another dimension."""
        scale = self.scales.get((unit or self.unit).lower())
        if scale is None:
            return None
        exact = Fraction(number) * scale
        return exact.numerator if exact.denominator == 1 else round(float(exact), DECIMALS)


def compile_rows(rows: tuple[RowOfFile, ...]) -> tuple[Row, ...]:
    """Resolve codes, quantities and units; raises ProfileError."""
    compiled = tuple(_compile(row, f"rows.{number}") for number, row in enumerate(rows))
    codes = [row.obis for row in rows]
    for number, code in enumerate(codes):
        if code in codes[:number]:
            raise ProfileError(None, f"rows.{number}", f"{code} stands twice", "keep one of them")
    return compiled


def _compile(row: RowOfFile, place: str) -> Row:
    quantity = QUANTITIES.get(row.quantity)
    if quantity is None:
        raise ProfileError(None, f"{place}.quantity", f"{row.quantity!r} is not in the closed list", "docs: quantities")
    obis = Obis.parse(row.obis)
    units = UNITS[quantity.unit]
    if obis is None or row.unit not in units:
        what = f"{row.unit!r} does not fit {row.quantity}"
        raise ProfileError(None, f"{place}.unit", what, f"one of {', '.join(units)}")
    # Meters spell reactive energy kvarh and kVArh; M-units of what m-units exist of never occur, so folding is safe.
    return Row(obis, quantity.key, row.unit, {unit.lower(): scale_of(row.quantity, unit) for unit in units})


def compare(rows: Iterable[RowOfFile], readings: Mapping[str, float], said: Mapping[str, Number], place: str) -> None:
    """Hold what a telegram said against what an example says, in its rows' own units; raises ProfileError."""
    units = {row.quantity: row.unit for row in reversed(tuple(rows))}
    expected: dict[str, Number] = {}
    for name, value in readings.items():
        if name not in units:
            raise ProfileError(None, f"{place}.readings", f"{name} is in no row", "spell it as its row does")
        in_base_unit = Fraction(str(value)) * scale_of(name, units[name])
        expected[QUANTITIES[name].key] = round(float(in_base_unit), DECIMALS)
    if said != expected:
        differ = sorted(key for key in {*expected, *said} if expected.get(key) != said.get(key))
        got = ", ".join(f"{key} {said.get(key)} instead of {expected.get(key)}" for key in differ)
        raise ProfileError(None, f"{place}.readings", f"base units: {got}", "mend the row or the example")
