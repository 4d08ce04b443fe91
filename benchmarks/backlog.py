"""A week without a broker: how the edge starts, what it takes to drain, and what live readings notice of it.

1. `fill` writes the week straight into a journal, through the journal itself but many windows to a commit: a P1 meter
   every second, eight meters every ten seconds, 7.3 million values in all.
2. The edge runs a moment, as it did all week, and leaves in order: its alert engine's state lies in the journal then.
3. It starts again beside a hub, polling 32 meters; a listener takes the age of the live readings when their block
   reaches the broker.

`python -m benchmarks.backlog DAYS SECONDS` does it for tests.
"""

import asyncio
import math
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rig import Figure, Process, Rig, rig
from gateway import control
from gateway.journal import Journal

DAY = 86_400
WINDOW = 10
PER_COMMIT = 200
"""Windows in one transaction while filling: an edge commits each by itself, which is not what is measured here."""


def meters() -> list[tuple[str, int, list[str]]]:
    """Give the reference load: (meter, every so many seconds, its values)."""
    phases = [f"{name}_l{phase}" for name in ("voltage_v", "current_a", "power_w") for phase in (1, 2, 3)]
    phases = [f"{p.split('_')[0]}_{p.split('_')[2]}_{p.split('_')[1]}" for p in phases]
    modbus = [
        *phases,
        "power_w",
        "power_factor",
        "frequency_hz",
        "energy_import_wh",
        "energy_export_wh",
        "water_volume_l",
    ]
    p1 = ["power_import_w", "power_export_w", "energy_import_t1_wh", "energy_import_t2_wh"]
    return [("backlog_p1", 1, p1), *((f"backlog_m{n}", 10, modbus) for n in range(8))]


def readings(days: float, until_ms: int) -> Iterator[list[tuple[str, int, dict[str, float]]]]:
    """Give window after window of (meter, ts, values), up to `until_ms`; values wander as real ones do."""
    dice = random.Random(7)
    start = until_ms - round(days * DAY) * 1000
    known = {meter: {key: dice.uniform(100, 90_000) for key in keys} for meter, _, keys in meters()}
    for window in range(round(days * DAY / WINDOW)):
        rows = []
        for meter, every, keys in meters():
            values = known[meter]
            for second in range(0, WINDOW, every):
                for key in keys:
                    if "energy" in key or "volume" in key:
                        values[key] = round(values[key] + dice.random() * 5, 1)
                    else:
                        values[key] = round(230 + 20 * math.sin(window / 97) + dice.gauss(0, 1), 1)
                rows.append((meter, start + (window * WINDOW + second) * 1000, dict(values)))
        yield rows


async def fill(folder: Path, days: float, gw: str) -> tuple[int, int, float]:
    """Write so many days into the journal in `folder`; give its readings, its blocks, and how long the oldest took."""
    now = time.time_ns() // 1_000_000
    clock = [now]
    journal = await Journal.open(
        folder, gw=gw, mirror=None, window=WINDOW, wall=lambda: clock[0], clock_state=lambda: "synced", boot="bench"
    )
    for number, window in enumerate(readings(days, now - 60_000)):
        for meter, ts, values in window:
            journal.add(meter, ts, 0, 0, values)
        clock[0] = window[-1][1]
        journal.shut()
        if number % PER_COMMIT == PER_COMMIT - 1:
            await journal.flush()
    await journal.flush()
    stats = journal.stats()
    asked = time.perf_counter()
    await journal.load(journal.pending()[0])
    asked = time.perf_counter() - asked
    clock[0] = now
    await journal.close()
    return stats.next_seq - 1, stats.pending, asked


def drain(days: float, watch: float) -> list[Figure]:
    """Fill, start, and watch the drain for so many seconds, or to its end."""
    with rig() as running:
        running.configure("10s", live_every="10s")
        began = time.monotonic()
        count, blocks, asked = asyncio.run(fill(running.folder / "journal", days, "bench"))
        filled = time.monotonic() - began
        size = (running.folder / "journal" / "journal.db").stat().st_size / 1e6
        fresh = _resident_without_backlog()
        first = running.nabd("edge")
        running.wait_for("edge", seconds=120)
        first.stop()
        running.nabd("hub")
        running.wait_for("hub")
        start = time.monotonic()
        edge = running.nabd("edge")
        asyncio.run(_answers(running.folder / "journal" / "edge.sock"))
        started = time.monotonic() - start
        return [
            Figure(
                f"a backlog of {days:g} days",
                f"{count:,} readings",
                f"none; written in {filled:.0f} s, {blocks:,} blocks",
                True,
            ),
            Figure("  the journal's file", f"{size:.0f} MB", "<= 400 MB", size <= 400),
            Figure("  the oldest block out of it", f"{asked * 1e3:.1f} ms", "< 50 ms", asked < 0.05),
            Figure("  start of the edge to its first answer", f"{started:.1f} s", "<= 5 s", started <= 5),
            *_watch(running, edge, watch, fresh),
        ]


async def _answers(socket: Path) -> None:
    """Wait until the edge answers; without a process a question, which would cost more than the start."""
    async with asyncio.timeout(60):
        while True:
            try:
                await control.ask(socket, {"do": "status"})
            except control.NobodyThere:
                await asyncio.sleep(0.02)
            else:
                return


def _watch(running: Rig, edge: Process, seconds: float, fresh: float) -> list[Figure]:
    listener = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ages", str(running.broker_port)], stdout=subprocess.PIPE, text=True
    )
    assert listener.stdout
    listener.stdout.readline()
    first = running.ask("edge")["uplink"]["stored"]
    began, memory, status = time.monotonic(), [edge.rss()], {}
    while time.monotonic() - began < seconds:
        time.sleep(2)
        memory.append(edge.rss())
        status = running.ask("edge")
        if status["journal"]["pending"] < 20:
            break
    passed = time.monotonic() - began
    listener.terminate()
    ages = sorted(float(line) for line in listener.stdout)
    listener.wait()
    rate = (status["uplink"]["stored"] - first) / passed
    old = ages[-1] if ages else math.inf
    growth = max(memory) - fresh
    ratio = rate * WINDOW  # all meters of a window share one block
    hours = status["journal"]["pending"] / rate / 3600 if rate else math.inf
    return [
        Figure("  blocks a second while draining", f"{rate:.1f} = {ratio:.0f} x live", ">= 20 x live", ratio >= 20),
        Figure("  oldest live reading on its way meanwhile", f"{old:.1f} s", "< 30 s", old < 30),
        Figure("  memory over an edge without backlog", f"{growth:+.1f} MB", "< 20 MB", growth < 20),
        Figure(
            "  left to send", f"{status['journal']['pending']:,} in {passed:.0f} s, {hours:.1f} h more", "none", True
        ),
    ]


def _resident_without_backlog() -> float:
    """Give the memory of an edge that has nothing to send but what it reads, in MB."""
    with rig() as running:
        running.configure("10s", live_every="10s")
        running.nabd("hub")
        running.wait_for("hub")
        edge = running.nabd("edge")
        running.wait_for("edge")
        time.sleep(15)
        return edge.rss()


def _main() -> int:
    """Drain a backlog of DAYS, watched for SECONDS; 1 when a figure misses its target."""
    figures = drain(float(sys.argv[1]), float(sys.argv[2]))
    print(*figures, sep="\n")
    return 0 if all(figure.reached for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(_main())
