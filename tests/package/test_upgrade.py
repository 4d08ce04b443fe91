"""F24: upgrades and downgrades of a gateway at work, among them twenty that are cut off in the middle."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.booted import HOUSE, Booted, copy, host_architecture, meter_beside, root

CUTS = 20
INSTALL = "setsid dpkg -i /root/nabd_{version}_*.deb"


def _readings(machine: Booted) -> list[int]:
    """Give the numbers of all readings in the journal, which keeps what the store has for a week."""
    lines = machine.run("nabd", "journal", "export").stdout.splitlines()
    return sorted(json.loads(line)["seq"] for line in lines)


@pytest.mark.slow
def test_a_gateway_at_work_outlives_every_upgrade(tmp_path: Path, whole_package: Callable[[str, str], Path]) -> None:
    """Up, down, and cut off at twenty moments: each time it runs; no reading and no setting is missing."""
    with copy(root("bookworm")) as place, Booted(place) as machine, meter_beside(machine, tmp_path):
        for version in ("1.0", "2.0"):
            machine.put(whole_package(host_architecture(), version))
        machine.sh(INSTALL.format(version="1.0"))
        (place / "etc/nabd/home.toml").write_text(HOUSE)
        machine.sh("chgrp nabd /etc/nabd/home.toml && systemctl enable --now nabd-home")
        took = _timed(machine, "2.0")
        assert "ii  nabd           2.0" in machine.sh("dpkg -l nabd")
        _timed(machine, "1.0")
        before = _readings(machine)[-1]
        caught = 0
        for cut in range(CUTS):
            after = took * (cut + 0.5) / CUTS
            version = ("2.0", "1.0")[cut % 2]
            caught += _cut_off(machine, version, after)
            machine.sh("systemctl daemon-reload && systemctl restart nabd-home && nabd --version")
            _runs(machine, f"cut off after {after:.2f} s")
        machine.sh(INSTALL.format(version="2.0"))
        _runs(machine, "repaired")
        assert (place / "etc/nabd/home.toml").read_text() == HOUSE
        numbers = _readings(machine)
        assert numbers == list(range(1, numbers[-1] + 1))
        assert numbers[-1] > before + CUTS
        assert caught >= CUTS * 3 // 4
        assert not (place / "opt/nabd/previous").exists()
        machine.sh("dpkg --verify nabd")


def _cut_off(machine: Booted, version: str, after: float) -> bool:
    """Kill an installation and all that it started; False when it was over before."""
    script = f"{INSTALL.format(version=version)} >/dev/null 2>&1 & sleep {after:.2f}; kill -KILL -- -$!"
    return machine.run("bash", "-c", script, check=False).returncode == 0


def _runs(machine: Booted, when: str) -> None:
    """See that the service runs, once systemd has done what it was told last."""
    end = time.monotonic() + 20
    while (said := machine.sh("systemctl is-active nabd-home || true").strip()) != "active":
        assert time.monotonic() < end, f"{when}: {said}"
        time.sleep(0.1)


def _timed(machine: Booted, version: str) -> float:
    """Install a version to its end, and give the seconds that took."""
    said = machine.sh(f"began=$(date +%s.%N); {INSTALL.format(version=version)} >&2; echo $began $(date +%s.%N)")
    _runs(machine, version)
    began, ended = next(line for line in said.splitlines() if line.replace(".", "").replace(" ", "").isdigit()).split()
    return float(ended) - float(began)
