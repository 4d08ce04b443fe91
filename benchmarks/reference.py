"""Loads as they are in cupboards and cellars, and far beyond them: L1 to L3, and L7 on a slow disk.

1. `everyday`: a P1 meter each second and eight meters of 15 registers on one 9600 baud line every ten. M-Bus meters,
   four answers in a quarter-hour, are left out.
2. `brutal_bus`: four 19,200 baud lines with eight meters of 60 registers each, every meter once a second.
3. `brutal_tcp`: a thousand Modbus TCP meters of 60 registers every ten seconds, 5 % slow and 1 % dead, twenty behind
   each of fifty hosts: a configuration takes 64 buses.
4. `slow_disk`: the second load on a disk that takes 200 ms to sync.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rig import Figure, Rig, rig
from benchmarks.watch import Run, watch
from drivers.quantities import QUANTITIES

BAUD, TURNAROUND = 19_200, 0.004
LINES, UNITS, REGISTERS = 4, 8, 60
HOSTS, BEHIND, DEAD = 50, 20, 10
P1 = """
[[line]]
name = "p1"
kind = "pty"
baud = 115200
[[meter]]
name = "p1"
line = "p1"
profile = "dsmr-p1"
"""


def profile(registers: int) -> str:
    """Make a meter model of 16-bit values side by side."""
    rows = list(QUANTITIES.values())[:registers]
    lines = [
        f'  {{ at = {at}, quantity = "{row.name}", unit = "{row.unit if row.unit != "1" else ""}", type = "u16" }},'
        for at, row in enumerate(rows)
    ]
    readings = ", ".join(f"{row.name} = 1.0" for row in rows)
    return (
        'name = "many"\ntitle = "Many registers"\ndriver = "modbus"\nsource = "benchmarks/reference.py"\n'
        'evidence = "one-source"\ntable = "input"\nregisters = [\n'
        + "\n".join(lines)
        + f'\n]\n[[examples]]\nbytes = {{ 0 = "{"0001 " * registers}" }}\nreadings = {{ {readings} }}\n'
    )


@contextlib.contextmanager
def child(*arguments: str) -> Iterator[str]:
    """Run a module of benchmarks for as long as the context lasts and give the first line it says."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def _configure(running: Rig, buses: str, registers: int) -> None:
    """Write the rig's configurations with these buses in place of its own."""
    running.ports.clear()
    running.configure("1s")
    (running.folder / "meters" / "many.toml").write_text(profile(registers), encoding="utf-8")
    with (running.folder / "edge.toml").open("a", encoding="utf-8") as edge:
        edge.write(buses)


def _line(name: str, device: str, baud: int, units: int, every: str, more: str = "") -> str:
    bus = f'[[bus]]\nname = "{name}"\ndriver = "modbus"\ndevice = "{device}"\nbaud = {baud}\n'
    return bus + _meters(name, units, every, more)


def _host(name: str, port: int) -> str:
    bus = f'[[bus]]\nname = "{name}"\ndriver = "modbus"\nurl = "tcp://127.0.0.1:{port}"\n'
    return bus + _meters(name, BEHIND, "10s")


def _meters(bus: str, units: int, every: str, more: str = "") -> str:
    rest = f'bus = "{bus}"\nprofile = "many"\nevery = "{every}"\n{more}'
    return "".join(f'[[meter]]\nname = "{bus}-{unit}"\naddress = {unit}\n{rest}' for unit in range(1, units + 1))


# --- the loads -------------------------------------------------------------------------------------------------------


def everyday(seconds: float) -> list[Figure]:
    """L1: what a house or a small building has."""
    with rig(1) as running, child("benchmarks.modbus_line", "9600", "0.02", "15") as device:
        scenario = running.folder / "p1.toml"
        scenario.write_text(P1, encoding="utf-8")
        wires = running.folder / "wires"
        with child("gateway.cli", "simulate", str(scenario), "--folder", str(wires)):
            p1 = f'[[bus]]\nname = "p1"\ndriver = "p1"\ndevice = "{wires / "p1"}"\n'
            p1 += '[[meter]]\nname = "p1"\nbus = "p1"\nprofile = "dsmr-p1"\nevery = "1s"\n'
            _configure(running, _line("rtu", device, 9600, 8, "10s") + p1, 15)
            run = watch(running, seconds, 10, 8)
    return [
        _figure("reference load (L1), CPU of one core", f"{run.cpu:.1%}", "<= 5 %", run.cpu <= 0.05),
        _figure("  memory of the edge", f"{run.rss:.0f} MB", "<= 80 MB", run.rss <= 80),
        _figure(f"  missed polls of {run.read} in {run.seconds:.0f} s", f"{run.missed}", "0", run.missed == 0),
    ]


def brutal_bus(seconds: float) -> list[Figure]:
    """L2: four lines that are busy six tenths of the time."""
    with rig(1) as running, lines(running):
        return bus_figures("32 meters x 60 registers at 1 Hz on 4 lines (L2)", watch(running, seconds, 1.0, 32))


