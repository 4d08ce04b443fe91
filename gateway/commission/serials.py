"""The serial numbers that meters had when they were commissioned, kept beside the journal for doctor."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from gateway import durable

FILE = "serials.json"
LIMIT = 1024 * 1024
"""Bytes of the file that are read: 2,000 meters take a fifth of it."""

_SERIALS = TypeAdapter(dict[str, str], config=ConfigDict(defer_build=True))


def remember(folder: Path, serials: Mapping[str, str]) -> None:
    """Add what meters, by their ids, said; a newer commissioning replaces an older one. Raises OSError."""
    known = remembered(folder) | {meter: serial for meter, serial in serials.items() if serial}
    if known:
        durable.replace(folder / FILE, _SERIALS.dump_json(known))
        (folder / FILE).chmod(0o644)  # root may have written it, and doctor reads it as anybody


def remembered(folder: Path) -> dict[str, str]:
    """Give the serial numbers by meter id; none where there is no file, or it is no such file."""
    with suppress(OSError, ValidationError), (folder / FILE).open("rb") as file:
        return _SERIALS.validate_json(file.read(LIMIT))
    return {}
