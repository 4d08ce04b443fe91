"""What a P1 telegram costs, from bytes to a reading's values, beside dsmr-parser on the same telegram.

dsmr-parser (MIT) runs in an environment of its own, whose Python `NABD_PEERS` names:

    python3 -m venv peers && peers/bin/pip install dsmr-parser
    NABD_PEERS=$PWD/peers/bin/python ./run bench p1

Both check the checksum and read every line. They take turns, so that a busy machine slows both.
"""

import os
import statistics
import subprocess
import time
from zoneinfo import ZoneInfo

from benchmarks.rig import Figure
from drivers.contract import Keys
from drivers.p1.codec import Decoder, Telegram
from drivers.p1.profile import read_telegram
from drivers.p1.sealed import unseal
from drivers.profiles import load
from simulator.habits import Home
from simulator.households import Household
from simulator.p1_forms import Seal
from simulator.p1_server import telegram

TIMES_FASTER = 3.0

PEER = """
import sys, time
from dsmr_parser import telegram_specifications
from dsmr_parser.parsers import TelegramParser
text, count = sys.stdin.buffer.read().decode("ascii"), int(sys.argv[1])
parser = TelegramParser(telegram_specifications.V5)
parser.parse(text)
start = time.process_time()
for _ in range(count):
    parser.parse(text)
print((time.process_time() - start) / count)
"""


def ours(data: bytes, count: int) -> float:
    """Give seconds of CPU for one telegram: found in a stream, proven, parsed, read by the meter model."""
    layout = load("dsmr-p1").layout
    decoder = Decoder()
    start = time.process_time()
    for _ in range(count):
        (found,) = decoder.feed(data)
        assert isinstance(found, Telegram)
        assert read_telegram(layout, found).values
    return (time.process_time() - start) / count


def theirs(python: str, data: bytes, count: int) -> float:
    """Give the same of dsmr-parser, in a process of its own."""
    done = subprocess.run([python, "-c", PEER, str(count)], input=data, capture_output=True, check=True)
    return float(done.stdout)


def measure(rounds: int, count: int) -> list[Figure]:
    """Compare in turns and take the median of the ratios."""
    home = Household(Home(1))
    data = telegram(home, {1: ("gas", home)}, 1_768_478_520.0, ZoneInfo("Europe/Amsterdam"))
    own = [ours(data, count) for _ in range(rounds)]
    name = f"P1 telegram of {len(data)} bytes to values"
    figures = [Figure(name, f"{statistics.median(own) * 1e6:.0f} us", "< 1000 us", statistics.median(own) < 1e-3)]
    if python := os.environ.get("NABD_PEERS"):
        ratio = statistics.median(theirs(python, data, count) / ours(data, count) for _ in range(rounds))
        target = f">= {TIMES_FASTER:g}"
        figures.append(Figure("times as fast as dsmr-parser", f"{ratio:.1f}", target, ratio >= TIMES_FASTER))
    else:
        print("skip  dsmr-parser: NABD_PEERS names no Python that has it (see benchmarks/p1.py)")
    return [*figures, _unsealed(data, count)]


def _unsealed(data: bytes, count: int) -> Figure:
    keys = Keys(bytes(16), bytes(16))
    frame = Seal(bytes(16), bytes(16)).seal(data)
    unseal(frame, keys)
    start = time.process_time()
    for _ in range(count):
        unseal(frame, keys)
    cost = (time.process_time() - start) / count
    return Figure("the same telegram, proven and deciphered", f"{cost * 1e6:.0f} us more", "< 200 us", cost < 2e-4)


def full() -> list[Figure]:
    """Measure for half a minute."""
    return measure(7, 1500)


def quick() -> list[Figure]:
    """Measure for some seconds."""
    return measure(3, 300)
