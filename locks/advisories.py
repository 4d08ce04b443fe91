# ruff: noqa: INP001  a tool of ./run, not a part of the program
"""Reads advisories in OSV's format, and names those that concern a pinned version.

1. A copy of the advisories is a folder of JSON files, one a weakness, or the zip archive of them that OSV exports.
2. One weakness often has several advisories, each with the others' names among its aliases: they are told as one.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from locks.lock import Locked, normal

Advisory = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Weakness:
    """A known weakness of a version that we pin; `names` are the ids of its advisories and all their aliases."""

    package: Locked
    names: tuple[str, ...]
    mended: tuple[str, ...]

    def __str__(self) -> str:
        """Say it for people: the first of its names, and what mends it."""
        mended = ", ".join(self.mended) or "no version yet"
        return f"{self.package.name} {self.package.version}: {self.names[0]}, mended in {mended}"


def read(place: Path) -> Iterator[Advisory]:
    """Read a folder of OSV files, or an archive of them; raises ValueError for what is none, and OSError."""
    try:
        for name, text in _archived(place) if place.is_file() else _lying(place):
            found = json.loads(text)
            if not isinstance(found, dict) or "id" not in found:
                raise ValueError(f"{name} in {place} is no advisory")
            yield found
    except zipfile.BadZipFile as error:
        raise ValueError(f"{place} is neither a folder nor a zip archive of OSV advisories") from error


def _lying(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*.json")):
        yield path.name, path.read_text(encoding="utf-8")


def _archived(file: Path) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(file) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".json"):
                yield name, archive.read(name).decode()


def weaknesses(packages: Iterable[Locked], advisories: Iterable[Advisory]) -> list[Weakness]:
    """Give the known weaknesses of the versions we pin, each once, by package and name."""
    pinned = list(packages)
    found: list[Weakness] = []
    for advisory in advisories:
        for weakness in _concerned(pinned, advisory):
            told = [one for one in found if one.package == weakness.package and set(one.names) & set(weakness.names)]
            found = [one for one in found if one not in told]
            found.append(_as_one([*told, weakness]))
    return sorted(found, key=lambda one: (one.package.name, one.names))


def _as_one(same: list[Weakness]) -> Weakness:
    names = dict.fromkeys(name for one in same for name in one.names)
    mended = dict.fromkeys(version for one in same for version in one.mended)
    return Weakness(same[0].package, tuple(names), tuple(mended))


def _concerned(pinned: Iterable[Locked], advisory: Advisory) -> Iterator[Weakness]:
    if advisory.get("withdrawn"):
        return
    names = (str(advisory["id"]), *map(str, advisory.get("aliases") or []))
    for affected in advisory.get("affected") or []:
        named = affected.get("package", {})
        if named.get("ecosystem") == "PyPI":
            for package in pinned:
                if package.name == normal(str(named.get("name"))) and _is_affected(package.version, affected):
                    yield Weakness(package, names, tuple(_fixes(affected)))


def _is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    if version in affected.get("versions", []):
        return True
    return any(_is_within(Version(version), row.get("events", [])) for row in _ranges(affected))


def _ranges(affected: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the ranges that speak of versions; others speak of commits."""
    return [row for row in affected.get("ranges") or [] if row.get("type") == "ECOSYSTEM"]


def _is_within(version: Version, events: Iterable[Mapping[str, str]]) -> bool:
    """Follow a range's events in the order of their versions: each turns it on or off from its version on."""
    turns = sorted((_version(at), kind) for event in events for kind, at in event.items())
    inside = False
    for at, kind in turns:
        if kind == "introduced" and at <= version:
            inside = True
        elif (kind == "fixed" and at <= version) or (kind == "last_affected" and at < version):
            inside = False
    return inside


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


def _fixes(affected: Mapping[str, Any]) -> Iterator[str]:
    for row in _ranges(affected):
        yield from (event["fixed"] for event in row.get("events", []) if "fixed" in event)
