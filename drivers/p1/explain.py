"""What the objects of a P1 telegram mean to people: their values in the wire's own units, and whose they are."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from drivers.analysis import About, Value
from drivers.obis import Obis
from drivers.p1.codec import Object, Telegram, parse_time
from drivers.quantities import QUANTITIES, UNITS

Devices = Mapping[int, int]
"""What hangs on which M-Bus channel: the device type of EN 13757 by channel number."""

_MEDIA = {2: "electricity", 3: "gas", 4: "heat", 7: "water"}
_SUB_METERS = {2: "energy_import", 3: "gas_volume", 4: "heat_energy", 7: "water_volume"}
_BY_CODE = {
    (code.c, code.d, code.e): row.name
    for row in QUANTITIES.values()
    if row.commodity == "electricity" and (code := Obis.parse(row.obis))
}
_DEVICE_TYPE = ("24", "1", 0)
_SUB_METER_CODES = (("24", "2", 1), ("24", "2", 3), ("24", "3", 0))
_IDS = ("0-0:96.1.1", "0-0:42.0.0", "0-0:96.1.0", "1-0:0.0.0*255", "1-0:0.0.0")
_UNITS = {unit.lower() for units in UNITS.values() for unit in units if unit.isascii() and unit}
_POWER_FAILURES = "7"
# Digits of these are names: serial numbers, versions, messages, tariffs.
_TEXTS = ("0", "42", "96")

_NUMBER = re.compile(r"(\d+)(\.\d+)?([A-Za-z]\w*)?", re.ASCII)
_LONGEST_EXACT = 15
_TIME = re.compile(r"\d{12}[SW]?", re.ASCII)
_SHORTEST_OLD_FORM = 3
_LETTERS = 3


def about(telegram: Telegram) -> About:
    """Say who the meter is: letters and model of its identification, the number it gives itself."""
    said = {entry.id: entry.values[0][0] for entry in telegram.objects}
    number = next((said[code] for code in _IDS if said.get(code)), None)
    letters, model = telegram.identification[:_LETTERS], telegram.identification[_LETTERS:]
    return About(
        number and readable(number), letters.upper(), re.sub(r"^\d(\\\d|[\x00-\x1f])?", "", model), "electricity"
    )


def readable(text: str) -> str:
    """Undo the hexadecimal in which meters send texts, where it was one."""
    try:
        decoded = bytes.fromhex(text).decode("ascii")
    except ValueError:
        return text
    return decoded if decoded.isprintable() else text


def devices(objects: tuple[Object, ...]) -> Devices:
    """Find what hangs on the M-Bus channels."""
    found = {}
    for entry in objects:
        code = Obis.parse(entry.id)
        text = entry.values[0][0]
        if code and code.b and (code.c, code.d, code.e) == _DEVICE_TYPE and _is_small_number(text):
            found[code.b] = int(text)
    return found


def _is_small_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LETTERS


def values(entry: Object, sub_meters: Devices) -> Iterator[Value]:
    """Give each value of an object, with the time that stands before it."""
    code = Obis.parse(entry.id)
    quantity = _quantity(code, sub_meters) if code else None
    is_text = code is not None and code.c in _TEXTS and (code.c, code.d) != ("96", _POWER_FAILURES)
    times: list[str] = []
    groups = _groups(entry)
    for place, (text, unit) in enumerate(groups, 1):
        if _iso(text):
            times.append(text)
            continue
        at = _iso(times.pop()) if times else None
        yield from (Value(entry.id, time) for time in times)
        times.clear()
        # Only the last group is what the code names; those before it say when, how often, of what.
        name = quantity if place == len(groups) else None
        yield _value(Value(entry.id, text, unit, at, name), is_text=is_text or _TIME.fullmatch(text) is not None)
    yield from (Value(entry.id, time) for time in times)


def word(value: Value) -> str:
    """Say a value in one line."""
    name = value.quantity.replace("_", " ") if value.quantity else value.id
    number = " ".join(str(part) for part in (value.value, value.unit) if part not in (None, ""))
    return f"{name}: {number or 'nothing'}" + (f" at {value.at}" if value.at else "")


def _groups(entry: Object) -> tuple[tuple[str, str | None], ...]:
    """Give the groups of an object; those in which DSMR 2 and 3 write a sub-meter's time and unit join its value."""
    if len(entry.values) < _SHORTEST_OLD_FORM or entry.values[-2][0].lower() not in _UNITS:
        return entry.values
    time, *rest, (unit, _), (text, _) = entry.values
    return (*rest, time, (text, unit))


def _quantity(code: Obis, sub_meters: Devices) -> str | None:
    parts = (code.c, code.d, code.e)
    if code.a == 1:
        return _BY_CODE.get(parts) if code.f in (None, 255) else None
    return _SUB_METERS.get(sub_meters.get(code.b or 0, -1)) if parts in _SUB_METER_CODES else None


def _value(value: Value, *, is_text: bool) -> Value:
    """Read the number and the unit behind it where the text is one."""
    text = str(value.value)
    found = _NUMBER.fullmatch(text)
    if found is None or (is_text and not value.unit) or len(found[1]) > _LONGEST_EXACT:
        return replace(value, quantity=None)
    number = float(text[: found.end(2)]) if found[2] else int(found[1])
    return replace(value, value=number, unit=value.unit or found[3])


def _iso(text: str) -> str | None:
    time = parse_time(text)
    return time.isoformat() if time else None
