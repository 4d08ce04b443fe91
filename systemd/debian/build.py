# ruff: noqa: INP001  a tool that makes the package, not a part of it
"""Makes nabd_VERSION_ARCHITECTURE.deb: `./run package [amd64 | arm64 | armhf]`.

1. The program is an environment of its own, all packages inside: /opt/nabd/release, which Debian's python3 runs.
2. /opt/nabd/current points to it. During an upgrade it points to a whole copy of the old one, so that a power cut at
   any moment leaves a program that starts (preinst, postinst).
3. Units, users, folders and device names go where systemd looks for them; configuration is never a file of the package.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway import VERSION
from systemd.debian.archive import Entry, package
from systemd.debian.wheels import MACHINES, PYTHONS, BuildError, download, layout, own

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
RELEASE = "opt/nabd/release"
SCRIPTS = ("preinst", "postinst", "prerm", "postrm", "triggers")
CFFI = "_cffi_backend.cpython-{}-arm-linux-gnueabihf.so"

LAUNCHER = """#!/opt/nabd/current/bin/python
import sys

from gateway.cli import main

sys.exit(main())
"""

MAINTAINER = "The Nabd authors <nobody@nabd.invalid>"
"""Debian wants an address, and the project has none: the name is one that can never exist. SECURITY.md says the way."""

DEPENDS = (
    "python3 (>= 3.11)",
    "python3 (<< 3.14)",
    " | ".join(f"python{version}" for version in PYTHONS),
    "tzdata",
    "systemd | systemd-standalone-sysusers",
    "systemd | systemd-standalone-tmpfiles",
)


def build(wheels: Sequence[Path], architecture: str, version: str, epoch: int, effort: int = 6) -> bytes:
    """Make the package of these wheels, ours among them; `effort` is that of packing. Raises BuildError."""
    entries = [*layout(wheels, f"{RELEASE}/lib/python3/site-packages"), *_environment(architecture), *_system()]
    scripts = {name: (HERE / name).read_text() for name in SCRIPTS}
    return package(_control(architecture, version), scripts, entries, epoch, effort)


def _control(architecture: str, version: str) -> dict[str, str]:
    more = ("python3-cffi-backend",) if architecture == "armhf" else ()
    return {
        "Package": "nabd",
        "Version": version,
        "Architecture": architecture,
        "Maintainer": MAINTAINER,
        "Section": "net",
        "Priority": "optional",
        "Depends": ", ".join((*DEPENDS, *more)),
        "Description": "Reads electricity, water and gas meters, and loses no reading\n"
        " Brings readings to a store over MQTT, or keeps them for one house, and tells\n"
        " people at once, in Arabic or English, when their use needs their attention.\n"
        " Begin with `nabd setup`.",
    }


def _environment(architecture: str) -> Iterator[Entry]:
    """Give what makes the release an environment of Python, and the ways to it."""
    yield Entry(f"{RELEASE}/pyvenv.cfg", b"home = /usr/bin\ninclude-system-site-packages = false\n")
    yield Entry(f"{RELEASE}/bin/python", link="/usr/bin/python3")
    yield Entry(f"{RELEASE}/bin/nabd", LAUNCHER.encode(), 0o755)
    for version in PYTHONS:
        yield Entry(f"{RELEASE}/lib/python{version}", link="python3")
        if architecture == "armhf":
            name = CFFI.format(version.replace(".", ""))
            yield Entry(f"{RELEASE}/lib/python3/site-packages/{name}", link=f"/usr/lib/python3/dist-packages/{name}")
    yield Entry("opt/nabd/bin", link="current/bin")
    yield Entry("usr/bin/nabd", link="/opt/nabd/bin/nabd")


def _system() -> Iterator[Entry]:
    """Give what the system reads: units, users, folders, device names; and files to copy from."""
    for unit in (ROOT / "systemd").glob("*.service"):
        yield Entry(f"usr/lib/systemd/system/{unit.name}", unit.read_bytes())
    yield Entry("usr/lib/sysusers.d/nabd.conf", (ROOT / "systemd/sysusers.d/nabd.conf").read_bytes())
    yield Entry("usr/lib/tmpfiles.d/nabd.conf", (ROOT / "systemd/tmpfiles.d/nabd.conf").read_bytes())
    yield Entry("usr/lib/udev/rules.d/60-nabd.rules", (ROOT / "systemd/udev/60-nabd.rules").read_bytes())
    yield Entry("usr/share/doc/nabd/copyright", (ROOT / "LICENSE").read_bytes())
    for example in (*(ROOT / "config").glob("*.toml"), *(ROOT / "config/mosquitto").iterdir()):
        yield Entry(f"usr/share/doc/nabd/examples/{example.relative_to(ROOT / 'config')}", example.read_bytes())


def source_epoch() -> int:
    """Give the time that every file of the package bears: SOURCE_DATE_EPOCH, else the last commit's."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told is None:
        told = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout
    if not told.strip().isdigit():
        raise BuildError("this is no checkout of git: set SOURCE_DATE_EPOCH to the time of the sources, in seconds")
    return int(told)


def collect(architecture: str, folder: Path) -> list[Path]:
    """Make our wheel and fetch all others into a folder; raises BuildError."""
    wheels = [own(ROOT, folder)]
    for python in PYTHONS:
        wheels += download(architecture, python, ROOT / "locks/hub.txt", folder / python)
    return wheels


def make(architecture: str, version: str, output: Path) -> Path:
    """Fetch the wheels, make the package in the folder `output`, and give its path; raises BuildError."""
    epoch = source_epoch()
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    with tempfile.TemporaryDirectory(prefix="nabd-package-") as folder:
        data = build(collect(architecture, Path(folder)), architecture, version, epoch)
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"nabd_{version}_{architecture}.deb"
    path.write_bytes(data)
    return path


def main() -> int:
    """Make one package and print where it lies."""
    machine = platform.machine()
    here = next((debian for debian, wheel in MACHINES.items() if wheel == machine), None)
    parser = argparse.ArgumentParser(prog="./run package", description="Make a Debian package, everything inside.")
    parser.add_argument("architecture", nargs="?", choices=MACHINES, default=here, help=f"the board's ({here})")
    parser.add_argument("--version", default=VERSION, help=f"the package's version ({VERSION})")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="the folder it is put into (dist)")
    options = parser.parse_args()
    if options.architecture is None:
        parser.error(f"there is no package for {machine}; name an architecture")
    try:
        print(make(options.architecture, options.version, options.output))  # noqa: T201  it talks to people
    except BuildError as error:
        print(f"nabd package: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
