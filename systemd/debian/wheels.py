# ruff: noqa: INP001  a tool that makes the package, not a part of it
"""Brings the wheels of the package together, and lays them out as one folder that several Pythons share.

1. pip downloads what locks/hub.txt names, by hash, for the board's processor and each Python of `PYTHONS`.
2. Wheels are unpacked over one another. Compiled modules carry their Python's number in their name, so those of all
   Pythons lie side by side; any other file of a package must be the same in all of them.
"""

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from systemd.debian.archive import Entry

MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "armhf": "armv7l"}
"""Debian's name of an architecture, and the one in the names of wheels."""

PYTHONS = ("3.11", "3.13")
"""The python3 of Debian 12 and of Debian 13, and so of Raspberry Pi OS."""

GLIBC = 36
"""The minor version of Debian 12's C library, the oldest that the package meets."""

ABSENT = {"armhf": ("aiocsv", "asyncpg", "cffi", "gpiod")}
"""What has no wheel there: no InfluxDB, PostgreSQL or pulses on the board's own pins; cffi comes from Debian."""

LEFT_OUT = re.compile(r"simulator/|[^/]+\.dist-info/(RECORD|WHEEL|INSTALLER)$|[^/]+\.data/(scripts|headers|data)/")
"""Not for a gateway: simulated meters, and what only pip reads."""


class BuildError(Exception):
    """The package cannot be made; says why and what to do."""


def download(architecture: str, python: str, lock: Path, folder: Path) -> list[Path]:
    """Fetch the wheels that a lock names for one processor and one Python; raises BuildError."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / "wanted.txt"
    wanted.write_text("".join(_needed(lock.read_text(), ABSENT.get(architecture, ()))))
    abi = f"cp{python.replace('.', '')}"
    _pip("download", "--no-deps", "--require-hashes", "-r", str(wanted), "-d", str(folder), "--only-binary=:all:",
         "--python-version", python, "--implementation", "cp", "--abi", abi, "--abi", "abi3", "--abi", "none",
         *(word for tag in _tags(MACHINES[architecture]) for word in ("--platform", tag)))  # fmt: skip
    return sorted(folder.glob("*.whl"))


def own(root: Path, folder: Path) -> Path:
    """Make the wheel of this checkout; raises BuildError."""
    _pip("wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(root))
    return next(folder.glob("nabd-*.whl"))


def layout(wheels: Iterable[Path], into: str) -> list[Entry]:
    """Lay the files of wheels under `into`; raises BuildError where two wheels disagree on a file."""
    laid: dict[str, Entry] = {}
    for wheel in wheels:
        for path, data in _files(wheel):
            entry = Entry(f"{into}/{path}", data)
            if laid.setdefault(entry.path, entry).data != data and ".dist-info/" not in path:
                raise BuildError(f"{wheel.name}: {path} differs from what another wheel brings; pin one that agrees")
    return list(laid.values())


def _files(wheel: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            if not name.endswith("/") and not LEFT_OUT.match(name):
                yield re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", name), packed.read(name)


def _needed(lock: str, absent: Iterable[str]) -> Iterator[str]:
    """Give the lock's entries, each with its lines of hashes, but for those that are absent."""
    for block in re.split(r"^(?=\w)", lock, flags=re.MULTILINE):
        if block.partition("==")[0] not in absent:
            yield block


def _tags(machine: str) -> Iterator[str]:
    for minor in range(GLIBC, 4, -1):
        yield f"manylinux_2_{minor}_{machine}"
    yield f"manylinux2014_{machine}"


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise BuildError("\n".join(reasons or [done.stderr[-500:], "is the package index reachable?"]))
