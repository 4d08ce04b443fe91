# ruff: noqa: INP001  a tool of ./run, not a part of the program
"""Asks whether we may ship what the locks name: `./run audit [--advisories PLACE]`.

1. Every package is pinned by version and hash.
2. No licence of it binds Nabd's own (locks/licences.py says which would).
3. No known weakness, but those that locks/vex.toml says do not concern us. Advisories are a copy of OSV's, fetched
   beforehand by whoever asks: a folder, or the archive that OSV exports for PyPI.
   Without one this is said aloud; nothing is fetched here, so that an audit gives the same answer without a network.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import Distribution
from pathlib import Path

from locks import advisories as osv
from locks.licences import is_refused, licence_of
from locks.lock import FOLDER, LOCKS, Locked, installed, read
from locks.vex import FILE as VEX
from locks.vex import Statement, outdated, statements

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


def audit(
    folder: Path, advisories: Path | None, known: Mapping[str, Distribution], say: Say, judged: Iterable[Statement] = ()
) -> int:
    """Audit all locks of a folder; 0 when they may be shipped, 1 when not. Raises ValueError, OSError."""
    packages = list({one: one for name in LOCKS for one in read(folder / f"{name}.txt")})
    judged = tuple(judged)
    faults = [*refused(packages, known), *outdated(judged, packages)]
    say(f"{len(packages)} packages in {len(LOCKS)} locks, each pinned by version and hash")
    if silent := untold(packages, known):
        say(f"no licence can be told here of: {', '.join(silent)}")
    if advisories is None:
        say(f"NOT looked for known weaknesses: no copy of the OSV advisories (--advisories PLACE or {ADVISORIES})")
    else:
        faults += _weak(packages, advisories, judged, say)
    for fault in faults:
        say(f"fault: {fault}")
    return 1 if faults else 0


def _weak(packages: Iterable[Locked], place: Path, judged: Iterable[Statement], say: Say) -> Iterator[str]:
    """Name the weaknesses that concern us; says those that do not."""
    advisories = list(osv.read(place))
    if not advisories:
        raise ValueError(f"{place} holds no advisories (*.json)")
    say(f"compared with {len(advisories)} advisories")
    for weakness in osv.weaknesses(packages, advisories):
        passing = next((one for one in judged if one.lets_pass and one.is_about(weakness)), None)
        if passing is None:
            yield str(weakness)
        else:
            say(f"{weakness}; {passing.state}: {passing.detail}")


def main() -> int:
    """Say what was found."""
    parser = argparse.ArgumentParser(prog="./run audit", description="Ask whether the locks may be shipped.")
    given = os.environ.get(ADVISORIES)
    parser.add_argument("--advisories", type=Path, metavar="PLACE", default=Path(given) if given else None,
                        help=f"advisories of OSV for PyPI: JSON files in a folder or a zip ({ADVISORIES})")  # fmt: skip
    options = parser.parse_args()
    try:
        judged = statements(VEX.read_text(encoding="utf-8"))
        return audit(FOLDER, options.advisories, installed(), print, judged)
    except (OSError, ValueError) as error:
        print(f"nabd audit: {error}", file=sys.stderr)  # noqa: T201  it talks to people
        return 2


if __name__ == "__main__":
    sys.exit(main())
