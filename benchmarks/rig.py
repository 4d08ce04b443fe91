"""The bench of the benchmarks: simulated meters, a broker, a hub and an edge, each its own process, and their costs.

CPU is read from the kernel's scheduler figures (nanoseconds, all threads) and counted against the answers the meters
gave, so the same yardstick serves Nabd and the floor. Nothing here imports what it measures.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

METERS = 32
VALUES = 20

PROFILE = """name = "bench-20"
title = "Twenty floats of a benchmark"
driver = "modbus"
source = "benchmarks/meters.py"
evidence = "one-source"
table = "input"
registers = [
{rows}
]

[[examples]]
bytes = {{ 0x0000 = "{example}" }}
readings = {{ {readings} }}
"""
QUANTITIES = [
    ("voltage_l1", "V"), ("voltage_l2", "V"), ("voltage_l3", "V"),
    ("current_l1", "A"), ("current_l2", "A"), ("current_l3", "A"),
    ("power_l1", "W"), ("power_l2", "W"), ("power_l3", "W"),
    ("power", "W"), ("apparent_power", "VA"), ("reactive_power", "var"), ("power_factor", ""), ("frequency", "Hz"),
    ("energy_import", "kWh"), ("energy_export", "kWh"),
    ("energy_import_l1", "kWh"), ("energy_import_l2", "kWh"), ("energy_import_l3", "kWh"), ("current_n", "A"),
]  # fmt: skip


def profile() -> str:
    """Make the meter model of benchmarks/meters.py: twenty floats side by side."""
    rows = "\n".join(
        f'  {{ at = {2 * index}, quantity = "{name}", unit = "{unit}", type = "f32" }},'
        for index, (name, unit) in enumerate(QUANTITIES)
    )
    readings = ", ".join(f"{name} = 1.0" for name, _ in QUANTITIES)
    return PROFILE.format(rows=rows, example=" ".join(["3F80 0000"] * VALUES), readings=readings)


def installed() -> dict[str, str]:
    """Give the environment of an installed program: it keeps compiled modules, whatever this shell is told."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def free_port() -> int:
    """Name a port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class Process:
    """One part under measurement."""

    popen: "subprocess.Popen[str]"

    def cpu(self) -> float:
        """Give the seconds of CPU all its threads took so far."""
        total = 0
        for thread in Path(f"/proc/{self.popen.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((thread / "schedstat").read_text(encoding="ascii").split()[0])
        return total / 1e9

    def rss(self) -> float:
        """Give its resident memory in MB."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def stop(self) -> None:
        """End it, gently first."""
        self.popen.terminate()
        try:
            self.popen.wait(10)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


@dataclass
class Listener:
    """What hears live values; it writes to a file, since a full pipe would make it deaf."""

    popen: "subprocess.Popen[str]"
    path: Path

    def wait_for_lines(self, count: int) -> None:
        """Wait until it has heard so many lines, the word "ready" being the first."""
        while self.path.read_text(encoding="utf-8").count("\n") < count:
            time.sleep(0.005)

    def stop(self) -> list[str]:
        """End it and give what it heard."""
        self.popen.kill()
        self.popen.wait()
        return self.path.read_text(encoding="utf-8").splitlines()[1:]


