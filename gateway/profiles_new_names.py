"""How rows of meter models and analyzed values name the same thing, for drafts of profiles."""

import re
from collections.abc import Mapping
from typing import Any

from drivers.obis import Obis

_FUNCTIONS = ("minimum", "maximum", "error")
_PLACES = ("storage", "tariff", "subunit")
_CHANNEL = re.compile(r"^0-[1-4]:")


def names(row: Mapping[str, Any], value_id: str) -> bool:
    """Tell whether a row of a profile's file is about the value that an analysis names `value_id`."""
    if "field" in row:
        return bool(row["field"] == value_id)
    if "record" in row:
        return _record(row) == value_id
    if row["obis"].startswith("0-n:"):
        return bool(row["obis"] == _CHANNEL.sub("0-n:", value_id))
    mine, said = Obis.parse(row["obis"]), Obis.parse(value_id)
    return mine is not None and said is not None and said.is_named_by(mine)


def row_of(value_id: str, quantity: str, unit: str) -> dict[str, Any]:
    """Make the row of a value that has an OBIS code; F 255 means nothing and is left out."""
    return {"obis": value_id.removesuffix("*255"), "quantity": quantity, "unit": unit}


def key_of(value_id: str, protocol: str) -> dict[str, Any]:
    """Give what a row would say to name a value: its OBIS code, its record, or its field."""
    if protocol == "wmbusmeters":
        return {"field": value_id}
    if protocol not in ("mbus", "wmbus"):
        return {"obis": value_id.removesuffix("*255")}
    words = value_id.split()
    row: dict[str, Any] = {}
    function = words.pop(0) if words[0] in _FUNCTIONS and len(words) > 1 else None
    row["record"] = words.pop(0)
    if function:
        row["function"] = function
    marks = [word for word in words if word not in _PLACES and not word.isdigit()]
    row |= {name: int(words[words.index(name) + 1]) for name in _PLACES if name in words}
    return row | ({"modifiers": marks} if marks else {})


def code_of(text: str) -> str:
    """Make a profile's name of what a meter says of itself: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64].strip("-")


def _record(row: Mapping[str, Any]) -> str:
    """Write a record's row as the analysis names the record."""
    function = row.get("function", "instantaneous")
    words = [row["record"]] if function == "instantaneous" else [function, row["record"]]
    return " ".join([*words, *row.get("modifiers", ()), *(f"{p} {row[p]}" for p in _PLACES if row.get(p))])
