"""Podman in a machine of its own: mounts, processes and a network that leads nowhere vanish with the block.

1. The base images are Debian roots made by debootstrap, tagged with the names that our files ask for: nothing comes
   from a registry of images.
2. The packages of the image lie in a folder; while it is built nothing else can be reached.

All of it needs root, and only slow tests use it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from systemd.debian.wheels import BuildError, download
from tests.conftest import skip_or_fail
from tests.support.booted import ROOTS, host_architecture, need

CHECKOUT = Path(__file__).parents[2]
PYTHON_IMAGE = "docker.io/library/python:3.13-slim-trixie"
BROKER_IMAGE = "docker.io/library/eclipse-mosquitto:2"
COMPOSE = "podman-compose==1.6.0"
LAN = "192.168.1.20"

# What podman cannot do in a container like those that CI runs in: raise limits, talk to systemd.
ENGINE = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""

# A mount each, so that this machine's own images, networks and locks stay as they are. The second tree of control
# groups goes too, since crun refuses a machine that has both.
BOUNDARY = """
mount --bind {place}/images /var/lib/containers
mount -t tmpfs run /run
mount -t tmpfs shm /dev/shm
mkdir -p /var/lib/cni /etc/cni/net.d
mount -t tmpfs cni /var/lib/cni
mount --bind {place}/cni /etc/cni/net.d
umount /sys/fs/cgroup/unified 2>/dev/null || true
ip link set lo up
ip address add {lan}/24 dev lo
echo ready
exec {python} -c 'import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); [signal.pause() for _ in iter(int, 1)]'
"""


def base(name: str, suite: str, packages: str, then: str = "true") -> Path:
    """Make a small Debian root with these packages, or give the one made before; `then` runs in it."""
    made = ROOTS / name
    if made.exists():
        return made
    ROOTS.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=ROOTS))
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={packages}", suite, fresh],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(fresh)
        skip_or_fail(f"debootstrap {suite}: {done.stdout[-300:]}")
    subprocess.run(["chroot", fresh, "sh", "-ec", then], timeout=120, check=True)
    fresh.chmod(0o755)
    return fresh.rename(made)


class Engine:
    """Podman and podman-compose; `sh` runs a shell's lines that use them, `enter` gives any command's way in."""

    def __init__(self, place: Path) -> None:
        """Keep images and everything else in the folder `place`."""
        need("podman", "debootstrap", "nsenter", "unshare", "ip", "iptables")
        self.place = place
        for folder in ("images", "cni", "bin", "home", "wheels"):
            (place / folder).mkdir()
        (place / "containers.conf").write_text(ENGINE)

    def __enter__(self) -> Self:
        script = BOUNDARY.format(place=self.place, lan=LAN, python=sys.executable)
        command = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "sh", "-ec", script]
        self._holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text().split()
        self.leader = children[0]
        self._install_compose()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(AssertionError, subprocess.SubprocessError):
            self.sh("podman rm --all --force --time 5", timeout=60)
        os.kill(int(self.leader), signal.SIGKILL)
        self._holder.communicate()
        shutil.rmtree(self.place, ignore_errors=True)

    def enter(self, *command: str) -> list[str]:
        """Give the command that runs another inside."""
        return ["nsenter", "-t", self.leader, "-m", "-n", "-p", "--", *command]

    def sh(self, script: str, *, told: str = "", timeout: float = 120) -> str:
        """Run a shell's lines inside, in a home folder of their own, and give what they print."""
        done = subprocess.run(
            self.enter("sh", "-ec", f"cd {self.place}/home\n{script}"),
            input=told,
            env={
                "PATH": f"{self.place}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": str(self.place / "home"),
                "LANG": "C.UTF-8",
                "CONTAINERS_CONF": str(self.place / "containers.conf"),
            },
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def image(self, root: Path, name: str) -> None:
        """Take a root for an image."""
        left_out = " ".join(f"--exclude=./{path}" for path in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc"))
        self.sh(f"tar --create {left_out} --directory {root} . | podman import --quiet - {name}", timeout=300)

    def fetch_wheels(self) -> str:
        """Fetch what the image is made of, and give the options of `podman build` by which pip finds only that."""
        wheels = self.place / "wheels"
        try:
            for lock in ("build", "hub"):
                download(host_architecture(), "3.13", CHECKOUT / f"locks/{lock}.txt", wheels)
        except BuildError as error:
            skip_or_fail(f"no wheels: {error}")
        (self.place / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        return f"--volume {wheels}:/wheels:ro --volume {self.place}/pip.conf:/etc/pip.conf:ro --network host"

    def _install_compose(self) -> None:
        """Bring podman-compose: Debian 12's own does not know half of our file."""
        env = self.place / "compose"
        subprocess.run([sys.executable, "-m", "venv", env], timeout=120, check=True)
        pip = [str(env / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", COMPOSE]
        if subprocess.run(pip, timeout=300, capture_output=True, check=False).returncode:
            skip_or_fail(f"{COMPOSE} could not be installed")
        (self.place / "bin/podman-compose").symlink_to(env / "bin/podman-compose")


@contextlib.contextmanager
def meter_on_the_lan(engine: Engine, folder: Path) -> Iterator[None]:
    """Let a simulated Modbus TCP meter answer at 192.168.1.20."""
    scenario = folder / "meter.toml"
    line = f'[[line]]\nname = "lan"\nkind = "tcp"\nhost = "{LAN}"\nport = 502\n'
    scenario.write_text(line + '[[meter]]\nname = "m"\nline = "lan"\nprofile = "abb-b23"\naddress = 1\n')
    nabd = [sys.executable, "-m", "gateway.cli", "simulate", str(scenario), "--folder", str(folder / "wires")]
    command = ["nsenter", "-t", engine.leader, "-n", "--", *nabd, "--i-own-this-host"]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield
    finally:
        process.terminate()
        process.communicate(timeout=10)
