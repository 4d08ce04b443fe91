"""The units are as tight as promised, and each starts a command that exists."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail

UNITS = sorted((Path(__file__).parents[1] / "systemd").glob("*.service"))
LINES = ("Type=notify", "WatchdogSec=30", "Restart=always", "StartLimitIntervalSec=0", "UMask=0077")
EXPOSURE = 15
"""Ten times the highest exposure allowed, of 100: the promise of 1.5."""


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_exposes_little(unit: Path) -> None:
    """The analyser of systemd finds no more exposure than promised."""
    if shutil.which("systemd-analyze") is None:
        skip_or_fail("systemd-analyze is not installed (apt install systemd)")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-600:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_its_own_command(unit: Path) -> None:
    """A unit runs the command it is named after, on that command's file, and is watched."""
    text = unit.read_text()
    name = unit.stem.removeprefix("nabd-")
    assert re.search(rf"^ExecStart=\S+/nabd {name} -c /etc/nabd/{name}\.toml$", text, re.MULTILINE)
    for line in (*LINES, "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'"):
        assert f"\n{line}\n" in text, line


def test_a_unit_never_gives_up() -> None:
    """F20: a start limit would end a gateway for good after a few crashes; it is switched off in [Unit]."""
    for unit in UNITS:
        head, service = unit.read_text().split("[Service]")
        assert "\nStartLimitIntervalSec=0\n" in head
        assert not re.search(r"^(RestartPreventExitStatus|SuccessExitStatus|StartLimitBurst)=", service, re.MULTILINE)
        assert re.search(r"^RestartSec=5$", service, re.MULTILINE)


def test_the_boot_id_stays_readable() -> None:
    """ProcSubset=pid would hide the boot id, without which readings before the first sync lose their time."""
    assert not any(re.search(r"^ProcSubset=", unit.read_text(), re.MULTILINE) for unit in UNITS)
