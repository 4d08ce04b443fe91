"""What a wireless M-Bus frame costs, from the stick's bytes to readings: in the clear, and in security modes 5 and 7.

The frames are a made-up water meter's. Where NABD_CAPTURES names the captured telegrams, the share of those made of
plain records that give every value stands beside, with the other kinds after it.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Literal

from benchmarks.rig import Figure
from simulator.wmbus_stick import WirelessMeter, im871a
from tests.support.wireless_values import tally

CAPTURES = Path(__file__).parent.parent.parent / "shared" / "captures"
KEY = bytes(range(16))
FRAMES = 20
TURNS = 5

# Each turn is a process of its own, which tells its CPU time; nothing is read twice without being deciphered anew.
READ = """
import json, sys, time
from collections import Counter
from drivers.profiles import load
from drivers.wmbus.compact import Formats
from drivers.wmbus.layers import unwrap
from drivers.wmbus.link import decode_frame
from drivers.wmbus.profile import read_message
from drivers.wmbus.sniff import Sniffer
layout = load("wmbus-water").layout
sniffer, formats = Sniffer(Counter()), Formats()
def read(data, key):
    return [
        read_message(layout, unwrap(decode_frame(caught.frame), key), formats).values
        for caught in sniffer.feed(data)
    ]
rounds, key, *frames = json.load(sys.stdin)
key, frames = bytes.fromhex(key) or None, [bytes.fromhex(frame) for frame in frames]
# A stick is named by its first frames; then each is one reading.
read(b"".join(frames), key)
assert all(len(read(frame, key)) == 1 and len(read(frame, key)[0]) == 2 for frame in frames)
start = time.process_time()
for _ in range(rounds):
    for frame in frames:
        read(frame, key)
print((time.process_time() - start) / rounds / len(frames) * 1e6)
"""


def frames(key: bytes | None, mode: Literal[5, 7]) -> list[str]:
    """Make what a stick says of a water meter's register and flow, in hexadecimal digits."""
    register = iter(range(54_321, 54_321 + FRAMES))
    meter = WirelessMeter("21050003", 7, lambda: {"water_volume": next(register), "water_flow": 127}, key, mode)
    return [im871a(meter.frame()).hex() for _ in range(FRAMES)]


def cost(rounds: int) -> list[Figure]:
    """CPU time of a frame of each kind, the median of five turns."""
    kinds: list[tuple[str, bytes | None, Literal[5, 7]]] = [
        ("in the clear", None, 5), ("in mode 5", KEY, 5), ("in mode 7", KEY, 7),
    ]  # fmt: skip
    jobs = {name: json.dumps([rounds, (key or b"").hex(), *frames(key, mode)]) for name, key, mode in kinds}
    runs: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(TURNS):
        for name, job in jobs.items():
            done = subprocess.run(
                [sys.executable, "-c", READ], input=job, capture_output=True, text=True, timeout=120, check=True
            )
            runs[name].append(float(done.stdout))
    return [
        Figure(f"us of CPU for a wireless frame {name}", f"{statistics.median(us):.0f}", "none", True)
        for name, us in runs.items()
    ]


def share() -> list[Figure]:
    """Count the captured telegrams that give every value."""
    folder = Path(os.environ.get("NABD_CAPTURES", CAPTURES))
    name = "plain captured telegrams with every value"
    if not (folder / "wmbus" / "index.json").is_file():
        return [Figure(name, "SKIPPED: NABD_CAPTURES names no folder", "none", True)]
    told = tally(folder)
    whole, plain = told.whole["plain"], told.kinds["plain"]
    figures = [Figure(name, f"{whole} of {plain}: {whole / plain:.1%}", ">= 98 %", whole >= 0.98 * plain)]
    others = [(kind, count) for kind, count in told.kinds.most_common() if kind != "plain"]
    return figures + [Figure(f"  {kind}", f"{told.whole[kind]} of {count}", "none", True) for kind, count in others]


def full() -> list[Figure]:
    """Long enough to be sure."""
    return cost(100) + share()


def quick() -> list[Figure]:
    """In seconds."""
    return cost(10) + share()
