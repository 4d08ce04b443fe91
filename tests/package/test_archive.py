"""The package file itself: what dpkg reads of it, and that it is the same whoever makes it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from systemd.debian.archive import Entry, package
from tests.conftest import skip_or_fail

CONTROL = {"Package": "probe", "Version": "1", "Architecture": "all", "Maintainer": "a <b@c>", "Description": "probe"}
ENTRIES = [Entry("usr/bin/probe", b"#!/bin/sh\n", 0o755), Entry("opt/way", link="../usr/bin"), Entry("etc/x", b"odd")]
EPOCH = 1_700_000_000


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Give a package of three files."""
    if shutil.which("dpkg-deb") is None:
        skip_or_fail("dpkg-deb is not here: this is no Debian")
    path = tmp_path / "probe.deb"
    path.write_bytes(package(CONTROL, {"postinst": "#!/bin/sh\n"}, ENTRIES, EPOCH))
    return path


def _dpkg_deb(*arguments: str | Path) -> str:
    return subprocess.run(["dpkg-deb", *arguments], capture_output=True, text=True, timeout=30, check=True).stdout


def test_dpkg_reads_every_part(made: Path, tmp_path: Path) -> None:
    """Fields, scripts, files, modes, owners and links arrive as they were meant."""
    assert _dpkg_deb("-f", made, "Package", "Installed-Size") == "Package: probe\nInstalled-Size: 2\n"
    listed = {line.split()[5]: line for line in _dpkg_deb("-c", made).splitlines()}
    assert listed["./usr/bin/probe"].startswith("-rwxr-xr-x root/root")
    assert listed["./etc/x"].startswith("-rw-r--r-- root/root")
    assert listed["./opt/way"].endswith("./opt/way -> ../usr/bin")
    assert {"./", "./usr/", "./usr/bin/", "./opt/", "./etc/"} < set(listed)
    _dpkg_deb("-e", made, tmp_path / "control")
    assert (tmp_path / "control/postinst").stat().st_mode & 0o777 == 0o755


def test_dpkg_verifies_the_sums(made: Path, tmp_path: Path) -> None:
    """The sums name plain files, by which a broken card is found out."""
    _dpkg_deb("-R", made, tmp_path / "all")
    subprocess.run(["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], cwd=tmp_path / "all", timeout=30, check=True)


def test_the_order_of_entries_does_not_matter() -> None:
    """The same files at the same time make the same bytes."""
    first = package(CONTROL, {}, ENTRIES, EPOCH)
    assert first == package(CONTROL, {}, ENTRIES[::-1], EPOCH)
    assert first != package(CONTROL, {}, ENTRIES, EPOCH + 1)
