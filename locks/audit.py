# ruff: noqa: INP001  a tool of ./run, not a part of the program
"""Asks whether we may ship what the locks name: `./run audit [--advisories FOLDER]`.

1. Every package is pinned by version and hash.
2. No licence of it binds Nabd's own (locks/licences.py says which would).
3. No known weakness: advisories are a folder of OSV files, one JSON a weakness, fetched beforehand by whoever asks.
   Without one this is said aloud; nothing is fetched here, so that an audit gives the same answer without a network.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from locks.licences import is_refused, licence_of
from locks.lock import FOLDER, LOCKS, Locked, installed, normal, read

ADVISORIES = "NABD_ADVISORIES"
Say = Callable[[str], None]


def refused(packages: Iterable[Locked], known: Mapping[str, Distribution]) -> Iterator[str]:
    """Name packages whose licence does not fit."""
    for package in packages:
        licence = licence_of(known[package.name]) if package.name in known else None
        if licence is not None and is_refused(licence):
            yield f"{package.name} {package.version} has the licence {licence}"


def untold(packages: Iterable[Locked], known: Mapping[str, Distribution]) -> list[str]:
    """Name packages whose licence cannot be told here: not for this platform, or their metadata is silent."""
    return sorted(one.name for one in packages if one.name not in known or licence_of(known[one.name]) is None)


def weak(packages: Iterable[Locked], advisories: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Name packages with a known weakness in the version we pin, and the version that mends it."""
    by_name = {package.name: package for package in packages}
    for advisory in advisories:
        if advisory.get("withdrawn"):
            continue
        for affected in advisory.get("affected", []):
            named = affected.get("package", {})
            package = by_name.get(normal(str(named.get("name"))))
            if named.get("ecosystem") == "PyPI" and package and _is_affected(package.version, affected):
                mended = ", ".join(_fixes(affected)) or "no version yet"
                yield f"{package.name} {package.version}: {advisory.get('id')}, mended in {mended}"


def _is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    if version in affected.get("versions", []):
        return True
    ranges = [row for row in affected.get("ranges", []) if row.get("type") == "ECOSYSTEM"]
    return any(_is_within(Version(version), row.get("events", [])) for row in ranges)


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


def _fixes(affected: Mapping[str, Any]) -> list[str]:
    return [event["fixed"] for row in affected.get("ranges", []) for event in row.get("events", []) if "fixed" in event]


def advisories_of(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Read a folder of OSV files; raises ValueError for one that is none."""
    for path in sorted(folder.rglob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"{path} is no advisory")  # noqa: TRY004  what is wrong is the file's content
        yield found


def audit(folder: Path, advisories: Path | None, known: Mapping[str, Distribution], say: Say) -> int:
    """Audit all locks of a folder; 0 when they may be shipped, 1 when not. Raises ValueError, OSError."""
    packages = list({one: one for name in LOCKS for one in read(folder / f"{name}.txt")})
    faults = list(refused(packages, known))
    say(f"{len(packages)} packages in {len(LOCKS)} locks, each pinned by version and hash")
    if silent := untold(packages, known):
        say(f"no licence can be told here of: {', '.join(silent)}")
    if advisories is None:
        say(f"NOT looked for known weaknesses: no folder of OSV advisories (--advisories FOLDER or {ADVISORIES})")
    else:
        read_ = list(advisories_of(advisories))
        if not read_:
            raise ValueError(f"{advisories} holds no advisories (*.json)")
        say(f"compared with {len(read_)} advisories")
        faults += weak(packages, read_)
    for fault in faults:
        say(f"fault: {fault}")
    return 1 if faults else 0


def main() -> int:
    """Say what was found."""
    parser = argparse.ArgumentParser(prog="./run audit", description="Ask whether the locks may be shipped.")
    given = os.environ.get(ADVISORIES)
    parser.add_argument("--advisories", type=Path, metavar="FOLDER", default=Path(given) if given else None,
                        help=f"OSV advisories for PyPI, one JSON file each ({ADVISORIES})")  # fmt: skip
    options = parser.parse_args()
    try:
        return audit(FOLDER, options.advisories, installed(), print)
    except (OSError, ValueError) as error:
        print(f"nabd audit: {error}", file=sys.stderr)  # noqa: T201  it talks to people
        return 2


if __name__ == "__main__":
    sys.exit(main())
