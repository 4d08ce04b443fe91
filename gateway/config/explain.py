"""From pydantic's findings to sentences an installer can act on, each with its line.

1. `place_of` says where in the words of the file: `[[meter]] flat-7, profle`.
2. `explain` turns one of pydantic's errors into what is wrong and what to write instead; TEXTS holds the sentences.
3. An unknown key is the likeliest mistake, so it gets the most help: the nearest word, what other programs call it, the
   table where it belongs, and the file a secret should lie in.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic_core import ErrorDetails

from gateway.config.errors import Problem
from gateway.config.locate import Key, line_of, lines_of
from gateway.config.near import meant, near, printable, shown
from gateway.config.table import Table
from gateway.message import ID

TEXTS = {
    "missing": "is missing",
    "extra_forbidden": "is not an option here",
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_long": "stands {actual_length} times, and {max_length} is the most",
    "literal_error": "is {shown}; it can be {expected}",
    "model_type": "must be one table",
    "tuple_type": "must be a list of tables",
    "nabd": "{what}",
}
ELSEWHERE = {
    "broker": "url", "host": "url", "server": "url", "uri": "url", "ip": "url",
    "port": "device", "serial": "device", "tty": "device", "speed": "baud", "baudrate": "baud", "parity": "framing",
    "type": "driver", "protocol": "driver", "model": "profile", "unit": "address", "unit_id": "address",
    "slave": "address", "slave_id": "address", "channel": "address",
    "interval": "every", "period": "every", "poll": "every", "timeout": "deadline", "factor": "ratio", "scale": "ratio",
    "user": "username", "topic": "root", "prefix": "root", "timezone": "zone", "tz": "zone", "lang": "language",
    "retention": "keep", "max_size": "quota", "bind": "listen",
}  # fmt: skip
"""What other programs call our options."""
SECRETS = {"password": "password_file", "passwd": "password_file", "token": "token_file", "key": "key_file"}


@dataclass(frozen=True)
class Source:
    """The file as it was read: its path, its text, its tables and the model they must fit."""

    path: Path
    text: str
    tables: dict[str, Any]
    model: type[Table]

    def problems(self, findings: Iterable[tuple[Key, str, str]]) -> list[Problem]:
        """Give each (key, what, hint) its line and its place, in the order of the file."""
        lines = lines_of(self.text)
        found = [
            Problem(
                self.path, line_of(lines, key), ".".join(map(str, key)), place_of(self.tables, key),
                printable(what), printable(hint),
            )
            for key, what, hint in findings
        ]  # fmt: skip
        return sorted(found, key=lambda problem: problem.line or 0)


def place_of(tables: dict[str, Any], key: Key) -> str:
    """Name a key as the file shows it; one of several tables by its name, where it has a proper one."""
    head, rest = str(key[0]), key[1:]
    content = tables.get(head, {})
    place = head
    if isinstance(content, dict):
        inner = len(rest) > 1 and isinstance(content.get(rest[0]), dict)
        place, rest = (f"[{head}.{rest[0]}]", rest[1:]) if inner else (f"[{head}]", rest)
    elif isinstance(content, list):
        place = f"[[{head}]]"
    if rest and isinstance(rest[0], int) and isinstance(content, list):
        row = content[rest[0]]
        name = row.get("name") if isinstance(row, dict) else None
        proper = isinstance(name, str) and re.fullmatch(ID, name)
        place, rest = f"{place} {name}" if proper else f"{place} number {rest[0] + 1}", rest[1:]
    parts = ".".join(map(str, rest))
    return printable(", ".join(part for part in (place, parts) if part)[:120])


def explain(errors: Iterable[ErrorDetails], source: Source) -> Iterator[tuple[Key, str, str]]:
    """Turn pydantic's errors into (key, what, hint); what a misspelt key was meant to be is not missing besides."""
    slips = [Slip(str(error["loc"][-1]), error, table_at(source.model, error["loc"][:-1]), source) for error in errors]
    meant = {(*slip.key[:-1], word) for slip in slips if slip.kind == "extra_forbidden" and (word := _meant(slip)[0])}
    for slip in slips:
        if slip.kind != "missing" or not any(slip.key[:length] in meant for length in range(1, len(slip.key) + 1)):
            yield slip.key, _what(slip), str(slip.context.get("hint") or HINTS.get(slip.kind, _no_hint)(slip))


