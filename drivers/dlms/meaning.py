"""What messages say of a meter, for those who look at bytes: values with their names, and the meter itself."""

import math
from decimal import Decimal

from drivers.analysis import About, Value
from drivers.contract import DecodeError
from drivers.dlms import clock
from drivers.dlms.axdr import Bits, Data, Tag
from drivers.dlms.data import shown
from drivers.dlms.entries import Entries, Entry, text_of
from drivers.dlms.objects import Descriptor
from drivers.obis import Obis
from drivers.quantities import QUANTITIES
from drivers.units import NO_UNIT, UNITS

_ELECTRICITY, _VALUE = 1, 2
_QUANTITIES = {row.obis: row.name for row in QUANTITIES.values() if row.obis}

_IDS = ("96.1.0", "0.0.5", "42.0.0")
_MODELS = ("96.1.7", "96.1.1")
_LOGICAL_NAME = "42.0.0"
_MAKER_LETTERS = 3


def values_of(entries: Entries) -> tuple[Value, ...]:
    """Give each value that a notification names, and what stands alone and is no padding."""
    return tuple(value_of(entry) for entry in entries.values if entry.target or entry.value.content is not None)


def value_of(entry: Entry) -> Value:
    """Give one value after its scaler."""
    unit = None if entry.unit in NO_UNIT else UNITS.get(entry.unit or 0, f"unit {entry.unit}")
    if entry.target is None:
        return Value(f"#{entry.place}", plainly(entry.value), unit)
    code = Obis.of_bytes(entry.target.obis)
    if entry.target.index != _VALUE:  # its name once more, or its settings
        return Value(str(code), None, unit)
    return Value(str(code), plainly(entry.value, entry.scaler or 0), unit, None, _quantity(entry.target))


def plainly(data: Data, scaler: int = 0) -> int | float | str | None:
    """Give a value as people read it; None for structures and for what is not there."""
    content = data.content
    if isinstance(content, bool):
        return int(content)
    if isinstance(content, int):
        return _scaled(content, scaler)
    if isinstance(content, float):
        return _number(content, data.tag, scaler)
    if isinstance(content, Bits):
        return shown(data)
    if isinstance(content, bytes | str):
        return _words(data)
    return None


def _scaled(number: int, scaler: int) -> int | float:
    # The decimal's nearest float prints as the decimal.
    return number * 10**scaler if scaler >= 0 else float(Decimal(number).scaleb(scaler))


def _number(number: float, tag: Tag, scaler: int) -> float | None:
    if not math.isfinite(number):
        return None
    exact = Decimal(f"{number:.7g}" if tag is Tag.FLOAT32 else repr(number)).scaleb(scaler)
    return float(exact) if math.isfinite(float(exact)) else None


def _words(data: Data) -> str:
    content = data.content
    if isinstance(content, str):
        return content
    octets = content if isinstance(content, bytes) else b""
    if len(octets) == clock.LENGTH and (at := iso(octets)):
        return at
    return text_of(data) or octets.hex()


def iso(octets: bytes) -> str | None:
    """Give a date-time in ISO 8601, without an offset where the meter gives none; None for what is none."""
    try:
        moment = clock.decode(octets).moment
    except DecodeError:
        return None
    return moment.isoformat() if moment else None


def _quantity(target: Descriptor) -> str | None:
    medium, _, c, d, e, f = target.obis
    return _QUANTITIES.get(f"{c}.{d}.{e}") if medium == _ELECTRICITY and f == 0xFF else None  # noqa: PLR2004


def about_of(entries: Entries, title: bytes | None) -> About:
    """Give what a notification says of its meter; `title` is its system title, if it was heard."""
    texts = {
        ".".join(map(str, entry.target.obis[2:5])): text
        for entry in entries.values
        if entry.target is not None and (text := text_of(entry.value))
    }
    number = next((texts[code] for code in _IDS if code in texts), None)
    model = next((texts[code] for code in _MODELS if code in texts), None)
    return About(number or (title.hex() if title else None), _maker(entries, texts, title), model, "electricity")


def _maker(entries: Entries, texts: dict[str, str], title: bytes | None) -> str | None:
    """Give the maker's letters: of its list's version, of the logical device name, or of the system title."""
    name = entries.version or texts.get(_LOGICAL_NAME, "")[:_MAKER_LETTERS]
    letters = (title or b"")[:_MAKER_LETTERS]
    return name.split("_")[0] or (letters.decode("ascii") if letters.isalpha() and letters.isascii() else None)
