# ruff: noqa: INP001  a tool of ./run, not a part of the program
"""What licence a package has, and whether it would bind Nabd's own.

1. Metadata names it in one of three ways: an SPDX expression, a short text, classifiers. The first one counts.
2. An expression is read as it is meant: of `A OR B` one may choose, `A AND B` both count.
3. GPL and AGPL would bind whoever ships Nabd, business and server-side licences whoever uses it: they are refused.
   LGPL, MPL and EPL bind only changes of the package itself.
"""

import re
from importlib.metadata import Distribution

REFUSED = re.compile(r"A?GPL|BUSL|SSPL|Elastic|Commons-Clause|PolyForm|CC-BY-NC", re.IGNORECASE)
"""Beginnings of licences that are refused. BSL-1.0 is Boost's, and free; the business one is BUSL."""

_SPDX = {
    "Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0", "MIT License": "MIT",
    "Apache Software License": "Apache-2.0", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0", "ISC License (ISCL)": "ISC",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
}  # fmt: skip
"""Names that people write for licences with one SPDX id."""
_ID = re.compile(r"[A-Za-z0-9.+-]+")
_TOKEN = re.compile(r"[()]|[A-Za-z0-9.+-]+")
_WORDS = ("AND", "OR", "WITH")


def licence_of(found: Distribution) -> str | None:
    """Give a package's licence, as an SPDX expression where that can be told; None when its metadata is silent."""
    meta = found.metadata
    expression, text = (_first(meta.get_all(field)) for field in ("License-Expression", "License"))
    if expression:
        return expression
    if text and "\n" not in text and len(text) < 60:  # noqa: PLR2004  longer ones are the licence's whole text
        return _SPDX.get(text, text)
    names = [row.rpartition(" :: ")[2] for row in meta.get_all("Classifier") or [] if row.startswith("License ::")]
    known = [_SPDX.get(name, name) for name in names if name != "OSI Approved"]
    return " AND ".join(known) or None


def _first(values: list[str] | None) -> str:
    return values[0].strip() if values else ""


def is_spdx(licence: str) -> bool:
    """Tell whether a licence is written as SPDX expressions are; ids of several words are people's own."""
    words = [word for word in _TOKEN.findall(licence) if word not in "()"]
    joined = all((word in _WORDS) == bool(place % 2) for place, word in enumerate(words))
    return joined and bool(words) and (len(words) > 1 or _ID.fullmatch(licence) is not None)


def is_refused(licence: str) -> bool:
    """Tell whether a licence leaves no way that is free of `REFUSED`."""
    if not is_spdx(licence):
        return any(REFUSED.match(word) for word in re.findall(r"[\w-]+", licence)) or "Affero" in licence
    tokens = _TOKEN.findall(licence)
    refused = _any_of(tokens)
    return refused or bool(tokens)  # a bracket too many: not understood is not allowed


def _any_of(tokens: list[str]) -> bool:
    refused = _all_of(tokens)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        refused = _all_of(tokens) and refused
    return refused


def _all_of(tokens: list[str]) -> bool:
    refused = _one(tokens)
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        refused = _one(tokens) or refused
    return refused


def _one(tokens: list[str]) -> bool:
    if not tokens:
        return True
    token = tokens.pop(0)
    if token == "(":  # noqa: S105  a bracket
        refused = _any_of(tokens)
        return tokens.pop(0) != ")" or refused if tokens else True
    if tokens and tokens[0] == "WITH":
        del tokens[:2]
    return REFUSED.match(token) is not None