@contextlib.contextmanager
def lines(running: Rig, more: str = "") -> Iterator[None]:
    """Have the four busy lines, and the configurations for them; `more` stands in each meter's table."""
    with contextlib.ExitStack() as stack:
        arguments = ("benchmarks.modbus_line", str(BAUD), str(TURNAROUND), str(REGISTERS))
        devices = [stack.enter_context(child(*arguments)) for _ in range(LINES)]
        buses = (_line(f"line{n}", device, BAUD, UNITS, "1s", more) for n, device in enumerate(devices))
        _configure(running, "".join(buses), REGISTERS)
        yield


def bus_figures(name: str, run: Run) -> list[Figure]:
    """Judge a run on the busy lines."""
    return [
        _figure(f"{name}, on schedule", f"{run.on_time:.2%}", ">= 99.5 %", run.on_time >= 0.995),
        _figure("  jitter, p99", f"{run.jitter * 1e3:.0f} ms", "< 100 ms", run.jitter < 0.1),
        _figure("  CPU of one core", f"{run.cpu:.0%}", "<= 50 %", run.cpu <= 0.5),
        _figure("  memory of the edge", f"{run.rss:.0f} MB", "<= 120 MB", run.rss <= 120),
    ]


def brutal_tcp(seconds: float) -> list[Figure]:
    """L3: a thousand meters; a slow one keeps those behind the same host waiting."""
    with rig(1) as running, child("benchmarks.modbus_town", str(HOSTS), str(DEAD)) as ports:
        buses = [_host(f"host{n}", port) for n, port in enumerate(json.loads(ports))]
        _configure(running, "".join(buses), REGISTERS)
        run = watch(running, seconds, 10.0, HOSTS * BEHIND - DEAD)
    value = run.flash / 86_400 / ((HOSTS * BEHIND - DEAD) * REGISTERS / 10)
    return [
        _figure(
            "1,000 Modbus TCP meters (L3), healthy polls in time", f"{run.on_time:.2%}", ">= 99 %", run.on_time >= 0.99
        ),
        _figure("  CPU of one core", f"{run.cpu:.0%}", "<= 80 %", run.cpu <= 0.8),
        _figure("  a command's way through broker and edge, p99", f"{run.way * 1e3:.0f} ms", "< 50 ms", run.way < 0.05),
        _figure("  what of it the edge took, p99", f"{run.lag * 1e3:.0f} ms", "none", reached=True),
        _figure("  memory of the edge", f"{run.rss:.0f} MB", "none", reached=True),
        _figure("  flash a value (W6)", f"{value:.1f} bytes", "<= 30", value <= 30),
        _figure("  a warning of that", run.warning or "none", "one, after 15 min", bool(run.warning) or seconds < 900),
    ]


def slow_disk(seconds: float) -> list[Figure]:
    """L7: the second load while each sync takes 200 ms."""
    if shutil.which("fusermount3") is None or not Path("/dev/fuse").exists():
        return [_figure("a disk of 200 ms a sync (L7)", "not measured: no FUSE", "none", reached=True)]
    with rig(1) as running, lines(running), _slow_journal(running):
        run = watch(running, seconds, 1.0, 32)
    windows = run.seconds / 10
    return [
        *bus_figures("the same on a disk of 200 ms a sync (L7)", run)[:1],
        _figure("  blocks waiting at the end", f"{run.pending}", "< 2 windows of them", run.pending <= 2 * 4),
        _figure("  commits of a window", f"{run.commits / windows:.1f}", ">= 0.5", run.commits >= windows / 2),
    ]


@contextlib.contextmanager
def _slow_journal(running: Rig) -> Iterator[None]:
    """Put a FUSE disk that syncs slowly where the journal will be."""
    journal = running.folder / "journal"
    journal.mkdir()
    with tempfile.TemporaryDirectory(prefix="nabd-slow-") as behind:
        disk = subprocess.Popen([sys.executable, "-m", "benchmarks.slow_disk", behind, str(journal)])
        try:
            while not (journal / "fault").exists():
                time.sleep(0.05)
            yield
        finally:
            for part in running.parts.values():
                part.stop()
            subprocess.run(["fusermount3", "-u", str(journal)], check=False)
            disk.kill()
            disk.wait()


def _figure(name: str, measured: str, target: str, reached: bool) -> Figure:
    return Figure(name, measured, target, reached)


def full() -> list[Figure]:
    """Every load for ten minutes, the one that must be warned of for fifteen."""
    return [*everyday(600), *brutal_bus(600), *brutal_tcp(900), *slow_disk(120)]


def quick() -> list[Figure]:
    """Every load for as long as it takes to see it."""
    return [*everyday(60), *brutal_bus(30), *brutal_tcp(40), *slow_disk(40)]
