"""What pushed values are called: a notification's body in, named values out.

1. Codes in turn with values: six bytes, a value, and a pair of power of ten and unit where the meter sends one. Makes
   put all into one structure, or each code with its value into one of its own.
2. A push object list: an array that names class, code and attribute of each value, then the values in that order.
3. Values alone: they are named by their place, counted from 1; the first text says which list it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drivers.dlms.axdr import Data, Tag
from drivers.dlms.objects import OBIS_LENGTH, Descriptor

_STRINGS = (Tag.OCTET_STRING, Tag.VISIBLE_STRING, Tag.UTF8_STRING)
_SCALER_AND_UNIT = (Tag.INT8, Tag.ENUM)
_MEDIA = 16
"""The first part of a code has four bits."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value: `place` counts from 1 in its list. `target` is named in full, or by its code alone (class 0).

    The value is `value.content` times ten to the power of `scaler`, in the unit of that number.
    """

    place: int
    value: Data
    target: Descriptor | None = None
    scaler: int | None = None
    unit: int | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """A notification's values; `version` is what the meter calls its list, where it does."""

    values: tuple[Entry, ...]
    version: str | None = None


def entries(body: Data) -> Entries:
    """Name the values of a notification."""
    items = body.elements
    if items and (targets := _object_list(items[0])) and len(targets) == len(items):
        values = tuple(Entry(at, item, target) for at, (item, target) in enumerate(zip(items, targets, strict=True), 1))
        return Entries(values)
    values = tuple(_in_turn(items))
    version = next((text for entry in values[:1] if (text := text_of(entry.value))), None)
    return Entries(values, version)


def text_of(data: Data) -> str | None:
    """Give printable text; None for what is none."""
    if data.tag not in _STRINGS:
        return None
    content = data.content
    text = content.decode("latin-1") if isinstance(content, bytes) else str(content)
    return text if text and text.isascii() and text.isprintable() else None


def _object_list(data: Data) -> tuple[Descriptor, ...]:
    """Read a push object list; nothing for what is none."""
    if data.tag is not Tag.ARRAY or not data.elements:
        return ()
    targets = [_target(item) for item in data.elements]
    return tuple(target for target in targets if target is not None) if None not in targets else ()


def _target(item: Data) -> Descriptor | None:
    """Read an object list's row: class, code, attribute, and which part of it."""
    match [part.content for part in item.elements]:
        case [int(class_id), bytes(code), int(attribute), *_] if len(code) == OBIS_LENGTH:
            return Descriptor(class_id, code, attribute)
    return None


def _is_code(data: Data) -> bool:
    """Tell a code: six bytes, of which the first, the medium, is a small number and no letter."""
    code = data.content
    return isinstance(code, bytes) and data.tag is Tag.OCTET_STRING and len(code) == OBIS_LENGTH and code[0] < _MEDIA


def _in_turn(items: Sequence[Data]) -> Iterator[Entry]:
    """Go through codes, values, and powers of ten with units; a structure with a code in front is gone through too."""
    at = 0
    while at < len(items):
        item, place = items[at], at + 1
        at += 1
        if item.tag is Tag.STRUCTURE and item.elements and _is_code(item.elements[0]):
            yield from (Entry(place, one.value, one.target, one.scaler, one.unit) for one in _in_turn(item.elements))
        elif _is_code(item) and at < len(items):
            scaler, unit = _measure(items[at + 1]) if at + 1 < len(items) else (None, None)
            yield Entry(place, items[at], _named(item), scaler, unit)
            at += 1 if unit is None else 2
        else:
            yield Entry(place, item)


def _named(code: Data) -> Descriptor | None:
    return Descriptor(0, code.content, 2) if isinstance(code.content, bytes) else None


def _measure(data: Data) -> tuple[int | None, int | None]:
    """Give power of ten and unit of a pair that is both; nothing for anything else."""
    if data.tag is not Tag.STRUCTURE or tuple(part.tag for part in data.elements) != _SCALER_AND_UNIT:
        return None, None
    scaler, unit = (part.content for part in data.elements)
    return (scaler, unit) if isinstance(scaler, int) and isinstance(unit, int) else (None, None)
