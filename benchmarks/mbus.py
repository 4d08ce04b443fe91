"""What an M-Bus answer costs: ours beside pyMeterBus, on answers of a made-up heat meter with sixteen records.

The peer lives in an environment of its own: NABD_PEERS names a Python that has it. Each side runs as a process that
reads the same answers, in turns, and tells its CPU time.
"""

import json
import os
import statistics
import subprocess
import sys

from benchmarks.rig import Figure

OURS = """
from drivers.mbus.frames import decode
from drivers.mbus.telegram import decode_telegram
def read(data):
    frame = decode(data)
    return [record.value for record in decode_telegram(frame.ci, frame.data).records.records]
"""
PYMETERBUS = """
import meterbus
def read(data):
    return [record.value for record in meterbus.load(data).records]
"""
CLOCK = """
import json, sys, time
rounds, *answers = json.load(sys.stdin)
answers = [bytes.fromhex(answer) for answer in answers]
assert all(len(read(answer)) == 16 for answer in answers)
start = time.process_time()
for _ in range(rounds):
    for answer in answers:
        read(answer)
print((time.process_time() - start) / rounds / len(answers) * 1e6)
"""
HEADER = bytes.fromhex("78563412 ae4c 01 04 2a 00 0000")
DATE = bytes.fromhex("046d 3214 7a18")
INTEGERS = (b"\x04\x06", b"\x04\x14", b"\x84\x10\x06", b"\x84\x20\x06", b"\x44\x06", b"\x44\x14")
SHORT = (b"\x02\x2a", b"\x02\x3b", b"\x02\x5a", b"\x02\x5e", b"\x02\x62", b"\x32\x2a")
DIGITS = (b"\x0c\x78", b"\x4c\x06", b"\x8c\x01\x06")


def answers() -> list[str]:
    """Make answers as meters of today give them, in hexadecimal digits."""
    made = []
    for number in range(20):
        body = HEADER + DATE
        body += b"".join(head + (10**6 + number).to_bytes(4, "little") for head in INTEGERS)
        body += b"".join(head + (300 + number).to_bytes(2, "little") for head in SHORT)
        body += b"".join(head + bytes.fromhex(f"{12345600 + number}")[::-1] for head in DIGITS)
        frame = b"\x08\x05\x72" + body
        made.append((b"\x68" + bytes((len(frame),)) * 2 + b"\x68" + frame + bytes((sum(frame) % 256, 0x16))).hex())
    return made


def _us(python: str, read: str, rounds: int) -> float | None:
    """Give us of CPU an answer; None where the peer is missing or cannot read."""
    job = json.dumps([rounds, *answers()])
    done = subprocess.run(
        [python, "-c", read + CLOCK], input=job, capture_output=True, text=True, timeout=120, check=False
    )
    return float(done.stdout) if done.returncode == 0 else None


def cost(rounds: int) -> list[Figure]:
    """CPU time of an answer, ours and theirs, the median of five turns."""
    peers = os.environ.get("NABD_PEERS")
    sides = {"ours": (sys.executable, OURS)} | ({"pymeterbus": (peers, PYMETERBUS)} if peers else {})
    runs: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(5):
        for name, (python, read) in sides.items():
            us = _us(python, read, rounds)
            if us is not None:
                runs[name].append(us)
    ours = statistics.median(runs["ours"])
    figures = [Figure("us of CPU for an M-Bus answer of 16 records", f"{ours:.0f}", "none", True)]
    if not runs.get("pymeterbus"):
        return [*figures, Figure("  pymeterbus", "SKIPPED: NABD_PEERS names no Python that has it", "none", True)]
    theirs = statistics.median(runs["pymeterbus"])
    text = f"{theirs:.0f}, ours costs {ours / theirs:.2f} of it"
    return [*figures, Figure("  pymeterbus", text, "<= 0.33", ours / theirs <= 1 / 3)]


def full() -> list[Figure]:
    """Long enough to be sure."""
    return cost(50)


def quick() -> list[Figure]:
    """In seconds."""
    return cost(10)
