"""Words for messages: the nearest right one, and foreign text shown safely."""

import json
from collections.abc import Iterable
from typing import Any

LONGEST = 40
"""Characters of a wrong value that are repeated; enough to recognise it in the file."""


def near(word: str, right: Iterable[str]) -> str:
    """Give the nearest right word, or nothing when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415  only who misspelt a word waits for it

    by_lower = {candidate.lower(): candidate for candidate in right}
    found = get_close_matches(word[:64].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""


def meant(word: str, right: Iterable[str], otherwise: str = "") -> str:
    """Give the hint "did you mean …?", or another where no word is near."""
    found = near(word, right)
    return f'did you mean "{found}"?' if found else otherwise


def shown(value: Any) -> str:
    """Show a value on one line, as TOML would write it."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    plain = value if isinstance(value, str | int | float | bool) else str(value)
    written = printable(json.dumps(plain, ensure_ascii=False))
    return written if len(written) <= LONGEST else written[:LONGEST] + "…"


def printable(line: str) -> str:
    """Replace what a terminal would obey instead of showing: escapes, and marks that turn the line's direction."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
