"""Tariffs as files: read one from config/tariffs, prove what its tables say, and give the engine's frozen ones.

1. TOML numbers become Decimal while they are parsed, so that 0.1 is 0.1; `tables.py` proves what they say.
2. `load` looks in the folders given, then in the shipped one; the first that has the file wins.
"""

import re
import tomllib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from gateway.tariff.errors import TariffError
from gateway.tariff.model import Tariff
from gateway.tariff.tables import TariffFile

_PACKAGED = Path(__file__).parent / "files"
_CHECKOUT = Path(__file__).parents[2] / "config" / "tariffs"
SHIPPED = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
LARGEST_FILE = 256 * 1024
"""Bytes: a tariff with a rate for every hour of every month takes a fifth of it."""


def load(name: str, folders: Iterable[Path] = ()) -> Tariff:
    """Find and read the tariff called `name`; raises TariffError."""
    if re.fullmatch("[a-z0-9][a-z0-9_-]{0,63}", name):
        for folder in (*folders, SHIPPED):
            if (path := folder / f"{name}.toml").is_file():
                return load_file(path)
    raise TariffError(None, name[:64], "there is no such tariff", f"one of {', '.join(available(folders))}, or a file")


def load_file(path: Path) -> Tariff:
    """Read one tariff; raises TariffError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise TariffError(path, "", "is too large for a tariff", "at most 256 kB")
        table = tomllib.loads(data.decode(), parse_float=Decimal)
    except (ValueError, OSError, ArithmeticError, RecursionError) as error:
        raise TariffError(path, "", str(error), "mend the TOML") from error
    try:
        tariff = TariffFile.model_validate(table).made()
    except ValidationError as error:
        raise _first(path, error) from error
    if tariff.name != path.stem:
        raise TariffError(path, "name", f"is {tariff.name!r}", f"name it {path.stem!r}, like its file")
    return tariff


def _first(path: Path, error: ValidationError) -> TariffError:
    """Name an unknown key before anything else: what is missing may be what it was meant to be."""
    found = min(error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden")
    what = found["msg"].removeprefix("Value error, ")
    return TariffError(path, ".".join(map(str, found["loc"])), what[:1].lower() + what[1:], "docs/reference/tariffs.md")


def available(folders: Iterable[Path] = ()) -> dict[str, Path]:
    """List every tariff by name, the first folder that has it winning."""
    found: dict[str, Path] = {}
    for folder in (*folders, SHIPPED):
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found
