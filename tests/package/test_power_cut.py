"""F25: the power fails during an upgrade or the first boot, on the disk that holds the whole Debian.

1. A real Debian boots from a disk that is recorded, and is upgraded, or installed and set up, while it reads a meter.
2. At a hundred moments the disk is made as a cut just then may leave it: what was flushed, and any sectors of the rest.
3. Each is mounted and looked at from inside (the program, its configuration, identity and readings); some are booted,
   and what was interrupted is done again to its end.
"""

import hashlib
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.journal import JournalError
from tests.package.cut_root import Cut, acknowledging, committed, cuts, image_of, say, sums_of, version_of
from tests.power.conftest import needs_disks, needs_fuse, recorded
from tests.power.crash_points import Recording
from tests.power.recorder import records
from tests.support.booted import HOUSE, Booted, chrooted, copy, host_architecture, meter_beside, root

CUTS = 100
BOOTED_EVERY = 10
"""Each tenth disk is booted: half a minute with all that is done again then; a look from inside takes seconds."""
MEMORY = Path("/dev/shm")
"""Disks of 768 MB are made anew for each cut."""
READY = 30.0
ANSWERS = """
kind = "edge"
tenant = "acme"
id = "gw-1"
zone = "Asia/Riyadh"
broker = "mqtts://broker.example"
search = "192.168.1.20"
"""
INSTALL = "dpkg -i /root/nabd_{version}_*.deb"
SETUP = "nabd setup --answers /root/answers.toml"


