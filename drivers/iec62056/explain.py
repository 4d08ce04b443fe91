"""What the values of an IEC 62056-21 list mean where every meter means the same, and what a list says of its meter."""

import re
from collections.abc import Iterable, Iterator

from drivers.analysis import About, Value
from drivers.iec62056.messages import DataSet, Identification
from drivers.obis import Obis
from drivers.quantities import QUANTITIES, UNITS

_NUMBER = re.compile(r" *([+-]?\d{1,15}(\.\d{1,9})?) *", re.ASCII)
_ELECTRICITY = [
    (code, row)
    for row in QUANTITIES.values()
    if row.commodity == "electricity" and (code := Obis.parse(row.obis)) is not None
]
_IDS = ("0.0.0", "0.0", "C.1", "C.1.0", "1-0:0.0.0", "1-0:0.0.0*255", "0-0:96.1.1", "0-0:96.1.0", "96.1.0")
_MEDIA = {1: "electricity", 6: "heat", 7: "gas", 8: "water", 9: "water"}
_ESCAPE = re.compile(r"\\.")


def values(sets: Iterable[DataSet]) -> Iterator[Value]:
    """Give each value under the address it belongs to; a number where it has a unit or a name of ours, else text."""
    address = ""
    for entry in sets:
        quantity = _quantity(entry) if entry.address else None
        address = entry.address or address
        found = _NUMBER.fullmatch(entry.value) if entry.unit or quantity else None
        if found is None:
            yield Value(address, entry.value, entry.unit)
        else:
            number = float(found[1]) if found[2] else int(found[1])
            yield Value(address, number, entry.unit, quantity=quantity)


def about(said: Identification, sets: Iterable[DataSet]) -> About:
    """Say who the meter is: its maker, its type without escapes, the number it gives itself, and what it measures."""
    by_address = {entry.address: entry.value for entry in sets}
    number = next((by_address[code] for code in _IDS if by_address.get(code)), None)
    return About(number, said.maker.upper(), _ESCAPE.sub("", said.type).strip() or None, _medium(by_address))


def _medium(addresses: Iterable[str]) -> str | None:
    codes = [code for code in map(Obis.parse, addresses) if code is not None]
    media = [_MEDIA[code.a] for code in codes if code.a in _MEDIA]
    plain = {(code.c, code.d) for code in codes if code.a is None}
    if media:
        return media[0]
    if ("6", "8") in plain:
        return "heat"
    return "electricity" if plain & {("1", "8"), ("2", "8"), ("16", "7")} else None


def _quantity(entry: DataSet) -> str | None:
    """Name an electricity meter's value, unless its unit is of another dimension."""
    code = Obis.parse(entry.address)
    if code is None or code.a not in (None, 1):
        return None
    for known, row in _ELECTRICITY:
        if code.is_named_by(known):
            units = {unit.lower() for unit in UNITS[row.unit]}
            return row.name if entry.unit is None or entry.unit.lower() in units else None
    return None
