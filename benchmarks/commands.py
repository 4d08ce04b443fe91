"""A flood of commands (S19): ten thousand a second, of one byte to a megabyte, while meters are read once a second."""

import contextlib
import sqlite3
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.rig import Figure, Process, rig

METERS = 8
RATE = 10_000
RSS_MB = 5.0
LATE = 0.1
"""Part of its interval by which a reading may be early or late."""


def flood(seconds: float) -> list[Figure]:
    """Watch an edge for so long in quiet, and for so long in the flood."""
    with rig(METERS) as running:
        running.configure("1s")
        running.nabd("hub")
        running.wait_for("hub")
        edge = running.nabd("edge")
        running.wait_for("edge")
        time.sleep(15)  # by now every module it needs is loaded, and a block has gone its way
        began = time.time()
        time.sleep(seconds)
        quiet, before = time.time(), edge.rss()
        command = [sys.executable, "-m", "benchmarks.flood", str(running.broker_port), str(seconds), str(RATE)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as flooding:
            most = _most(edge, flooding)
            sent = int((flooding.stdout.read() if flooding.stdout else "0") or 0)
        end = time.time()
        time.sleep(15)
        status = running.ask("edge")
        store = running.folder / "readings.sqlite"
        calm, wild = _late(store, began, quiet), _late(store, quiet, end)
    refused, done = sum(status["commands"]["refused"].values()), sum(status["commands"]["done"].values())
    fast, more = sent / (end - quiet), most - before
    return [
        Figure("hostile commands a second", f"{fast:.0f}", f">= {0.9 * RATE:.0f}", fast >= 0.9 * RATE),
        Figure("  refused, carried out", f"{refused}, {done}", "0 carried out", refused > 0 and not done),
        Figure("  memory of the edge", f"+{more:.1f} MB on {before:.0f}", f"< +{RSS_MB:g} MB", more < RSS_MB),
        Figure("  readings off, p99", f"{wild * 1e3:.0f} ms ({calm * 1e3:.0f} in quiet)", "< 100 ms", wild < LATE),
    ]


def _most(edge: Process, flooding: "subprocess.Popen[str]") -> float:
    """Give the most memory it took while the flood lasts, in MB."""
    most = edge.rss()
    while flooding.poll() is None:
        time.sleep(0.2)
        most = max(most, edge.rss())
    return most


def _late(store: Path, since: float, until: float) -> float:
    """Give how far readings were from a second after the one before, in seconds: 99 of 100 were nearer."""
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT meter, ts FROM reading WHERE ts BETWEEN ? AND ? ORDER BY meter, ts", (since * 1000, until * 1000)
        ).fetchall()
    gaps = [abs(b[1] - a[1] - 1000) / 1000 for a, b in pairwise(rows) if a[0] == b[0]]
    return float(statistics.quantiles(gaps, n=100)[-1])


def full() -> list[Figure]:
    """A minute of each."""
    return flood(60)


def quick() -> list[Figure]:
    """As long as it takes to see it."""
    return flood(15)
