"""From bytes to TOML tables: everything that keeps a file from being read is one ConfigError with its line."""

import re
import tomllib
from pathlib import Path
from typing import Any

from gateway.config.errors import ConfigError, Problem

LIMIT = 1024 * 1024
"""Bytes of a file: 2,000 meters with every option take half of it."""
COPY = "copy the example of that name from config/"
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TWICE = re.compile(r"^Cannot declare \(.*\) twice$")
_BARE = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=\s*[^\s\"'\[{]")


def read(path: Path) -> str:
    """Read a configuration file as text; raises ConfigError."""
    try:
        if path.is_dir():
            raise _error(path, None, "is a folder", "name the file in it, such as edge.toml")
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except FileNotFoundError:
        raise _error(path, None, "is not there", f"{COPY}, or name one with -c") from None
    except PermissionError:
        raise _error(path, None, "may not be read", "run with sudo, or as the user nabd runs as") from None
    except (OSError, ValueError) as error:
        raise _error(path, None, f"cannot be read: {error}", "look at the disk and the name") from None
    return _text(path, data)


def _text(path: Path, data: bytes) -> str:
    if not data.strip():
        raise _error(path, None, "is empty", f"{COPY}, or a backup")
    if len(data) > LIMIT:
        raise _error(path, None, "is larger than 1 MiB", "this is not a configuration of nabd")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _error(path, 1, "is UTF-16", "save it as UTF-8")
    if data.startswith(b"\xef\xbb\xbf"):
        raise _error(path, 1, "starts with a byte order mark", "save it as UTF-8 without BOM")
    if (at := data.find(b"\0")) >= 0:
        raise _error(path, _line(data, at), "holds a NUL byte", "the file is damaged: take it from a backup")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _error(path, _line(data, error.start), "is not UTF-8", "save it as UTF-8") from None


def parse(text: str, path: Path) -> dict[str, Any]:
    """Parse TOML; raises ConfigError with line and column."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _error(path, None, "is nested too deeply", "two levels are the most there is") from None
    except ValueError as error:
        raise _syntax(text, path, str(error)) from None


def _syntax(text: str, path: Path, message: str) -> ConfigError:
    match = _WHERE.search(message)
    if match is None:
        return _error(path, None, f"is not TOML: {message}", "a number or a date is out of range")
    # "End of document" is the last line that has anything on it.
    end = text.count("\n") + 1 if text[-1:] != "\n" else text.count("\n")
    line, column = (int(match[1]), f", column {match[2]}") if match[1] else (end, "")
    what = _TWICE.sub("the table stands twice", message[: match.start()])
    return _error(
        path, line, f"is not TOML{column}: {what[:1].lower()}{what[1:]}", _hint(text.split("\n")[line - 1], what)
    )


def _hint(line: str, what: str) -> str:
    if "twice" in what or "overwrite" in what or "mutate" in what:
        return "delete one of the two"
    if what.startswith("Illegal character '\\n'"):
        return "the closing quote of a text is missing"
    if bare := _BARE.match(line):
        # The value itself is not repeated: it may be a password without its quotes.
        return f'text stands in quotes: {bare[1]} = "…"'
    return 'a line is `key = "text"`, `key = 1`, `[table]` or `[[table]]`'


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _error(path: Path, line: int | None, what: str, hint: str) -> ConfigError:
    return ConfigError(Problem(path, line, "", "", what, hint))
