"""Who an SML meter says it is: its id in the form that is printed on it, and its maker.

1. An id of ten bytes is a length or a kind (9 or 10), a medium, three letters of the maker, a block and a number:
   `0A 01 44 5A 47 00 03 9E 20 54` is printed as `1 DZG00 6069 4612`. Any other is written byte by byte.
2. Some meters have an older id and name their maker in an entry of its own.
"""

from collections.abc import Iterable

from drivers.sml.message import Entry

_KINDS = (9, 10)
_LENGTH = 10
_MAKER = slice(2, 5)
_ELECTRICITY = 1

IDS = (bytes.fromhex("0100000009FF"), bytes.fromhex("0100600100FF"))
"""Codes of entries that hold the meter's id: 1-0:0.0.9*255 and 1-0:96.1.0*255."""
MAKERS = (bytes.fromhex("8181C78203FF"), bytes.fromhex("010060320101"))
"""Codes of entries that hold the maker's letters: 129-129:199.130.3*255 and 1-0:96.50.1*1."""


def id_text(raw: bytes) -> str:
    """Write a meter's id as it is printed on the meter, or byte by byte."""
    if not _is_printed(raw):
        return "-".join(f"{byte:02X}" for byte in raw)
    number = int.from_bytes(raw[6:], "big")
    return f"{raw[1]:X} {raw[_MAKER].decode('ascii')}{raw[5]:02X} {number // 10_000:04d} {number % 10_000:04d}"


def maker_of(server: bytes, entries: Iterable[Entry]) -> str | None:
    """Name the maker by its letters, from an entry or else from the id; None where neither tells."""
    for entry in entries:
        if entry.code in MAKERS and isinstance(entry.value, bytes) and (text := letters(entry.value)):
            return text
    return server[_MAKER].decode("ascii") if _is_printed(server) else None


def medium_of(server: bytes) -> str | None:
    """Name what the meter measures, where its id tells."""
    return "electricity" if _is_printed(server) and server[1] == _ELECTRICITY else None


def letters(raw: bytes) -> str | None:
    """Read plain printable text; None for anything else."""
    return raw.decode("ascii") if raw and all(0x20 <= byte < 0x7F for byte in raw) else None  # noqa: PLR2004  ASCII


def _is_printed(raw: bytes) -> bool:
    return len(raw) == _LENGTH and raw[0] in _KINDS and raw[_MAKER].isalpha()
