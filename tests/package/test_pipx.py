"""`pipx install` of our wheel into an empty home, the README's five minutes from there, and no trace afterwards."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway import VERSION
from systemd.debian.build import source_epoch
from systemd.debian.wheels import own
from tests.conftest import skip_or_fail

ROOT = Path(__file__).parents[2]
EXTRAS = "hub,embedded,simulator"


class Home:
    """A home in which nothing is installed yet."""

    def __init__(self, place: Path) -> None:
        self.place, self.bin = place, place / "bin"
        ours = {"HOME": str(place), "PIPX_HOME": str(place / "pipx"), "PIPX_BIN_DIR": str(self.bin)}
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
        self._env = kept | ours | {"PATH": f"{self.bin}:{os.environ['PATH']}", "TMPDIR": str(place)}

    def run(self, *command: str, timeout: float = 60) -> str:
        """Run a command there that must end well, and give what it prints."""
        done = subprocess.run(
            command, cwd=self.place, env=self._env, capture_output=True, text=True, timeout=timeout, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def ours(self) -> list[Path]:
        """Find whatever bears our name."""
        return [path for path in self.place.rglob("*nabd*") if "logs" not in path.parts]


@pytest.mark.slow
def test_pipx_installs_shows_and_removes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows its version and meters, the demo brings every reading to the store, uninstall leaves nothing."""
    if shutil.which("pipx") is None:
        skip_or_fail("pipx is not here (apt install pipx)")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(source_epoch()))
    wheel = own(ROOT, tmp_path)
    (tmp_path / "home").mkdir()
    home = Home(tmp_path / "home")
    home.run("pipx", "install", f"{wheel}[{EXTRAS}]", timeout=600)
    nabd = str(home.bin / "nabd")
    assert home.run(nabd, "--version") == f"nabd {VERSION}\n"
    assert "eastron-sdm120" in home.run(nabd, "profiles")
    demo = home.run(nabd, "demo", "--for", "15", "--listen", "127.0.0.1:0", "--folder", "shown", timeout=120)
    assert "lost 0" in demo
    shutil.rmtree(home.place / "shown")
    home.run("pipx", "uninstall", "nabd")
    assert home.ours() == []
    assert list(home.bin.iterdir()) == []
