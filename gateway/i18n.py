"""Words for people, in Arabic and English.

The English text in the source is the message's name; `locale/ar/LC_MESSAGES/nabd.po` holds the Arabic, compiled into
the `.mo` beside it by `./run texts`. Every term follows the glossary, one translation each.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

LANGUAGES = {"en": "English", "ar": "العربية"}
"""Every language Nabd speaks, by its own name."""

RIGHT_TO_LEFT = frozenset({"ar"})

_LOCALE = Path(__file__).parent / "locale"
_HEADER_LIMIT = 256
"""Bytes of an Accept-Language header that are read: browsers send under 100, and nothing after that is ours."""


def N_(text: str) -> str:  # noqa: N802  the name by which gettext's tools find words that are translated later
    """Mark a text for translation where it stands, to be translated where it is shown."""
    return text


@cache
def words(language: str) -> NullTranslations:
    """Give the catalogue of a language of `LANGUAGES`; English, being the source, needs none."""
    if language == "en":
        return NullTranslations()
    with (_LOCALE / language / "LC_MESSAGES" / "nabd.mo").open("rb") as file:
        return GNUTranslations(file)


def direction(language: str) -> str:
    """Say which way a language is written, as HTML's `dir` wants it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def choose(asked: str | None, accepted: str | None, default: str) -> str:
    """Take the language asked for, else the reader's best of `Accept-Language` that we speak, else the default."""
    if asked in LANGUAGES:
        return asked
    wishes: list[tuple[float, str]] = []
    for wish in (accepted or "")[:_HEADER_LIMIT].split(","):
        tag, _, weight = wish.strip().partition(";q=")
        wishes.append((_weight(weight), tag.partition("-")[0].lower()))
    spoken = [wish for wish in wishes if wish[1] in LANGUAGES and wish[0] > 0]
    return max(spoken, key=lambda wish: wish[0])[1] if spoken else default


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
