"""Collect what people read from the source, and compile the translations: `./run texts`.

1. every text marked by `N_`, `say` or `plural` in a module or template becomes a message
2. each language's `.po` gains the new ones, empty, and loses those no longer used
3. each `.po` becomes the `.mo` that runs; a message without a translation is an error, and named

Only developers run this: it needs Babel.
"""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
SOURCE = HERE.parent
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
NO_DAY = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for every date, so that the same words always compile to the same bytes."""
CHANGING = tuple(
    f'"{name}'.encode()
    for name in ("Generated", "Language-Team", "Last-Tr", "POT-Creation", "PO-Revision", "Project-Id", "Report-")
)
"""Header lines that change with the day, the tool or the translator, and tell nobody anything."""
KEYWORDS = {"N_": None, "say": None, "plural": (1, 2)}


def collect() -> Catalog:
    """Read every message of the source."""
    found = Catalog(project="nabd", charset="utf-8", fuzzy=False)
    for file, _line, message, _comments, _context in extract_from_dir(SOURCE, METHODS, keywords=KEYWORDS):
        found.add(message, locations=[(str(file), 0)])
    return found


def languages() -> list[str]:
    """List the languages that have a catalogue."""
    return sorted(path.parts[-3] for path in HERE.glob("*/LC_MESSAGES/nabd.po"))


def file_of(language: str, suffix: str) -> Path:
    """Name a language's catalogue, ".po" or ".mo"."""
    return HERE / language / "LC_MESSAGES" / f"nabd{suffix}"


def read(language: str) -> Catalog:
    """Read a language's catalogue as translators write it, dated by no day."""
    with file_of(language, ".po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    catalogue.creation_date = catalogue.revision_date = NO_DAY
    return catalogue


def compiled(catalogue: Catalog) -> bytes:
    """Make the bytes that gettext reads."""
    into = io.BytesIO()
    write_mo(into, catalogue)
    return into.getvalue()


def written(catalogue: Catalog) -> bytes:
    """Make the text that translators read, the same on each machine and day."""
    into = io.BytesIO()
    write_po(into, catalogue, width=120, sort_output=True, ignore_obsolete=True, include_lineno=False)
    return b"\n".join(line for line in into.getvalue().split(b"\n") if not line.startswith(CHANGING))


def untranslated(catalogue: Catalog) -> list[Message]:
    """List messages that lack a form, or that somebody still has to look at."""
    return [message for message in catalogue if message.id and (message.fuzzy or not all(forms(message)))]


def forms(message: Message) -> list[str]:
    """Give every plural form of a translation, or its only one; "" where one is missing."""
    said = message.string
    return [form or "" for form in (said if isinstance(said, (tuple, list)) else [said])]


def main() -> int:
    """Update every language; the exit code is 1 when words are missing."""
    source = collect()
    missing = 0
    for language in languages():
        catalogue = read(language)
        catalogue.update(source, no_fuzzy_matching=True)
        file_of(language, ".po").write_bytes(written(catalogue))
        file_of(language, ".mo").write_bytes(compiled(read(language)))
        for message in untranslated(catalogue):
            missing += 1
            sys.stderr.write(f"{file_of(language, '.po')}: {message.id!r} has no translation yet\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
