"""What an edge weighs while it does next to nothing: every protocol configured, each meter read at an ordinary pace.

1. The shipped building stands on simulated wires: Modbus RTU, P1, SML, IEC 62056-21, M-Bus, wireless M-Bus, DLMS,
   wmbusmeters, pulses on a serial line and on GPIO. A meter on Modbus TCP joins it.
2. Twice: with meters that speak openly, and with those that cipher, which need the package that deciphers.
3. The proportional share is what ends when the process ends; resident memory counts libraries that others use too.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.rig import Figure, Process, Rig, installed, rig
from gateway.demo_files import edge_toml, key_files

SCENARIO = Path(__file__).parents[1] / "config" / "scenarios" / "building.toml"
MODBUS_TCP = """
[[line]]
name = "lan-1"
kind = "tcp"
[[meter]]
name = "office"
line = "lan-1"
profile = "abb-b23"
address = 1
household = "shop"
"""
EVERY = "10s"
TARGET = 50.0


def idle(seconds: float) -> list[Figure]:
    """Weigh an edge of each kind after so many seconds."""
    return [*_weigh("speaking openly", seconds, ciphered=False), *_weigh("two ciphering", seconds, ciphered=True)]


def _weigh(name: str, seconds: float, *, ciphered: bool) -> list[Figure]:
    with rig(1) as running:
        simulator, wires = _simulate(running, ciphered=ciphered)
        try:
            _configure(running, wires)
            edge = running.nabd("edge")
            running.wait_for("edge", seconds=60)
            time.sleep(seconds)
            share, resident = _memory(edge)
            heard = running.ask("edge")["read"]
        finally:
            simulator.stop()
    drivers, meters = len({line["driver"] for line in wires["lines"]}), len(wires["meters"])
    whole = f"idle edge, {drivers} protocols, {meters} meters, {name}"
    return [
        Figure(f"{whole}: resident", f"{resident:.1f} MB", f"<= {TARGET:.0f} MB", resident <= TARGET),
        Figure("  its own and its share of what is shared (PSS)", f"{share:.1f} MB", "<= 45 MB", share <= 45),
        Figure(f"  readings in {seconds:.0f} s", f"{heard}", f">= {meters}", heard >= meters),
    ]


def _simulate(running: Rig, *, ciphered: bool) -> tuple[Process, Mapping[str, Any]]:
    """Put the building's meters on their wires, and give what the simulator says of them."""
    text = SCENARIO.read_text(encoding="utf-8") + MODBUS_TCP
    if not ciphered:
        text = re.sub(r"^(key|form)\s.*\n", "", text, flags=re.MULTILINE)
    scenario, wires = running.folder / "building.toml", running.folder / "wires"
    scenario.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "gateway.cli", "simulate", str(scenario), "--folder", str(wires)]
    simulator = Process(subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True, env=installed()))
    listing = wires / "meters.json"
    while not listing.exists():
        if simulator.popen.poll() is not None:
            raise RuntimeError("the simulator did not start")
        time.sleep(0.1)
    return simulator, json.loads(listing.read_text(encoding="utf-8"))


def _configure(running: Rig, wires: Mapping[str, Any]) -> None:
    edge = edge_toml(f"mqtt://127.0.0.1:{running.broker_port}", wires, short_leak=False)
    for name, key in key_files(wires).items():
        path = running.folder / name
        path.write_text(key, encoding="ascii")
        path.chmod(0o600)
    (running.folder / "edge.toml").write_text(edge.replace('every = "1s"', f'every = "{EVERY}"'), encoding="utf-8")


def _memory(edge: Process) -> tuple[float, float]:
    """Give proportional and resident memory in MB."""
    text = Path(f"/proc/{edge.popen.pid}/smaps_rollup").read_text(encoding="ascii")
    sizes = dict(re.findall(r"^(Pss|Rss):\s+(\d+) kB", text, flags=re.MULTILINE))
    return int(sizes["Pss"]) / 1024, int(sizes["Rss"]) / 1024
