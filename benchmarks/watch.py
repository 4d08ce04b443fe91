"""Watches an edge under load: what it cost, and whether every poll came when it was due.

The store's own times say whether polls were on schedule; a command through the broker says how long the edge's event
loop lets one wait.
"""

import contextlib
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rig import Rig

SETTLE = 8.0


@dataclass
class Run:
    """What a run of `seconds` cost and gave; `on_time` is the part of the readings due that came.

    `jitter` is the 99th percentile of how far a reading was from its meter's own grid, `way` that of a command's way
    through broker and edge, `lag` that of how much longer this took than the broker's way alone, in seconds. `cpu` is
    the part of one core, `rss` MB at the end, `flash` the bytes a day that the edge says it writes, and `warning` what
    it says of that.
    """

    seconds: float
    read: int
    missed: int
    on_time: float
    jitter: float
    way: float
    lag: float
    cpu: float
    rss: float
    commits: int
    pending: int
    flash: int
    warning: str


def watch(
    running: Rig, seconds: float, every: float, healthy: int, meanwhile: Callable[[], None] = lambda: None
) -> Run:
    """Start hub and edge, let them settle, and watch; `healthy` meters are due once in `every` seconds.

    `meanwhile` is called once when the watch begins.
    """
    running.nabd("hub")
    running.wait_for("hub")
    edge = running.nabd("edge")
    running.wait_for("edge", seconds=60)
    time.sleep(SETTLE)
    meanwhile()
    lags, thread = _lags(running, seconds)
    before, cpu, began, start = running.ask("edge"), edge.cpu(), time.monotonic(), time.time()
    thread.wait()
    after, passed, end = running.ask("edge"), time.monotonic() - began, time.time()
    cpu, rss = (edge.cpu() - cpu) / passed, edge.rss()
    time.sleep(12)  # the last window and its way to the store
    last = running.ask("edge")
    rounds = int((end - start) / every)
    ways = [tuple(map(float, line.split())) for line in lags.read_text(encoding="ascii").splitlines()]
    good, jitter = _schedule(running, every, start, start + rounds * every)
    return Run(
        passed,
        _sum(after, "read") - _sum(before, "read"),
        _sum(after, "missed") - _sum(before, "missed"),
        good / (healthy * rounds),
        jitter,
        percentile([way for way, _ in ways]),
        percentile([way - echo for way, echo in ways]),
        cpu,
        rss,
        after["journal"]["commits"] - before["journal"]["commits"],
        last["journal"]["pending"],
        last["flash"]["a_day"] or 0,
        last["flash"]["warning"],
    )


def _lags(running: Rig, seconds: float) -> tuple[Path, "subprocess.Popen[str]"]:
    path = running.folder / "lags.txt"
    with path.open("w") as out:
        command = [sys.executable, "-m", "benchmarks.lag", str(running.broker_port), str(seconds)]
        return path, subprocess.Popen(command, stdout=out, text=True)


def _sum(status: dict[str, list[dict[str, list[dict[str, int]]]]], what: str) -> int:
    return sum(meter[what] for bus in status["buses"] for meter in bus["meters"])


def _schedule(running: Rig, every: float, start: float, end: float) -> tuple[int, float]:
    """Count the readings of this time, which is whole intervals; give the 99th percentile of their jitter too."""
    with contextlib.closing(sqlite3.connect(running.folder / "readings.sqlite")) as database:
        rows = database.execute(
            "SELECT meter, ts FROM reading WHERE ts BETWEEN ? AND ? AND meter NOT LIKE '%_p1'",
            (start * 1000, end * 1000),
        ).fetchall()
    meters: dict[str, list[float]] = {}
    for meter, ts in rows:
        meters.setdefault(meter, []).append(ts / 1000)
    offsets: list[float] = []
    for times in meters.values():
        grid = statistics.median_low([ts % every for ts in times])  # no mean of both ends of a grid that lies at 0
        offsets.extend(abs((ts - grid + every / 2) % every - every / 2) for ts in times)
    return len(offsets), percentile(offsets)


def percentile(values: list[float], part: float = 0.99) -> float:
    """Give the value that this part of all stays below."""
    return sorted(values)[int(part * (len(values) - 1))] if values else float("nan")
