"""Names a Modbus meter's model by what it answers, and says how sure that is. No I/O.

1. Some models carry a code (`[identify]` in their profile). A model whose code the meter shows, and whose values then
   make sense, is sure; models with another code in that place are out.
2. Of the others, the first row is asked alone; models for which it is refused, or makes no sense, are out.
3. The rest is read in full. What fits with more sensible values than any other is likely; several that fit alike are
   something, and all of them are named. Nothing is sure without a code.

The same registers are never asked twice, whichever models want them.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from drivers.contract import Number
from drivers.modbus.codec import Read
from drivers.modbus.layout import Page, Row, compile_page
from drivers.modbus.model import Identify
from drivers.modbus.plan import Wire
from drivers.modbus.plausible import score
from drivers.modbus.table import Table
from drivers.quantities import BY_KEY
from drivers.scan import Confidence

T = TypeVar("T")
Wants = Generator[Read, bytes | None, T]
"""Yields what is to be read of one unit and is sent its bytes, None where the meter refused or kept silent."""

ENOUGH = 3
"""Sensible values a model must show to be likely: one or two fit by chance."""

_FUNCTIONS = {"holding": 3, "input": 4}
_TELLING = ("V", "Hz")
"""Units whose sensible values lie so close together that chance rarely hits them."""


@dataclass(frozen=True)
class Model:
    """A meter model as far as its name is concerned."""

    name: str
    title: str
    table: Table
    identify: Identify | None = None

    @property
    def first(self) -> Row:
        """The row that tells most when it is asked alone: a voltage, a frequency, else the first."""
        rows = [row for row in self.table.rows if isinstance(row, Row)]
        return next((row for row in rows if _unit(row) in _TELLING), rows[0])


@dataclass(frozen=True)
class Named:
    """A meter's name; `models` are all that fit as well as the first, none where no model does."""

    models: tuple[Model, ...]
    confidence: Confidence
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class _Fit:
    model: Model
    good: int
    sample: str


def name(models: Sequence[Model], wire: Wire) -> Wants[Named]:
    """Name one meter; the caller reads what is wanted."""
    known: dict[Read, bytes | None] = {}
    codes = yield from _codes(models, known)
    claimed = [model for model in models if (place := _place(model)) in codes and _claims(model, codes[place])]
    for model in claimed:
        fit = yield from _fit(model, known, wire)
        if fit is not None and len(claimed) == 1:
            return Named((model,), "sure", (_said(model, codes), fit.sample))
    fits: list[_Fit] = []
    for model in _open(models, claimed, codes):
        if (yield from _may_be(model, known)):
            fit = yield from _fit(model, known, wire)
            if fit is not None:
                fits.append(fit)
    return _best(fits)


def _best(fits: Sequence[_Fit]) -> Named:
    if not fits:
        return Named((), "something", ("it answers, but no model we know fits",))
    most = max(fit.good for fit in fits)
    best = [fit for fit in fits if fit.good == most]
    models = tuple(fit.model for fit in best)
    values = f"{most} values make sense, such as {best[0].sample}"
    if len(best) > 1:
        return Named(models, "something", (values, f"{len(best)} models fit alike"))
    if most < ENOUGH:
        return Named(models, "something", (values, "too few to tell"))
    return Named(models, "likely", (values, "no other model we know fits as well"))


# --- codes -----------------------------------------------------------------------------------------------------------

_Place = Read | None


def _place(model: Model) -> _Place:
    if model.identify is None:
        return None
    return Read(_FUNCTIONS[model.identify.table], model.identify.at, 2 if model.identify.type == "u32" else 1)


def _codes(models: Iterable[Model], known: dict[Read, bytes | None]) -> Wants[dict[_Place, int]]:
    """Read every place where a model's code may stand."""
    codes: dict[_Place, int] = {}
    for place in dict.fromkeys(_place(model) for model in models):
        if place is not None and (payload := (yield from _read(place, known))) is not None:
            codes[place] = int.from_bytes(payload, "big")
    return codes


def _claims(model: Model, code: int) -> bool:
    return model.identify is not None and code in model.identify.values


def _open(models: Iterable[Model], claimed: Sequence[Model], codes: Mapping[_Place, int]) -> Iterable[Model]:
    """Leave out whom a code contradicts: its own, or one that another model claims in the same place."""
    taken = {_place(model) for model in claimed}
    for model in models:
        place = _place(model)
        contradicted = place in codes and model.identify is not None and bool(model.identify.values)
        if model in claimed or not (contradicted or place in taken):
            yield model


def _said(model: Model, codes: Mapping[_Place, int]) -> str:
    place = _place(model)
    assert place is not None  # noqa: S101  it claimed a code
    code = codes[place]
    text = code.to_bytes(4, "big")
    shown = f"{text.decode().strip()!r}" if text.isascii() and text.decode().isprintable() else str(code)
    return f"register 0x{place.start:04X} holds its code, {shown}"


# --- values ----------------------------------------------------------------------------------------------------------


def _may_be(model: Model, known: dict[Read, bytes | None]) -> Wants[bool]:
    """Ask for one row alone."""
    row = model.first
    page = compile_page(Read(row.table, row.span.start, len(row.span)), (row,), model.table.order)
    payload = yield from _read(page.read, known)
    return payload is not None and not score(page.decode(payload)).bad


def _fit(model: Model, known: dict[Read, bytes | None], wire: Wire) -> Wants[_Fit | None]:
    """Read the whole model; None when a row of it is refused, makes no sense, or all of them say nothing."""
    values: dict[str, Number] = {}
    for page in model.table.pages(wire):
        part = yield from _page(model, page, known)
        if part is None:
            return None
        values |= part
    found = score(values)
    if found.bad or not found.good:
        return None
    return _Fit(model, found.good, _sample(values))


def _page(model: Model, page: Page, known: dict[Read, bytes | None]) -> Wants[dict[str, Number] | None]:
    """Read a page, in halves where it is refused as a whole; None when one of its rows is refused alone."""
    payload = yield from _read(page.read, known)
    if payload is not None:
        return page.decode(payload)
    values: dict[str, Number] = {}
    for half in model.table.halves(page) or ():
        part = yield from _page(model, half, known)
        if part is None:
            return None
        values |= part
    return values or None


def _read(read: Read, known: dict[Read, bytes | None]) -> Wants[bytes | None]:
    if read not in known:
        whole = next((other for other, payload in known.items() if payload and _within(read, other)), None)
        if whole is not None:
            at = 2 * (read.start - whole.start)
            return (known[whole] or b"")[at : at + 2 * read.count]
        known[read] = yield read
    return known[read]


def _within(read: Read, other: Read) -> bool:
    ends = read.start + read.count <= other.start + other.count
    return read.function == other.function and other.start <= read.start and ends


def _unit(row: Row) -> str:
    known = BY_KEY.get(row.key)
    return known.unit if known else ""


def _sample(values: Mapping[str, Number]) -> str:
    """Show the value that tells most."""
    good = [key for key, value in values.items() if score({key: value}).good]
    key = next((key for key in good if BY_KEY[key].unit in _TELLING), good[0])
    return f"{BY_KEY[key].name} {float(Fraction(values[key])):.6g} {BY_KEY[key].unit}".strip()