@dataclass(frozen=True)
class Story:
    """What is going on when the power fails, and how each disk is judged."""

    recording: Recording
    known: Mapping[str, dict[str, str]]
    """The files of each version that may run, by its number."""
    before: Mapping[str, str]
    """Sums of files that must be as they were."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder in memory; disks are too large to be written a hundred times."""
    needs_disks()
    needs_fuse()
    with tempfile.TemporaryDirectory(prefix="nabd-cut-", dir=MEMORY if MEMORY.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture
def upgrade(folder: Path, tmp_path: Path, whole_package: Callable[[str, str], Path]) -> Story:
    """Record a house that reads its meter and is upgraded from 1.0 to 2.0 at work."""
    packages = {version: whole_package(host_architecture(), version) for version in ("1.0", "2.0")}
    with copy(root("bookworm")) as place:
        with Booted(place) as machine, meter_beside(machine, tmp_path):
            for package in packages.values():
                machine.put(package)
            machine.sh(INSTALL.format(version="1.0"))
            (place / "etc/nabd/home.toml").write_text(HOUSE)
            machine.sh("chgrp nabd /etc/nabd/home.toml && systemctl enable --now nabd-home")
            machine.sh("sudo -u nabd nabd enrol request")
            time.sleep(3)
            machine.sh("systemctl stop nabd-home")
        before = _sums(place, "etc/nabd", "var/lib/nabd/identity")
        base = image_of(place, folder / "base.img")
    with recorded(base, folder) as (disk, mark), Booted(disk.path) as machine, meter_beside(machine, folder):
        _active(machine, "nabd-home")
        with acknowledging(disk.path, mark):
            say(mark, "begin")
            time.sleep(2)
            machine.sh(INSTALL.format(version="2.0"), timeout=300)
            _active(machine, "nabd-home")
            time.sleep(4)
    return Story(Recording(base, list(records(folder / "log"))), {v: sums_of(p) for v, p in packages.items()}, before)


@pytest.fixture
def first_boot(folder: Path, whole_package: Callable[[str, str], Path]) -> Story:
    """Record a Debian on which the package is installed, set up and started for the first time."""
    package = whole_package(host_architecture(), "1.0")
    with copy(root("bookworm")) as place:
        (place / "root/answers.toml").write_text(ANSWERS)
        (place / "root" / package.name).write_bytes(package.read_bytes())
        base = image_of(place, folder / "base.img")
    with (
        recorded(base, folder) as (disk, mark),
        Booted(disk.path) as machine,
        meter_beside(machine, folder),
        acknowledging(disk.path, mark),
    ):
        say(mark, "begin")
        machine.sh(INSTALL.format(version="1.0"), timeout=300)
        say(mark, "phase set up")
        machine.sh(SETUP, timeout=300)
        say(mark, "phase started")
        machine.sh("systemctl enable --now nabd-edge")
        _active(machine, "nabd-edge")
        time.sleep(15)
    return Story(Recording(base, list(records(folder / "log"))), {"1.0": sums_of(package)}, {})


@pytest.mark.slow
def test_a_cut_during_an_upgrade_leaves_the_old_version_or_the_new(folder: Path, upgrade: Story) -> None:
    """At each of a hundred moments one whole program is there, with configuration, identity and every reading."""
    wrong: dict[str, list[str]] = {}
    seen = set()
    for cut in cuts(upgrade.recording, CUTS, folder, random.Random(25)):
        version = version_of(cut.place, dict(upgrade.known))
        seen.add(version)
        found = [] if version in upgrade.known else [f"the program is {version}"]
        found += [f"{path} changed" for path in _changed(cut.place, upgrade.before)]
        found += _from_inside(cut, version)
        if not found and cut.number % BOOTED_EVERY == 0:
            found = _booted(cut, "nabd-home", version, after=[INSTALL.format(version="2.0")])
        print(cut.number, cut.moment, version, cut.safe, found)  # noqa: T201  seen when it fails, or with -s
        if found:
            wrong[f"cut {cut.number}, {cut.moment}"] = found
    assert wrong == {}
    assert seen == {"1.0", "2.0"}


@pytest.mark.slow
def test_a_cut_during_the_first_boot_is_mended_by_going_on(folder: Path, first_boot: Story) -> None:
    """Nothing is there by halves: neither program, configuration nor key; doing again what was cut off ends well."""
    wrong: dict[str, list[str]] = {}
    seen = set()
    for cut in cuts(first_boot.recording, CUTS, folder, random.Random(26)):
        version = version_of(cut.place, dict(first_boot.known))
        seen.add(version)
        found = [] if version in {"none", "1.0"} else [f"the program is {version}"]
        found += _key(cut.place / "var/lib/nabd/identity")
        if (cut.place / "etc/nabd/edge.toml").exists():
            found += _from_inside(cut, version)
        if not found and cut.number % BOOTED_EVERY == 0:
            todo = [] if _is_installed(cut.place) else [INSTALL.format(version="1.0")]
            todo += [] if (cut.place / "etc/nabd/edge.toml").exists() else [SETUP]
            found = _booted(cut, "nabd-edge", "1.0", before=[*todo, "systemctl enable --now nabd-edge"])
        print(cut.number, cut.moment, version, cut.safe, found)  # noqa: T201  seen when it fails, or with -s
        if found:
            wrong[f"cut {cut.number}, {cut.moment}"] = found
    assert wrong == {}
    assert seen == {"none", "1.0"}


def _from_inside(cut: Cut, version: str) -> list[str]:
    """Let the program on a disk say its version, and read its configuration and its journal; name what is wrong."""
    try:
        said = chrooted(cut.place, "dpkg --audit >/dev/null; nabd check /etc/nabd/*.toml >/dev/null; nabd --version")
        kept = committed(cut.place) if cut.safe else 0
    except (AssertionError, JournalError) as error:
        return [str(error)]
    found = [] if f"nabd {version}" in said else [f"it says it is {said!r}"]
    return found if kept >= cut.safe else [*found, f"{kept} readings of {cut.safe}"]


def _booted(cut: Cut, unit: str, version: str, before: Sequence[str] = (), after: Sequence[str] = ()) -> list[str]:
    """Boot a disk, and see its service ready and go on counting; then do what is left to do, and see it again."""
    try:
        with Booted(cut.place) as machine:
            for script in before:
                machine.sh(script, timeout=300)
            _active(machine, unit)
            said = machine.sh("nabd --version")
            for script in after:
                machine.sh(script, timeout=300)
                _active(machine, unit)
                machine.sh("dpkg --verify nabd")
                assert "2.0" in machine.sh("nabd --version")
            numbers = [json.loads(line)["seq"] for line in machine.run("nabd", "journal", "export").stdout.splitlines()]
    except AssertionError as error:
        return [str(error)]
    found = [] if f"nabd {version}" in said else [f"booted, it says it is {said!r}"]
    if len(numbers) != len(set(numbers)) or not set(range(1, cut.safe + 1)) <= set(numbers):
        found.append(f"booted, it has the readings {sorted(numbers)} of {cut.safe}")
    return found


def _active(machine: Booted, unit: str) -> None:
    """Wait until a service is ready, as it says itself."""
    end = time.monotonic() + READY
    while (said := machine.run("systemctl", "is-active", unit, check=False).stdout.strip()) != "active":
        assert time.monotonic() < end, f"{unit} is {said}\n{machine.sh(f'journalctl -n 30 -u {unit}', check=False)}"
        time.sleep(0.1)


def _is_installed(place: Path) -> bool:
    query = ["dpkg-query", f"--admindir={place}/var/lib/dpkg", "-W", "-f=${db:Status-Status}", "nabd"]
    return subprocess.run(query, capture_output=True, text=True, timeout=20, check=False).stdout == "installed"


def _key(identity: Path) -> list[str]:
    """Name what is wrong with the key that a request is for; a request is written last."""
    if not (identity / "request.pem").exists():
        return []
    try:
        request = x509.load_pem_x509_csr((identity / "request.pem").read_bytes())
        key = load_pem_private_key((identity / "key.pem").read_bytes(), None)
    except (OSError, ValueError) as error:
        return [f"identity: {error}"]
    same = request.public_key() == key.public_key() and (identity / "claim.txt").read_text().strip()
    return [] if same else ["the request is for another key"]


def _sums(place: Path, *folders: str) -> dict[str, str]:
    paths = [path for folder in folders for path in (place / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _changed(place: Path, before: Mapping[str, str]) -> list[str]:
    return [
        path for path, total in before.items()
        if not (place / path).exists() or hashlib.sha256((place / path).read_bytes()).hexdigest() != total
    ]  # fmt: skip
