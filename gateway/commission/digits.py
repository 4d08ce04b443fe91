"""What an installer types from a display: digits of Arabic or of the West, a comma or a point, perhaps a unit.

1. Digits of every script that counts in tens become those of the West; the Arabic comma and point likewise.
2. One mark among the digits parts the decimals, whichever it is: displays group nothing, they lead with zeros. Where
   two kinds stand, the last parts the decimals; a mark that stands twice groups.
3. Without a unit it is the one that displays of this kind show: kWh, or m³.
"""

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from drivers.quantities import UNITS
from gateway.commission.errors import Unreadable

LIMIT = 40
"""Characters that are read: a display has at most a dozen digits, and a unit."""

SHOWN: dict[str, str] = {"Wh": "kWh", "varh": "kvarh", "l": "m³"}
"""The unit in which displays show a register, by its base unit."""

_SPELT = {"ك.و.س": "kWh", "كوس": "kWh", "كيلوواط ساعة": "kWh", "م.و.س": "MWh", "م³": "m³", "م3": "m³", "لتر": "l"}
_MARKS = str.maketrans(
    {
        "\N{ARABIC DECIMAL SEPARATOR}": ",", "\N{ARABIC COMMA}": ",", "\N{ARABIC THOUSANDS SEPARATOR}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " ",
    }
)  # fmt: skip
_TYPED = re.compile(r"(?P<digits>[0-9][0-9.,' ]*)(?P<unit>[^0-9]*[^0-9 ]|[^0-9]*m3|م3)?")


@dataclass(frozen=True, slots=True)
class Typed:
    """A display as it was understood: its value and the worth of its last digit in the base unit, and both as shown."""

    value: Fraction
    step: Fraction
    digits: str
    unit: str


def read_display(text: str, base: str) -> Typed:
    """Read what was typed of a register whose base unit is `base`; raises Unreadable."""
    line = western(text[: LIMIT + 1]).strip()
    match = _TYPED.fullmatch(line) if len(line) <= LIMIT else None
    if match is None:
        raise Unreadable(f"{text[:LIMIT]!r} is no number", "type the digits as they stand, such as 01234.5")
    digits = _plain(match["digits"].strip())
    unit = _unit((match["unit"] or "").strip(), base)
    worth = UNITS[base][unit]
    decimals = len(digits.partition(".")[2])
    return Typed(Fraction(digits) * worth, worth / 10**decimals, digits, unit)


def western(text: str) -> str:
    """Give digits and marks of any script as those of the West."""
    return "".join(_digit(char) for char in text.translate(_MARKS) if unicodedata.category(char) != "Cf")


def _digit(char: str) -> str:
    """Give a decimal digit of any script as 0 to 9; what only looks like one, such as a superscript, stays."""
    return str(unicodedata.decimal(char)) if unicodedata.category(char) == "Nd" else char


def _plain(digits: str) -> str:
    """Leave one point at most, before the decimals."""
    digits = digits.replace("'", "").replace(" ", "").rstrip(".,")
    marks = [char for char in digits if char in ".,"]
    if not marks:
        return digits
    last = marks[-1]
    if marks.count(last) > 1:  # it groups thousands
        if len(set(marks)) > 1:
            raise Unreadable(f"{digits!r} has marks that contradict each other", "type the digits without grouping")
        return digits.replace(last, "")
    whole, _, part = digits.rpartition(last)
    return f"{whole.replace('.', '').replace(',', '')}.{part}"


def _unit(text: str, base: str) -> str:
    if not text:
        return SHOWN.get(base, base)
    wished = _SPELT.get(text, text)
    found = next((unit for unit in UNITS[base] if unit.lower() == wished.lower()), None)
    if found is None:
        raise Unreadable(f"{text!r} is no unit of this register", f"one of {', '.join(UNITS[base])}")
    return found
