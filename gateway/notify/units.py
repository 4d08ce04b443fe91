"""What units people read: our own table, for those of the common libraries are wrong or missing in Arabic.

1. `amount_of` takes a value in the unit an event names, and gives the number as it is written, the count that chooses
   the plural form, and the words around it, not yet translated.
2. Numbers keep Latin digits in every language and at most one decimal: what a message says is read, not calculated.
"""

from dataclasses import dataclass
from decimal import Decimal

from gateway.i18n import N_

FRACTION = 100
"""Counts as this for the plural form: gettext takes whole numbers, and 1.5 goes with "other" as 100 does."""
_NEAR = 5
"""So many times as large at the most is what a value is said in the unit of."""
MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as it is written, the whole number whose plural form fits, and the words; no `many`, no plural."""

    shown: str
    count: int
    one: str
    many: str


@dataclass(frozen=True, slots=True)
class _Scale:
    """From this much on (in the base unit): divide, round to so many decimals, and say it like this."""

    least: Decimal
    divide: Decimal
    decimals: int
    one: str
    many: str = ""


def plural(one: str, many: str) -> tuple[str, str]:
    """Mark a text with a number in it for translation into every plural form, as `N_` marks one without."""
    return one, many


def _scale(least: int, divide: int, decimals: int, one: str, many: str = "") -> _Scale:
    return _Scale(Decimal(least), Decimal(divide), decimals, one, many)


_LITRE = plural("{n} litre", "{n} litres")
_LITRE_AN_HOUR = plural("{n} litre an hour", "{n} litres an hour")
_LITRE_A_MINUTE = plural("{n} litre a minute", "{n} litres a minute")
_TIME = (
    _scale(2 * DAY, DAY, 0, *plural("{n} day", "{n} days")),
    _scale(2 * HOUR, HOUR, 0, *plural("{n} hour", "{n} hours")),
    _scale(2 * MINUTE, MINUTE, 0, *plural("{n} minute", "{n} minutes")),
    _scale(0, 1, 0, *plural("{n} second", "{n} seconds")),
)

SCALES: dict[str, tuple[_Scale, ...]] = {
    "A": (_scale(0, 1, 1, N_("{n} A")),),
    "V": (_scale(0, 1, 0, N_("{n} V")),),
    "W": (_scale(1000, 1000, 1, N_("{n} kW")), _scale(0, 1, 0, N_("{n} W"))),
    "Wh": (_scale(0, 1000, 1, N_("{n} kWh")),),
    "l": (_scale(1000, 1000, 1, N_("{n} m³")), _scale(10, 1, 0, *_LITRE), _scale(0, 1, 1, *_LITRE)),
    "l/h": (
        _scale(1000, 1000, 1, N_("{n} m³ an hour")), _scale(10, 1, 0, *_LITRE_AN_HOUR),
        _scale(0, 1, 1, *_LITRE_AN_HOUR),
    ),
    "l/min": (_scale(10, 1, 0, *_LITRE_A_MINUTE), _scale(0, 1, 1, *_LITRE_A_MINUTE)),
    "s": _TIME,
    "times": (_scale(0, 1, 0, *plural("once", "{n} times")),),
    "%": (_scale(0, 1, 0, N_("{n} %")),),
}  # fmt: skip
"""By the unit an event names: the scales from the largest down."""

_SPELT = {"a": "A", "v": "V", "w": "W", "wh": "Wh", "lh": "l/h", "min": "s", "h": "s", "ms": "s"}
_SECONDS = {"min": Decimal(60), "h": Decimal(3600), "ms": Decimal("0.001")}


def amount_of(value: Decimal | float, unit: str, beside: float = 0) -> Amount | None:
    """Say a value in a base unit as people do; None for a unit this table does not know.

    Of two values that stand beside each other the larger chooses the scale, unless nothing would be left of this one.
    """
    number = Decimal(str(value)) * _SECONDS.get(unit, Decimal(1))
    scales = SCALES.get(unit) or SCALES.get(_SPELT.get(unit.lower(), ""))
    if scales is None:
        return None
    other = abs(Decimal(str(beside)))
    # A tenth of a larger unit can still be read; time has no tenths.
    size = other if scales is not _TIME and abs(number) < other <= _NEAR * abs(number) else abs(number)
    scale = next((scale for scale in scales if size >= scale.least), scales[-1])
    # Adding nothing turns a rounded -0 into 0.
    rounded = round(number / scale.divide, scale.decimals) + 0
    whole = rounded == rounded.to_integral_value()
    shown = f"{int(rounded) if whole else rounded:,}".replace("-", "\N{MINUS SIGN}")
    return Amount(shown, int(rounded) if whole and rounded >= 0 else FRACTION, scale.one, scale.many)
