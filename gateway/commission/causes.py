"""Why a display and a register differ: every likely cause is tried, and those that explain the display are named.

1. The display shows another register of the same meter: a tariff, a phase, what was fed in, or the sum of tariffs.
2. The register comes out multiplied wrongly: by transformers that nobody configured, or that the meter counts already;
   by a power of ten.
3. The words of a register stand in another order (Modbus; the caller reads the meter in each order).
4. If nothing else fits: counters of pulses, water and gas began elsewhere than their display, which an offset mends.
   Of an electricity meter display and register are one, so it is another meter that answers.

The first is the likeliest. A factor is believed only where the display has digits enough to show it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from drivers.quantities import BY_KEY
from gateway.commission.compare import Window

Kind = Literal[
    "order", "swapped", "register", "tariffs", "counted_twice", "transformer", "factor", "offset", "stranger"
]

PRIMARIES = (
    25, 30, 40, 50, 60, 75, 80, 100, 120, 125, 150, 160, 200, 250, 300, 400, 500, 600, 750, 800, 1000, 1200, 1250, 1500,
    1600, 2000, 2500, 3000, 4000, 5000,
)  # fmt: skip
"""Rated currents in ampere for which current transformers are made; their other side is 5 or 1 A."""

POWERS = tuple(n for n in range(-6, 7) if n)
ENOUGH = Fraction(1, 200)
"""How exactly a display must tell its value for a factor to be more than chance."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the meter's table in the configuration, as TOML writes its value."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Cause:
    """One explanation; `fact` is its number or name, `change` mends it where the configuration can."""

    kind: Kind
    fact: str = ""
    change: Change | None = None


@dataclass(frozen=True)
class Evidence:
    """All that causes are judged by, in base units.

    `display` is where the display's value lies, `raw` where each counter of the meter does, `main` the key of the one
    that should be on the display; `ratio` and `offset` are those configured, `transformer` is what the installer read
    from a transformer's label. `orders` has the main counter as other orders of words would have it. `own_display` says
    that the display shows the very register that is read, as electricity meters do; `counts_pulses` that it never does.
    """

    display: Window
    raw: Mapping[str, Window]
    main: str
    ratio: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    transformer: Fraction | None = None
    counts_pulses: bool = False
    own_display: bool = True
    orders: Mapping[str, Window] = field(default_factory=dict)

    def explained_by(self, window: Window, ratio: Fraction) -> bool:
        """Tell whether a counter, scaled like this, would be what the display shows."""
        return (window * ratio + self.offset).meets(self.display)


def causes(about: Evidence) -> tuple[Cause, ...]:
    """List what would explain the display, the likeliest first; nothing when all is well."""
    main = about.raw.get(about.main)
    if main is not None and about.explained_by(main, about.ratio):
        return ()
    found = [*_orders(about), *_registers(about)]
    if main is not None:
        found += _factors(about, main)
        if about.counts_pulses or not found:
            found.append(_difference(about, main))
        if about.counts_pulses:
            found.sort(key=lambda cause: cause.kind != "offset")
    return tuple(found)


def _orders(about: Evidence) -> Iterable[Cause]:
    for order, window in about.orders.items():
        if about.explained_by(window, about.ratio):
            yield Cause("order", order, Change("order", order))


def _registers(about: Evidence) -> Iterable[Cause]:
    name = BY_KEY[about.main].name
    for key, window in about.raw.items():
        if key == about.main or BY_KEY[key].unit != BY_KEY[about.main].unit or not window.high:
            continue
        if about.explained_by(window, about.ratio):
            yield Cause("swapped" if _mirrored(name) == BY_KEY[key].name else "register", BY_KEY[key].name)
    tariffs = [window for key, window in about.raw.items() if BY_KEY[key].name.startswith(f"{name}_t")]
    if len(tariffs) > 1:
        whole = tariffs[0]
        for window in tariffs[1:]:
            whole += window
        if about.explained_by(whole, about.ratio):
            yield Cause("tariffs", str(len(tariffs)))


def _mirrored(name: str) -> str:
    return name.replace("import", "export") if "import" in name else name.replace("export", "import")


def _factors(about: Evidence, main: Window) -> Iterable[Cause]:
    """Name each factor once, as the likeliest thing it may be."""
    if main.low <= 0 or about.display.low <= 0 or _vague(about.display) or _vague(main):
        return
    wished: dict[Fraction, Kind] = {}
    if about.transformer is not None:
        wished[about.transformer] = "transformer"
    if about.ratio != 1:
        wished.setdefault(Fraction(1), "counted_twice")
    for n in POWERS:
        wished.setdefault(about.ratio * Fraction(10) ** n, "factor")
    if about.ratio == 1:
        for primary in PRIMARIES:
            for secondary in (5, 1):
                wished.setdefault(Fraction(primary, secondary), "transformer")
    for ratio, kind in wished.items():
        if ratio != about.ratio and about.explained_by(main, ratio):
            yield Cause(kind, _number(ratio / about.ratio), Change("ratio", _float(ratio)))


def _vague(window: Window) -> bool:
    return window.high - window.low > ENOUGH * window.high


def _difference(about: Evidence, main: Window) -> Cause:
    """Give what is between display and register, rounded as the display is; only some meters may have it."""
    middle = (about.display.low + about.display.high - (main.low + main.high) * about.ratio) / 2
    step = max(Fraction(1), about.display.high - about.display.low)
    digits = -(len(str(int(step))) - 1)
    value = Fraction(round(middle, digits) if digits else round(middle))
    if about.own_display:
        return Cause("stranger", _number(value))
    return Cause("offset", _number(value), Change("offset", _float(value)))


def _number(value: Fraction) -> str:
    """Write a factor or an amount as people do: no more decimals than it has."""
    return str(int(value)) if value.denominator == 1 else f"{float(value):.9g}"


def _float(value: Fraction) -> str:
    """Write a number as a TOML float."""
    text = _number(value)
    return text if "." in text or "e" in text else f"{text}.0"
