# ruff: noqa: INP001  a tool of ./run, not a part of the program
"""Reads a lock of hashed requirements: the name, version and hashes of each package."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

FOLDER = Path(__file__).parent
LOCKS = ("edge", "hub", "demo", "dev", "build")
_ENTRY = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock; `hashes` are SHA-256 of its files, for every platform."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Name it as package URLs do."""
        return f"pkg:pypi/{self.name}@{self.version}"


def normal(name: str) -> str:
    """Write a package's name as all spellings of it are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(path: Path) -> list[Locked]:
    """Give the packages of a lock; raises ValueError for an entry that is not pinned by version and hash."""
    return list(_entries(path.read_text(encoding="utf-8")))


def installed() -> dict[str, Distribution]:
    """Give what this environment holds, by normal name."""
    return {normal(found.name): found for found in distributions()}


def _entries(text: str) -> Iterator[Locked]:
    for block in re.split(r"^(?=[^\s#])", text, flags=re.MULTILINE):
        if not block.strip() or block.startswith("#"):
            continue
        entry, hashes = _ENTRY.match(block), tuple(_HASH.findall(block))
        if entry is None or not hashes:
            raise ValueError(f"not pinned by version and hash: {block.splitlines()[0]}")
        yield Locked(normal(entry["name"]), entry["version"], hashes)
