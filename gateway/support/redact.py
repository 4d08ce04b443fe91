"""Takes secrets, names and ids out of text; the same name becomes the same word throughout one bundle.

1. Known secrets become `[secret]`, wherever they stand.
2. Known names become a kind and a keyed hash, such as `name-1f6a09c2`. The key is made for one bundle and forgotten, so
   nobody can try names until one fits, and rows of one bundle can still be matched.
3. What looks like an address, a number of a meter or a key is hidden though nobody told us of it.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Any

SECRET = "[secret]"  # noqa: S105  the word that stands for one
SHORTEST = 2
"""A name of one letter is every such letter, and says nothing."""

_MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*"
_MAC = r"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}"
_IPV6 = r"(?<![\w:])(?=[0-9a-fA-F:]*::[0-9a-fA-F]|(?:[0-9a-fA-F]{1,4}:){4})[0-9a-fA-F:]{3,}"
_IPV4 = r"(?<![\d.])(?!127\.|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
_PHONE = r"\+\d[\d ()-]{6,}\d"
_HEX = r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}[ :]?){8,}(?![0-9A-Za-z])"
_SERIAL = r"(?<![\w.])(?=[\w-]*\d[\w-]*\d[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9][\w-]{6,}(?![\w.])"
_DIGITS = r"(?<![\d.])\d{8,}(?![\d.])"
_MIXED = r"(?<![\w/])(?=[\w+/=-]*[A-Z])(?=[\w+/=-]*[a-z])(?=[\w+/=-]*\d)[\w+/=-]{20,}"
_LOOKS = re.compile(f"{_MAIL}|{_MAC}|{_PHONE}|{_IPV6}|{_IPV4}|{_MIXED}|{_HEX}|{_SERIAL}|{_DIGITS}")
_OURS = re.compile(r"(?:name|host|path|id|text|like)-[0-9a-f]{8}|\d{4}-\d\d-\d\d\w*")
"""Words of ours, and dates, which look like numbers of meters."""


class Redactor:
    """Redacts one bundle."""

    def __init__(
        self,
        key: bytes,
        secrets: Iterable[str] = (),
        names: Iterable[tuple[str, str]] = (),
        harmless: Iterable[str] = (),
    ) -> None:
        """`names` are (kind, name); `harmless` words only look like numbers; `key` is random bytes."""
        self._key, self._harmless = key, frozenset(harmless)
        self._kinds = {name.casefold(): kind for kind, name in names if len(name) >= SHORTEST}
        secrets = {text for text in secrets if len(text) >= SHORTEST}
        self._secrets = _any_of(secrets, "", "", 0)
        self._names = _any_of(self._kinds, r"(?<![^\W_])", r"(?![^\W_])", re.IGNORECASE)

    def word(self, kind: str, text: str) -> str:
        """Give the word that stands for a text."""
        digest = hashlib.blake2b(text.casefold().encode(errors="replace"), key=self._key, digest_size=4)
        return f"{kind}-{digest.hexdigest()}"

    def text(self, text: str) -> str:
        """Redact a text."""
        text = self._secrets.sub(SECRET, text)
        text = self._names.sub(lambda found: self.word(self._kinds[found[0].casefold()], found[0]), text)
        return _LOOKS.sub(lambda found: self._like(found[0]), text)

    def value(self, value: Any) -> Any:
        """Redact what JSON can hold: texts and keys, all the way down; numbers and times stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value

    def _like(self, found: str) -> str:
        return found if found in self._harmless or _OURS.search(found) else self.word("like", found)

    def is_clean(self, text: str) -> bool:
        """Tell whether no known secret and no known name is left in a text."""
        return not self._secrets.search(text) and not self._names.search(text)


def _any_of(texts: Iterable[str], before: str, after: str, flags: int) -> re.Pattern[str]:
    """Match any of some texts, the longest first; one that matches nothing where there is none."""
    found = "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
    return re.compile(f"{before}(?:{found}){after}" if found else r"(?!)", flags)
