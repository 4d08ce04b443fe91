"""Finds the line of a key, since tomllib gives values and no places.

1. The text has passed tomllib, so it is walked statement by statement and only what moves us along is understood.
2. A header sets the table; `[[meter]]` for the third time makes it ("meter", 2). A key adds its own parts.
3. A value is skipped whole, whatever lines it covers; what lies inside an array or inline table has its key's line.
"""

import re
from collections import Counter
from collections.abc import Mapping

Key = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_PART = re.compile(r"""[ \t]*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*(\.?)""")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}' r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^\"'\[\]{}#\n]+")


def lines_of(text: str) -> dict[Key, int]:
    """Map every table and key of a valid TOML text to the line (from 1) where it starts."""
    lines: dict[Key, int] = {}
    tables: Counter[Key] = Counter()
    table: Key = ()
    line, seen, at = 1, 0, _skip(_SPACE, text, 0)
    while at < len(text):
        line, seen = line + text.count("\n", seen, at), at
        double = text.startswith("[[", at)
        header = text[at] == "["
        parts, at = _parts(text, at + header + double)
        if header:
            table = _enter(parts, tables, array=double)
            at += 1 + double
        else:
            at = _value(text, at + 1)
        key = table if header else table + parts
        for length in range(1, len(key) + 1):
            lines.setdefault(key[:length], line)
        at = _skip(_SPACE, text, at)
    return lines


def line_of(lines: Mapping[Key, int], key: Key) -> int | None:
    """Give the line of a key, else of the nearest table around it, else None."""
    while key:
        if key in lines:
            return lines[key]
        key = key[:-1]
    return None


def _enter(parts: Key, tables: Counter[Key], *, array: bool) -> Key:
    key: Key = ()
    for number, part in enumerate(parts, 1):
        key += (part,)
        if array and number == len(parts):
            tables[key] += 1
        if tables[key]:
            key += (tables[key] - 1,)
    return key


def _parts(text: str, at: int) -> tuple[Key, int]:
    parts: Key = ()
    while match := _PART.match(text, at):
        parts += (next(group for group in match.group(1, 2, 3) if group is not None),)
        at = match.end()
        if not match[4]:
            break
    return parts, at


def _value(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        char = text[at]
        if char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
        elif char == "\n" and not depth:
            break
        at = _SKIPPED[char](text, at) if char in _SKIPPED else max(at + 1, _skip(_PLAIN, text, at))
    return at


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _string(text: str, at: int) -> int:
    return max(at + 1, _skip(_STRING, text, at))


def _comment(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


_SKIPPED = {'"': _string, "'": _string, "#": _comment}
