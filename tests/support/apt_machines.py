"""Machines that take Nabd from an apt repository as docs/how-to/updates.md says: a folder, or a whole Debian."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support.debian_packages import Machine

PAGE = (Path(__file__).parents[2] / "docs/how-to/updates.md").read_text(encoding="utf-8")
PREFERENCES = "\n".join(re.findall(r"^Package: .*\nPin: .*\nPin-Priority: .*\n", PAGE, re.MULTILINE))
SCHEME = re.findall(r"a stick is `(\w+):/", PAGE)[0]
"""Not `file`: for that apt keeps links to the stick, and installs from a list that it refused a moment before."""


class Gateway:
    """A folder that apt and dpkg take for a machine; it trusts one key for one repository, as the page says."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.machine = Machine(folder / "machine")
        self.repository = repository
        self._apt = folder / "apt"
        for place in ("etc/apt.conf.d", "etc/sources.list.d", "etc/preferences.d", "etc/trusted.gpg.d",
                      "lists/partial", "cache/archives/partial", "log"):  # fmt: skip
            (self._apt / place).mkdir(parents=True)
        (self._apt / "etc/nabd.asc").write_bytes((repository / "nabd.asc").read_bytes())
        (self._apt / "etc/preferences.d/nabd").write_text(PREFERENCES)
        (self._apt / "apt.conf").write_text(self._config())
        self.source("nabd", repository, "nabd.asc")

    def _config(self) -> str:
        """Point apt at this folder before it reads what the true machine has set."""
        places = {
            "Dir::Etc": f"{self._apt}/etc", "Dir::Etc::sourcelist": "/dev/null", "Dir::Cache": f"{self._apt}/cache",
            "Dir::State": str(self._apt), "Dir::State::Lists": f"{self._apt}/lists", "Dir::Log": f"{self._apt}/log",
            "Dir::State::status": f"{self.machine.root}/var/lib/dpkg/status", "APT::Architecture": "amd64",
            "APT::Architectures": "amd64", "APT::Sandbox::User": "root", "Acquire::Languages": "none",
            "Debug::NoLocking": "true",
        }  # fmt: skip
        lines = [f'{name} "{value}";' for name, value in places.items()]
        dpkg = (f"--root={self.machine.root}", "--force-not-root", "--force-script-chrootless")
        return "\n".join([*lines, *(f'DPkg::Options:: "{option}";' for option in dpkg), ""])

    def source(self, name: str, repository: Path, key: str) -> None:
        """Name a repository, and the file of the key that signs it."""
        told = f"Types: deb\nURIs: {SCHEME}:{repository}\nSuites: stable\nComponents: main\n"
        (self._apt / f"etc/sources.list.d/{name}.sources").write_text(f"{told}Signed-By: {self._apt}/etc/{key}\n")

    def trust(self, key: Path) -> None:
        """Trust a key for whatever names no key of its own, as a system trusts those it came with."""
        shutil.copy(key, self._apt / "etc/trusted.gpg.d/other.asc")

    def apt(self, *arguments: str) -> str:
        """Run apt-get; what it says, with the word FAILED at its end when it did not end well."""
        done = subprocess.run(
            ["apt-get", "--yes", *arguments], capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive",
                 "APT_CONFIG": str(self._apt / "apt.conf")},
        )  # fmt: skip
        return done.stdout + done.stderr + ("FAILED" if done.returncode else "")

    def update(self) -> str:
        """Do what a person or a timer does: look for updates, and take them."""
        return self.apt("update") + self.apt("install", "nabd")

    @property
    def files(self) -> dict[str, str]:
        """The digest of every file of the machine."""
        root = self.machine.root
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()}

    @property
    def version(self) -> str:
        """What is installed."""
        return (self.machine.root / "opt/nabd/version").read_text()


class Debian:
    """A whole Debian that takes Nabd from a stick, as the page says."""

    def __init__(self, place: Path, repository: Path) -> None:
        self._place, self._repository = place, repository
        source = "Types: deb\nURIs: copy:/stick\nSuites: stable\nComponents: main\n"
        self.put("etc/apt/keyrings/nabd.asc", (repository / "nabd.asc").read_text())
        self.put("etc/apt/preferences.d/nabd", PREFERENCES)
        self.put("etc/apt/sources.list.d/nabd.sources", f"{source}Signed-By: /etc/apt/keyrings/nabd.asc\n")
        self.bring()

    def put(self, file: str, text: str) -> None:
        """Write a file."""
        (self._place / file).parent.mkdir(exist_ok=True)
        (self._place / file).write_text(text)

    def bring(self, change: Callable[[Path], None] = lambda _: None) -> None:
        """Bring the stick as the repository is now, and alter what is on it."""
        shutil.rmtree(self._place / "stick", ignore_errors=True)
        shutil.copytree(self._repository, self._place / "stick")
        (self._place / "stick").chmod(0o755)
        change(self._place / "stick")

    def run(self, script: str) -> str:
        """Run a script, and give what it says."""
        done = subprocess.run(
            ["chroot", self._place, "sh", "-c", script], capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
        return done.stdout + done.stderr

    @property
    def version(self) -> str:
        """What is installed."""
        return (self._place / "opt/nabd/version").read_text()
