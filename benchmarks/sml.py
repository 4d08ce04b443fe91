"""What an SML telegram costs: ours beside pysml and smllib, on telegrams of a made-up meter with sixteen values.

The peers live in an environment of their own: NABD_PEERS names a Python that has them. Each runs as a process that
reads the same telegrams, in turns with ours, and tells its CPU time.
"""

import json
import os
import statistics
import subprocess
import sys

from benchmarks.rig import Figure
from simulator.sml_server import A, V, W, entry, push, signed, unsigned

OURS = """
from drivers.sml.codec import Decoder
decoder = Decoder()
def read(data):
    return len(decoder.feed(data)[0].entries)
"""
PYSML = """
from sml import SmlBase
def read(data):
    return len(SmlBase.parse_frame(data))
"""
SMLLIB = """
from smllib import SmlStreamReader
reader = SmlStreamReader()
def read(data):
    reader.add(data)
    return len(reader.get_frame().parse_frame())
"""
CLOCK = """
import json, sys, time
rounds, *telegrams = json.load(sys.stdin)
telegrams = [bytes.fromhex(telegram) for telegram in telegrams]
assert all(map(read, telegrams))
start = time.process_time()
for _ in range(rounds):
    for telegram in telegrams:
        read(telegram)
print((time.process_time() - start) / rounds / len(telegrams) * 1e6)
"""


def telegrams() -> list[str]:
    """Make telegrams as meters of today send them, in hexadecimal digits."""
    server = bytes.fromhex("0A014E42440000BC614E")
    made = []
    for number in range(20):
        rows = [entry(f"1-0:{n}.8.{t}*255", unsigned(10**8 + number, 8), 30, -1) for n in (1, 2) for t in (0, 1, 2)]
        rows += [entry(f"1-0:{c}.7.0*255", signed(number - 310, 4), W, 0) for c in (16, 36, 56, 76)]
        rows += [entry(f"1-0:{c}.7.0*255", unsigned(2300 + number, 2), V, -1) for c in (32, 52, 72)]
        rows += [entry(f"1-0:{c}.7.0*255", unsigned(170 + number, 2), A, -2) for c in (31, 51, 71)]
        made.append(push(server, rows, number, number).hex())
    return made


def _us(python: str, read: str, rounds: int) -> float | None:
    """Give us of CPU a telegram; None where the peer is missing or cannot read."""
    job = json.dumps([rounds, *telegrams()])
    done = subprocess.run(
        [python, "-c", read + CLOCK], input=job, capture_output=True, text=True, timeout=120, check=False
    )
    return float(done.stdout) if done.returncode == 0 else None


def cost(rounds: int) -> list[Figure]:
    """CPU time of a telegram, ours and theirs, the median of five turns."""
    peers = os.environ.get("NABD_PEERS")
    sides = {"ours": (sys.executable, OURS)}
    if peers:
        sides |= {"pysml": (peers, PYSML), "smllib": (peers, SMLLIB)}
    runs: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(5):
        for name, (python, read) in sides.items():
            us = _us(python, read, rounds)
            if us is not None:
                runs[name].append(us)
    ours = statistics.median(runs["ours"])
    figures = [Figure("us of CPU for an SML telegram of 16 values", f"{ours:.0f}", "none", True)]
    for name, most in (("pysml", 1 / 3), ("smllib", 1.5)):
        if not runs.get(name):
            figures.append(Figure(f"  {name}", "SKIPPED: NABD_PEERS names no Python that has it", "none", True))
            continue
        theirs = statistics.median(runs[name])
        text = f"{theirs:.0f}, ours costs {ours / theirs:.2f} of it"
        figures.append(Figure(f"  {name}", text, f"<= {most:.2f}", ours / theirs <= most))
    return figures


def full() -> list[Figure]:
    """Long enough to be sure."""
    return cost(100)


def quick() -> list[Figure]:
    """In seconds."""
    return cost(10)
