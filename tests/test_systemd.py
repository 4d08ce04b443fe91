"""The units are as tight as promised, and each starts a command that exists."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.reset.asked import ASKED
from tests.conftest import skip_or_fail

FOLDER = Path(__file__).parents[1] / "systemd"
RESET = FOLDER / "nabd-factory-reset.service"
UNITS = sorted(set(FOLDER.glob("*.service")) - {RESET})
LINES = ("Type=notify", "WatchdogSec=30", "Restart=always", "StartLimitIntervalSec=0", "UMask=0077")
EXPOSURE = {"nabd-edge": 13, "nabd-home": 13, "nabd-hub": 11, RESET.stem: 15}
"""Ten times the exposure that each has now, of 100; the promise is 1.5. Beyond that lies only what a gateway is for:
the network (0.8, of which 0.2 go once IPAddressDeny= is set for a site) and serial ports (0.4)."""


@pytest.mark.parametrize("unit", [*UNITS, RESET], ids=lambda unit: unit.name)
def test_a_unit_exposes_little(unit: Path) -> None:
    """The analyser of systemd finds no more exposure than promised."""
    if shutil.which("systemd-analyze") is None:
        skip_or_fail("systemd-analyze is not installed (apt install systemd)")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE[unit.stem]}", "--no-pager", unit],
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


def test_the_reset_looks_where_its_command_looks_and_comes_first() -> None:
    """The unit waits for the very files that the command acts on, and is wanted by, and before, each service."""
    text = RESET.read_text()
    assert re.findall(r"^ConditionPathExists=\|(\S+)$", text, re.MULTILINE) == [str(path) for path in ASKED]
    assert "\nExecStart=/opt/nabd/bin/nabd factory-reset --if-asked\n" in text
    assert f"\nBefore={' '.join(unit.name for unit in UNITS)}\n" in text
    for unit in UNITS:
        assert re.search(rf"^Wants=.*\b{RESET.name}$", unit.read_text(), re.MULTILINE), unit.name


def test_a_unit_waits_for_its_configuration() -> None:
    """Enabled on a fresh machine, it is skipped until `nabd setup` wrote its file, and does not fail over and over."""
    for unit in UNITS:
        head, _ = unit.read_text().split("[Service]")
        assert f"\nConditionPathExists=/etc/nabd/{unit.stem.removeprefix('nabd-')}.toml\n" in head


def test_the_open_window_outlives_a_crash() -> None:
    """The run folder, where readings not yet on flash are mirrored, is kept while the service is started anew."""
    for name in ("nabd-edge", "nabd-home"):
        text = next(unit for unit in UNITS if unit.stem == name).read_text()
        assert "\nRuntimeDirectoryPreserve=restart\n" in text
        assert f"\nRuntimeDirectory={name.replace('-', '/')}\n" in text
