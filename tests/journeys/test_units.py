"""The edge's unit in a Debian that systemd really booted: ready with nothing, watched, restarted, never given up."""

import contextlib
import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, skip_or_fail

pytestmark = pytest.mark.slow
UNIT = "nabd-edge.service"
CONFIG = """[gateway]
id = "gw"
[mqtt]
url = "mqtt://127.0.0.1:1"
[[bus]]
name = "line"
driver = "modbus"
device = "/dev/serial/by-id/none"
[[meter]]
name = "m"
bus = "line"
profile = "eastron-sdm120"
address = 1
"""


class Machine:
    """A booted container; `leader` is its first process as seen from outside."""

    def __init__(self, root: Path) -> None:
        packages = sysconfig.get_paths()["purelib"]
        binds = [f"--bind-ro={ROOT}:/opt/nabd/src", f"--bind-ro={packages}:/opt/nabd/site"]
        command = ["systemd-nspawn", "-D", str(root), "--boot", "--register=no", "--keep-unit", "--private-network"]
        self._log = (root.parent / "boot.log").open("wb")
        self._nspawn = subprocess.Popen(
            [*command, "--quiet", *binds], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        self.leader = self._leader()
        self.wait(lambda: self.do("systemctl", "is-system-running") in ("running", "degraded"), 60)

    def do(self, *command: str) -> str:
        """Run a command inside and give what it says."""
        done = subprocess.run(
            ["nsenter", "--all", "--target", str(self.leader), *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return done.stdout.strip()

    def show(self, name: str) -> str:
        """Give a property of the unit."""
        return self.do("systemctl", "show", UNIT, "--property", name, "--value")

    def active(self) -> bool:
        """Tell whether the unit said that it is ready."""
        return self.do("systemctl", "is-active", UNIT) == "active"

    def wait(self, seen: object, seconds: float) -> float:
        """Wait until something is so and give how long that took."""
        begun = time.monotonic()
        while not (callable(seen) and seen()):
            assert time.monotonic() - begun < seconds, self.do("journalctl", "-u", UNIT, "-n", "30", "--no-pager")
            time.sleep(0.2)
        return time.monotonic() - begun

    def set_up(self, name: str, lines: str) -> None:
        """Put a drop-in beside the unit."""
        self.do(
            "sh",
            "-c",
            f"mkdir -p /etc/systemd/system/{UNIT}.d && printf '{lines}' > /etc/systemd/system/{UNIT}.d/{name}",
        )
        self.do("systemctl", "daemon-reload")

    def stop(self) -> None:
        """End it."""
        self._nspawn.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._nspawn.wait(20)
        self._nspawn.kill()
        self._nspawn.wait()
        self._log.close()

    def _leader(self) -> int:
        path = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        for _ in range(100):
            time.sleep(0.1)
            if self._nspawn.poll() is not None:
                skip_or_fail("systemd-nspawn cannot boot a container here")
            if children := path.read_text(encoding="ascii").split():
                return int(children[0])
        skip_or_fail("systemd-nspawn started nothing")
        raise AssertionError


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Make a small Debian from the machine's own package source, with our unit in it, and boot it."""
    if os.geteuid() != 0:
        skip_or_fail("a container takes root")
    for tool in ("debootstrap", "systemd-nspawn", "nsenter"):
        if shutil.which(tool) is None:
            skip_or_fail(f"{tool} is not installed (apt install debootstrap systemd-container)")
    root = tmp_path_factory.mktemp("machine") / "root"
    given = os.environ.get("NABD_DEBIAN_ROOT")
    if given:
        shutil.copytree(given, root, symlinks=True, ignore=shutil.ignore_patterns("dev"))
        (root / "dev").mkdir()
    else:
        include = "--include=systemd,systemd-sysv,dbus,python3"
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", include, "bookworm", str(root)],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if done.returncode:
            skip_or_fail(f"debootstrap made no Debian: {done.stdout[-300:]}")
    _install(root)
    machine = Machine(root)
    yield machine
    machine.stop()


def _install(root: Path) -> None:
    program = root / "opt/nabd/bin/nabd"
    program.parent.mkdir(parents=True)
    for name in ("src", "site"):
        (root / "opt/nabd" / name).mkdir()
    program.write_text(
        '#!/bin/sh\nPYTHONPATH=/opt/nabd/src:/opt/nabd/site exec /usr/bin/python3 -m gateway.cli "$@"\n',
        encoding="ascii",
    )
    program.chmod(0o755)
    (root / "etc/nabd").mkdir()
    (root / "etc/nabd/edge.toml").write_text(CONFIG, encoding="utf-8")
    shutil.copytree(ROOT / "systemd/sysusers.d", root / "etc/sysusers.d", dirs_exist_ok=True)
    shutil.copy(ROOT / "systemd" / UNIT, root / "etc/systemd/system")
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / UNIT).symlink_to(f"/etc/systemd/system/{UNIT}")


def test_it_is_ready_with_nothing_there(machine: Machine) -> None:
    """F19: no network, no adapter, no broker, and READY within ten seconds of the start, under the whole sandbox."""
    machine.wait(machine.active, 60)
    begun, ready = (int(machine.show(f"{name}TimestampMonotonic")) for name in ("ExecMainStart", "ActiveEnter"))
    assert ready - begun <= 10_000_000
    assert machine.show("NRestarts") == "0"


def test_it_can_be_reloaded(machine: Machine) -> None:
    """The reload is heard and leaves the same process running."""
    machine.wait(machine.active, 60)
    pid = machine.show("MainPID")
    machine.do("systemctl", "reload", UNIT)
    machine.wait(lambda: "reloaded" in machine.show("StatusText"), 20)
    machine.wait(machine.active, 20)
    assert machine.show("MainPID") == pid


def test_a_hung_one_is_started_anew(machine: Machine) -> None:
    """F17: within WatchdogSec and five seconds another process is ready."""
    machine.wait(machine.active, 60)
    pid, before = machine.show("MainPID"), int(machine.show("NRestarts"))
    machine.do("systemctl", "kill", "--signal=SIGSTOP", "--kill-whom=main", UNIT)
    took = machine.wait(lambda: int(machine.show("NRestarts")) > before, 60)
    # Half a second of looking, and RestartSec, which is five seconds too.
    assert took <= 30 + 5 + 5.5
    assert machine.show("Result") in ("success", "watchdog")
    machine.wait(machine.active, 30)
    assert machine.show("MainPID") != pid


def test_twenty_crashes_in_a_minute_do_not_end_it(machine: Machine) -> None:
    """F20: it is started anew after each; only the pause between is shorter here than in the unit."""
    machine.set_up("quick.conf", "[Service]\\nRestartSec=100ms\\n")
    begun, before = time.monotonic(), int(machine.show("NRestarts"))
    for crash in range(1, 21):
        machine.do("systemctl", "kill", "--signal=SIGKILL", "--kill-whom=main", UNIT)
        machine.wait(lambda crash=crash: int(machine.show("NRestarts")) >= before + crash, 20)
    assert time.monotonic() - begun <= 60
    machine.wait(machine.active, 30)