@dataclass(frozen=True)
class Slip:
    """One of pydantic's errors: the key's own name, the table it stands in, the file it came from."""

    name: str
    error: ErrorDetails
    table: type[Table]
    source: Source

    @property
    def key(self) -> Key:
        """The path of the key."""
        return self.error["loc"]

    @property
    def kind(self) -> str:
        """Pydantic's name of the mistake."""
        return self.error["type"]

    @property
    def value(self) -> Any:
        """What stands there."""
        return self.error["input"]

    @property
    def context(self) -> dict[str, Any]:
        """What pydantic or a validator of ours adds: limits, or what and hint."""
        return self.error.get("ctx", {})


def _what(slip: Slip) -> str:
    if slip.kind not in TEXTS:
        return slip.error["msg"]
    what = TEXTS[slip.kind].format(shown=shown(slip.value), **slip.context)
    return what.replace("'", '"') if slip.kind == "literal_error" else what


def _no_hint(_: Slip) -> str:
    return ""


def _missing(slip: Slip) -> str:
    return f"{slip.table.model_fields[slip.name].description} Add: {slip.name} = …"


def _unknown(slip: Slip) -> str:
    return _meant(slip)[1]


def _meant(slip: Slip) -> tuple[str, str]:
    """Guess which option of this table was meant, if any, and say it, or where else the option belongs."""
    name, fields = slip.name.lower(), slip.table.model_fields
    if file := SECRETS.get(name):
        home = "" if file in fields else _home(file, slip.source.model)
        place = f" in [{home}]" if home else ""
        return "", f"secrets stay out of this file: {file}{place} is the name of a file that holds it"
    if (ours := ELSEWHERE.get(name, "")) in fields:
        return ours, f'here it is called "{ours}"'
    if home := _home(slip.name, slip.source.model):
        return "", f"it belongs in [{home}]"
    if word := near(slip.name, fields):
        return word, f'did you mean "{word}"?'
    return "", f"the options here are {', '.join(fields)}"


def _home(name: str, model: type[Table]) -> str:
    """Name the single table that has this option."""
    return next((table for table in model.model_fields if name in table_at(model, (table,)).model_fields), "")


def _quoted(slip: Slip) -> str:
    line = line_of(lines_of(slip.source.text), slip.key)
    written = slip.source.text.split("\n")[line - 1] if line else ""
    match = re.fullmatch(rf"\s*{re.escape(slip.name)}\s*=\s*([^\s\"'#\[{{]{{1,40}})\s*(?:#.*)?", written)
    # Beside a *_file the value may be the secret itself.
    value = match[1] if match and not slip.name.endswith("_file") else "…"
    return f'write {slip.name} = "{value}"'


def _bare(slip: Slip) -> str:
    return f"without quotes: {slip.name} = …" if isinstance(slip.value, str) else ""


def _choice(slip: Slip) -> str:
    # An option that may be left out says None beside its words.
    parts = get_args(slip.table.model_fields[slip.name].annotation)
    words = [word for part in parts for word in (get_args(part) or [part]) if isinstance(word, str)]
    return meant(slip.value, words) if isinstance(slip.value, str) else ""


def _single(slip: Slip) -> str:
    return f"write [{slip.name}], with one pair of brackets" if len(slip.key) == 1 else "write a table"


def _several(slip: Slip) -> str:
    return f"write [[{slip.name}]], with two pairs of brackets, above each"


HINTS: dict[str, Callable[[Slip], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "string_type": _quoted,
    "int_type": _bare,
    "float_type": _bare,
    "bool_type": _bare,
    "literal_error": _choice,
    "model_type": _single,
    "tuple_type": _several,
}


def table_at(model: type[Table], key: Key) -> type[Table]:
    """Walk from a document to the table a key leads to; numbers of rows are passed over."""
    for part in key:
        field = model.model_fields.get(str(part)) if isinstance(part, str) else None
        if field is not None:
            model = next(_tables(field.annotation), model)
    return model


def _tables(annotation: Any) -> Iterator[type[Table]]:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for argument in get_args(annotation):
        yield from _tables(argument)
