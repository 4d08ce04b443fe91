"""What the package holds, judged by dpkg and by the shell."""

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from systemd.debian.build import SCRIPTS
from tests.conftest import skip_or_fail
from tests.support.debian_packages import small_package

ROOT = Path(__file__).parents[2]
PROGRAM = "./opt/nabd/release/lib/python3/site-packages/"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tarfile.TarInfo]:
    """Give the files of a small package by path."""
    if shutil.which("dpkg-deb") is None:
        skip_or_fail("dpkg-deb is not here: this is no Debian")
    folder = tmp_path_factory.mktemp("package")
    tar = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", small_package(folder, "1.0")], capture_output=True, timeout=30, check=True
    ).stdout
    (folder / "data.tar").write_bytes(tar)
    with tarfile.open(folder / "data.tar") as opened:
        return {info.name: info for info in opened}


def test_a_unit_finds_its_program(files: dict[str, tarfile.TarInfo]) -> None:
    """Each unit lies where systemd looks, and what it starts is in the package, behind links that all exist."""
    units = [path for path in files if path.endswith(".service")]
    assert sorted(map(Path, units)) == sorted(
        Path("./usr/lib/systemd/system") / unit.name for unit in (ROOT / "systemd").glob("*.service")
    )
    assert files["./usr/bin/nabd"].linkname == "/opt/nabd/bin/nabd"
    assert files["./opt/nabd/bin"].linkname == "current/bin"
    assert files["./opt/nabd/release/bin/nabd"].mode == 0o755
    assert files["./opt/nabd/release/bin/python"].linkname == "/usr/bin/python3"
    for unit in (ROOT / "systemd").glob("*.service"):
        assert "\nExecStart=/opt/nabd/bin/nabd " in unit.read_text()


def test_nothing_of_the_package_can_be_written_by_others(files: dict[str, tarfile.TarInfo]) -> None:
    """Everything belongs to root, and only root may change it; nothing is setuid."""
    for path, info in files.items():
        assert (info.uid, info.gid) == (0, 0), path
        assert info.issym() or not info.mode & 0o7022, path


def test_configuration_is_no_file_of_the_package(files: dict[str, tarfile.TarInfo]) -> None:
    """What people write is never replaced, asked about or removed by an upgrade: the package does not own it."""
    assert not [path for path in files if path.startswith(("./etc/", "./var/", "./run/"))]
    assert {f"./usr/share/doc/nabd/examples/{kind}.toml" for kind in ("edge", "hub", "home")} < set(files)


def test_no_simulated_meters_on_a_gateway(files: dict[str, tarfile.TarInfo]) -> None:
    """S26: what only tests and demonstrations need is not installed."""
    assert f"{PROGRAM}gateway/cli/__init__.py" in files
    assert not [path for path in files if "/simulator/" in path or "/tests/" in path]


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "triggers"])
def test_a_maintainer_script_is_plain_shell(name: str) -> None:
    """Debian's sh reads it, and the first thing that fails ends it."""
    path = ROOT / "systemd/debian" / name
    subprocess.run(["sh", "-n", path], timeout=20, check=True)
    assert re.match(r"#!/bin/sh\n(#.*\n)+set -e\n", path.read_text())
