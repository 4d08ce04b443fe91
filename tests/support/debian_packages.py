"""Small Debian packages of Nabd, made in memory from wheels that hold next to nothing."""

import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from systemd.debian.build import build

EPOCH = 1_700_000_000
HAS_NO_ROOT = ("--force-script-chrootless", "--force-depends", "--force-not-root", "--force-architecture")
"""dpkg works on a folder; the maintainer scripts run outside and are told where it is."""


def wheel(folder: Path, name: str, files: Mapping[str, str | bytes]) -> Path:
    """Make a wheel of these files."""
    path = folder / f"{name}.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for file, data in files.items():
            packed.writestr(file, data)
    return path


def small_package(folder: Path, version: str, architecture: str = "amd64") -> Path:
    """Make a package whose program says only its version."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "gateway/__init__.py": "",
        "gateway/cli/__init__.py": f"VERSION = {version!r}\n",
        f"gateway/only_{version.replace('.', '_')}.py": "",
        "simulator/__init__.py": "",
        f"nabd-{version}.dist-info/METADATA": f"Name: nabd\nVersion: {version}\n",
        f"nabd-{version}.dist-info/RECORD": "",
    }
    path = folder / f"nabd_{version}_{architecture}.deb"
    path.write_bytes(build([wheel(folder, f"nabd-{version}", files)], architecture, version, EPOCH))
    return path


class Machine:
    """A folder that dpkg takes for a machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("updates", "info", "triggers"):
            (root / "var/lib/dpkg" / folder).mkdir(parents=True)
        for file in ("status", "available"):
            (root / "var/lib/dpkg" / file).touch()
        (root / "etc").mkdir()

    def dpkg(self, *arguments: str | Path, check: bool = True) -> str:
        """Run dpkg on it and give what it says."""
        done = subprocess.run(
            ["dpkg", f"--root={self.root}", *HAS_NO_ROOT, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = done.stdout + done.stderr
        if check:
            assert done.returncode == 0, said
        return said

    @property
    def status(self) -> str:
        """What dpkg thinks of the package."""
        done = subprocess.run(
            ["dpkg-query", f"--admindir={self.root}/var/lib/dpkg", "-W", "-f=${db:Status-Status} ${Version}", "nabd"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return done.stdout.strip()

    @property
    def runs(self) -> str:
        """The version of the program that a start would run now; "" when it is not whole."""
        site = self.root / "opt/nabd/current/lib/python3.11/site-packages/gateway"
        cli = site / "cli/__init__.py"
        if not cli.exists() or not (self.root / "opt/nabd/bin/nabd").exists():
            return ""
        version = cli.read_text().split("'")[1]
        return version if (site / f"only_{version.replace('.', '_')}.py").exists() else ""
