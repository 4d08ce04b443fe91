"""Fresh Debians to install Nabd on: one that systemd boots in a container, one of a foreign processor under emulation.

Roots are made by debootstrap once and kept in NABD_ROOTS (a folder of the temporary one by default); each test works
on a copy. All of it needs root, and only slow tests use it.
"""

import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from systemd.debian.wheels import MACHINES
from tests.conftest import skip_or_fail

CHECKOUT = Path(__file__).parents[2]
ROOTS = Path(os.environ.get("NABD_ROOTS", Path(tempfile.gettempdir()) / "nabd-roots"))
INCLUDED = "systemd,systemd-sysv,dbus,python3,tzdata,iproute2,sudo"
METER = """
[[line]]
name = "lan"
kind = "tcp"
host = "192.168.1.20"
port = 502
[[meter]]
name = "m"
line = "lan"
profile = "abb-b23"
address = 1
"""
CONTROL = Path("/sys/fs/cgroup")
BINFMT = Path("/proc/sys/fs/binfmt_misc")
QEMU = {"arm64": "qemu-aarch64", "armhf": "qemu-arm"}
HOUSE = """
[gateway]
id = "home"
[clock]
trust = "system"
[journal]
window = "1s"
[[bus]]
name = "lan"
driver = "modbus"
url = "tcp://192.168.1.20:502"
[[meter]]
name = "m"
bus = "lan"
profile = "abb-b23"
address = 1
every = "1s"
"""
"""The configuration of a house that reads one meter each second, at the address of `meter_beside`."""


def host_architecture() -> str:
    """Name this machine as Debian does."""
    return next((debian for debian, wheel in MACHINES.items() if wheel == platform.machine()), platform.machine())


def need(*programs: str) -> None:
    """Skip unless root may do all this here."""
    if os.geteuid() != 0:
        skip_or_fail("booting a Debian needs root")
    for program in programs:
        if shutil.which(program) is None:
            skip_or_fail(f"{program} is not here (apt install debootstrap systemd-container qemu-user-static)")


def root(suite: str, architecture: str = "", more: str = "") -> Path:
    """Make the root of a Debian, or give the one made before."""
    need("debootstrap", "systemd-nspawn")
    made = ROOTS / "-".join(filter(None, (suite, architecture)))
    if made.exists():
        return made
    ROOTS.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{made.name}-", dir=ROOTS))
    foreign = [f"--arch={architecture}"] if architecture else []
    included = f"--include={INCLUDED}{more}"
    command = ["debootstrap", *foreign, "--variant=minbase", included, suite, str(fresh)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        shutil.rmtree(fresh)
        skip_or_fail(f"debootstrap {suite} {architecture}: {done.stdout[-300:]}")
    fresh.chmod(0o755)
    return fresh.rename(made)


@contextmanager
def copy(made: Path) -> Iterator[Path]:
    """Copy a root for one test, and delete the copy after it."""
    folder = Path(tempfile.mkdtemp(prefix="nabd-root-"))
    place = folder / "root"
    subprocess.run(["cp", "-a", "--reflink=auto", made, place], timeout=120, check=True)
    try:
        yield place
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _control_groups(name: str) -> list[Path]:
    """Make the groups in which one booted root keeps its services: two that shared them would kill each other's."""
    made = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, kind, own = line.split(":", 2)
        places = {"name=systemd": ["systemd"], "": ["unified", "."]}.get(kind, [])
        mounted = next((CONTROL / place for place in places if (CONTROL / place / "cgroup.procs").exists()), None)
        if mounted is not None:
            group = mounted / own.strip("/") / name
            group.mkdir()
            made.append(group)
    return made


class Booted:
    """A root with its own systemd and a network of its own that leads nowhere; `start` and `stop`, or a context."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Boot it, and wait until systemd says it runs."""
        command = ["systemd-nspawn", "--quiet", f"--directory={self.place}", "--boot", "--register=no", "--keep-unit"]
        self._groups = _control_groups(self.place.parent.name)
        entering = "".join(f"echo 0 > {shlex.quote(str(group))}/cgroup.procs && " for group in self._groups)
        self._process = subprocess.Popen(
            ["sh", "-c", f'{entering}exec "$@"', "sh", *command, "--private-network", "--console=pipe"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 60
        while self.run("systemctl", "is-system-running", check=False).stdout.strip() not in {"running", "degraded"}:
            assert time.monotonic() < end, "systemd did not boot"
            time.sleep(0.2)

    def stop(self) -> None:
        """Power it off."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for group in self._groups:
            for folder in [*sorted(group.rglob("*/"), reverse=True), group]:
                with suppress(OSError):
                    folder.rmdir()

    @property
    def leader(self) -> int:
        """The process id of its systemd; 0 before there is one."""
        number = self._process.pid
        with suppress(OSError):
            children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
            return int(children[-1]) if children else 0
        return 0

    def entering(self, *command: str) -> list[str]:
        """Give the command that runs another inside."""
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--", *command]

    def run(
        self, *command: str, told: str = "", timeout: float = 120, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside as its root; `told` is its standard input."""
        if not self.leader:
            return subprocess.CompletedProcess(command, 1, "", "not booted yet")
        clean = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8")
        done = subprocess.run(
            self.entering(*clean, *command),
            input=told,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            start_new_session=True,  # a script that kills what does not run must not mean us
        )
        if check:
            assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def sh(self, script: str, *, told: str = "", timeout: float = 120, check: bool = True) -> str:
        """Run a shell's lines inside and give what they print."""
        done = self.run("sh", "-ec", script, told=told, timeout=timeout, check=check)
        return done.stdout + done.stderr

    def put(self, path: Path, folder: str = "/root") -> str:
        """Copy a file in and give its path there."""
        shutil.copy(path, self.place / folder.strip("/"))
        return f"{folder}/{path.name}"


@contextmanager
def meter_beside(machine: Booted, folder: Path) -> Iterator[None]:
    """Let a simulated Modbus TCP meter answer at 192.168.1.20 in the network of a booted machine."""
    machine.sh("ip address add 192.168.1.20/24 dev lo")
    scenario = folder / "meter.toml"
    scenario.write_text(METER)
    nabd = [sys.executable, "-m", "gateway.cli", "simulate", str(scenario), "--folder", str(folder / "wires")]
    process = subprocess.Popen(
        ["nsenter", "-t", str(machine.leader), "-n", "--", *nabd, "--i-own-this-host"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield
    finally:
        process.terminate()
        process.communicate(timeout=10)


@contextmanager
def emulated(architecture: str) -> Iterator[None]:
    """Let the kernel run programs of another processor by qemu, as long as the block lasts."""
    need(f"{QEMU[architecture]}-static")
    if not (BINFMT / "register").exists():
        done = subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT], capture_output=True, check=False)
        if done.returncode:
            skip_or_fail("this kernel runs no programs of other processors (binfmt_misc)")
    ours = BINFMT / QEMU[architecture]
    known = ours.exists()
    if not known:
        (BINFMT / "register").write_text(Path(f"/usr/lib/binfmt.d/{QEMU[architecture]}.conf").read_text())
    try:
        yield
    finally:
        if not known:
            ours.write_text("-1")


def chrooted(place: Path, script: str, timeout: float = 600) -> str:
    """Run a shell's lines in a root that is not booted, with /proc, and give what they print."""
    inside = f"mount -t proc proc {place}/proc && exec chroot {place} sh -ec '{script}'"
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-c", inside],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"},
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