@dataclass
class Rig:
    """What is running; `meters` counts answers, `folder` holds configurations and state."""

    folder: Path
    meters: Process
    ports: list[int]
    broker: Process
    broker_port: int
    parts: dict[str, Process] = field(default_factory=dict)

    def answers(self) -> int:
        """Ask the meters how many answers they gave."""
        assert self.meters.popen.stdin
        assert self.meters.popen.stdout
        self.meters.popen.stdin.write("\n")
        self.meters.popen.stdin.flush()
        return int(self.meters.popen.stdout.readline())

    def nabd(self, command: str) -> Process:
        """Start `nabd COMMAND` with its configuration in the folder."""
        with (self.folder / f"{command}.log").open("w") as log:
            popen = subprocess.Popen(
                [sys.executable, "-m", "gateway.cli", command, "-c", str(self.folder / f"{command}.toml")],
                stderr=log,
                stdout=log,
                text=True,
                env=installed(),
            )
        self.parts[command] = Process(popen)
        return self.parts[command]

    def listen(self, pattern: str) -> "Listener":
        """Start a listener to live values; it listens when this returns."""
        path = self.folder / "live.txt"
        with path.open("w") as out:
            command = [sys.executable, "-m", "benchmarks.listen", str(self.broker_port), pattern]
            listener = Listener(subprocess.Popen(command, stdout=out, text=True), path)
        listener.wait_for_lines(1)
        return listener

    def configure(self, every: str, *, live_every: str = "1s", window: str = "10s") -> None:
        """Write the configurations of hub and edge."""
        url = f"mqtt://127.0.0.1:{self.broker_port}"
        meters = self.folder / "meters"
        meters.mkdir(exist_ok=True)
        (meters / "bench-20.toml").write_text(profile(), encoding="utf-8")
        (self.folder / "hub.toml").write_text(
            f'[hub]\ndatabase = "hub.sqlite"\n[mqtt]\nurl = "{url}"\n[store]\npath = "readings.sqlite"\n'
            f'[web]\nlisten = "127.0.0.1:{free_port()}"\n',
            encoding="utf-8",
        )
        edge = [
            (
                '[gateway]\nid = "bench"\n[clock]\ntrust = "system"\n'
                f'[journal]\nfolder = "journal"\nwindow = "{window}"\n'
                f'[mqtt]\nurl = "{url}"\nlive_every = "{live_every}"\n'
            )
        ]
        for index, port in enumerate(self.ports):
            edge.append(
                f'[[bus]]\nname = "bus-{index}"\ndriver = "modbus"\nurl = "tcp://127.0.0.1:{port}"\n'
                f'[[meter]]\nname = "m{index}"\nbus = "bus-{index}"\nprofile = "bench-20"\nevery = "{every}"\n'
            )
        (self.folder / "edge.toml").write_text("".join(edge), encoding="utf-8")

    def ask(self, program: str) -> dict[str, Any]:
        """Ask a running part for its status, through the command people use."""
        answer = subprocess.run(
            [sys.executable, "-m", "gateway.cli", "status", "--json", "-c", str(self.folder / f"{program}.toml")],
            capture_output=True,
            text=True,
            check=False,
        )
        return dict(json.loads(answer.stdout)) if answer.returncode == 0 else {}

    def wait_for(self, program: str, *, seconds: float = 20) -> None:
        """Wait until a part answers."""
        until = time.monotonic() + seconds
        while not self.ask(program):
            if time.monotonic() > until:
                log = (self.folder / f"{program}.log").read_text(encoding="utf-8")
                raise RuntimeError(f"{program} did not start: {log[-2000:]}")
            time.sleep(0.2)


@contextlib.contextmanager
def rig(count: int = METERS) -> Iterator[Rig]:
    """Start meters and a broker: Mosquitto where it is installed, else the embedded one."""
    with tempfile.TemporaryDirectory(prefix="nabd-bench-") as name:
        folder = Path(name)
        meters = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.meters", str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert meters.stdout
        ports = json.loads(meters.stdout.readline())
        port = free_port()
        broker = subprocess.Popen(broker_command(folder, port), stderr=subprocess.DEVNULL, text=True)
        running = Rig(folder, Process(meters), ports, Process(broker), port)
        try:
            wait_for_port(port)
            yield running
        finally:
            for part in [*reversed(running.parts.values()), running.broker, running.meters]:
                part.stop()


def broker_command(folder: Path, port: int) -> list[str]:
    """Give the command line of the broker at hand."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        return [sys.executable, "-m", "gateway.broker", "--port", str(port)]
    settings = folder / "mosquitto.conf"
    # As config/mosquitto/nabd.conf: with Mosquitto's own 1,000 and 20 the broker would be what is measured.
    queues = "max_queued_messages 0\nmax_inflight_messages 100\n"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n{queues}", encoding="ascii")
    return [program, "-c", str(settings)]


def wait_for_port(port: int) -> None:
    """Wait until something listens."""
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on port {port}")


@dataclass(frozen=True)
class Figure:
    """One line of the report: what was measured, what it should be, and whether it is."""

    name: str
    measured: str
    target: str
    reached: bool

    def __str__(self) -> str:
        """One line for people."""
        return f"{'ok  ' if self.reached else 'MISS'}  {self.name:58} {self.measured:>24}   target {self.target}"
