"""The wheel, as `pipx install` takes it: built twice the same, installed into an environment of its own, started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import VERSION
from systemd.debian.build import source_epoch
from systemd.debian.wheels import own

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_wheel_installs_and_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte the same from the same sources; in a fresh environment it knows its version and its meters."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(source_epoch()))
    wheels = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        wheels.append(own(ROOT, tmp_path / folder))
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    env = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", env], timeout=120, check=True)
    pip = [str(env / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "locks/edge.txt")], timeout=300, check=True)
    subprocess.run([*pip, "--no-deps", str(wheels[0])], timeout=120, check=True)
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    for arguments, said in ((["--version"], f"nabd {VERSION}"), (["profiles"], "eastron-sdm120")):
        done = subprocess.run(
            [env / "bin/nabd", *arguments],
            cwd=tmp_path,
            env=clean,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert said in done.stdout
