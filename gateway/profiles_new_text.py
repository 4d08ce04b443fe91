"""A draft of a profile as TOML that people go on writing."""

import json
from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from drivers.analysis import Value
from gateway.profiles_new_names import key_of

if TYPE_CHECKING:
    from gateway.profiles_new import Draft

WIDTH = 96
MOST = 200
"""Comments: a list with the registers of fifteen past months has as many values."""
_LINE = 60


def text_of(made: "Draft") -> str:
    """Write a draft; a file of this text loads."""
    return "\n".join([*_head(made), *_rows(made), *_example(made)]) + "\n"


def _head(made: "Draft") -> Iterator[str]:
    like = f", after the pattern of {made.pattern}" if made.pattern else ""
    yield f"# A draft by `nabd profiles new`{like}."
    yield "# Compare each value of the example with the meter's display, give title and source, then take this out."
    yield from (f"{key:8} = {toml(value)}" for key, value in made.table.items())
    plain = {key: value for key, value in made.manner.items() if not isinstance(value, Mapping)}
    if plain:
        yield ""
        yield from (f"{key} = {toml(value)}" for key, value in plain.items())


def _rows(made: "Draft") -> Iterator[str]:
    yield ""
    if made.rows or not made.block:
        yield "rows = ["
        yield from (f"  {toml(row)}," for row in made.rows)
        yield from _comments(made.unknown, made.table["driver"])
        yield "]"
    else:
        yield from _comments(made.unknown, made.table["driver"])
    if made.block:
        yield "block = ["
        yield from (f"  {toml(rule)}," for rule in made.block)
        yield "]"
    for name, table in made.manner.items():
        if isinstance(table, Mapping):
            yield from ("", f"[{name}]", *(f"{key} = {toml(value)}" for key, value in table.items()))
    for table in made.lists:
        yield from ("", "[[lists]]", *(f"{key} = {toml(value)}" for key, value in table.items()))


def _comments(values: Iterable[Value], protocol: str) -> Iterator[str]:
    """Write what no row names: what has a unit as a row to complete, the rest as it is; each line once."""
    lines = list(dict.fromkeys(f"  # {_comment(value, protocol)}" for value in values))
    if lines:
        yield "  # What else the telegram says; a line becomes a row by its quantity (and its unit, as ours is spelt)."
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield f"  # and {len(lines) - MOST} values more"


def _comment(value: Value, protocol: str) -> str:
    said = f"{_short(value.value)} {_short(value.unit or '')}".strip() + (f" at {_short(value.at)}" if value.at else "")
    if not isinstance(value.value, int | float) or not value.unit or value.id.startswith("#"):
        return f"{_short(value.id)}: {said}"
    unit = {} if protocol in ("mbus", "wmbus") else {"unit": _short(value.unit)}
    return f"{toml(key_of(value.id, protocol) | {'quantity': ''} | unit)},  # {said}"


def _example(made: "Draft") -> Iterator[str]:
    yield ""
    yield "# The telegram that this was made of, with the meter's own number in it."
    yield "[[examples]]"
    for key, text in made.sample.items():
        lines = text.split("\n") if "\n" in text else wrap(text, WIDTH) if _is_digits(text) else [text]
        if len(lines) == 1:
            yield f"{key} = {toml(text)}"
        else:
            yield f'{key} = """'
            yield from (toml(line)[1:-1] for line in lines)
            yield '"""'
    if made.flags:
        yield f"flags = {toml(made.flags)}"
    yield "[examples.readings]"
    yield from (f"{name} = {toml(value)}" for name, value in made.readings.items())


def toml(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(inner) for inner in value) + "]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    # JSON's texts, numbers and booleans are TOML's; only DEL must be escaped besides.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _is_digits(text: str) -> bool:
    return len(text) > WIDTH and set(text) <= set("0123456789ABCDEF")


def _short(value: object) -> str:
    """Show foreign text in a comment: on one line, printable, not endless."""
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value))
    return text if len(text) <= _LINE else text[:_LINE] + "…"
