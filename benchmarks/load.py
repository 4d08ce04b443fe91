"""What a reading costs in the edge, and how many it can carry, beside the floor on the same meters in the same run."""

import json
import statistics
import subprocess
import sys
import time

from benchmarks.rig import METERS, VALUES, Figure, Process, Rig, rig

SETTLE = 5.0


def floor(running: Rig, seconds: float, every: float, *, publish: bool = True) -> dict[str, float]:
    """Run the floor against the rig's meters."""
    arguments = [str(seconds), str(every), ",".join(map(str, running.ports))]
    arguments += [str(running.broker_port)] if publish else []
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.floor", *arguments], capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def cost(running: Rig, edge: Process, seconds: float) -> tuple[float, float]:
    """Measure the edge's CPU in us a value, and values a second."""
    answers, cpu, start = running.answers(), edge.cpu(), time.monotonic()
    time.sleep(seconds)
    values = (running.answers() - answers) * VALUES
    return (edge.cpu() - cpu) / values * 1e6, values / (time.monotonic() - start)


def at_one_hertz(seconds: float) -> list[Figure]:
    """32 meters of 20 floats, once a second each."""
    with rig() as running:
        running.configure("1s")
        running.nabd("hub")
        running.wait_for("hub")
        edge = running.nabd("edge")
        running.wait_for("edge")
        time.sleep(SETTLE)
        ratios = []
        for _ in range(3):  # in turns, so that a noisy neighbour meets both
            least = floor(running, seconds / 3, 1.0)["us_per_value"]
            ours, _ = cost(running, edge, seconds / 3)
            ratios.append((ours / least, ours, least))
        ratio, ours, least = sorted(ratios)[1]
        rss = edge.rss()
    return [
        Figure(
            f"CPU a value, {METERS} meters x {VALUES} floats at 1 Hz",
            f"{ours:.1f} us = {ratio:.1f} x floor {least:.1f}",
            "<= 4 x floor",
            ratio <= 4,
        ),
        Figure("memory of the edge at that load", f"{rss:.0f} MB", "<= 60 MB", rss <= 60),
    ]


def without_pause(seconds: float) -> list[Figure]:
    """The same meters polled without pause: values a second that the store has acknowledged."""
    with rig() as running:
        least = floor(running, 5, 0, publish=False)
        running.configure("0s")
        hub = running.nabd("hub")
        running.wait_for("hub")
        edge = running.nabd("edge")
        running.wait_for("edge")
        time.sleep(SETTLE)
        live = running.listen("nabd/v1/home/bench/live/#")
        start, stored, edge_cpu, hub_cpu = time.monotonic(), stored_count(running), edge.cpu(), hub.cpu()
        memory = []
        until = start + seconds
        while time.monotonic() < until:
            memory.append(edge.rss())
            time.sleep(min(5.0, max(until - time.monotonic(), 0.1)))
        passed = time.monotonic() - start
        readings = stored_count(running) - stored
        edge_cpu, hub_cpu = edge.cpu() - edge_cpu, hub.cpu() - hub_cpu
        status = running.ask("edge")
        oldest = oldest_live(live.stop())
    rate = readings * VALUES / passed
    half = len(memory) // 2
    growth = max(memory[half:]) - max(memory[:half]) if half else 0.0
    return [
        Figure("the floor without publishing, without pause", f"{least['us_per_value']:.1f} us a value", "none", True),
        Figure("values/s durable to the stored ack, polled without pause", f"{rate:,.0f}", ">= 60,000", rate >= 60_000),
        Figure(
            "  CPU a value there, edge + hub",
            f"{edge_cpu / readings / VALUES * 1e6:.1f} + {hub_cpu / readings / VALUES * 1e6:.1f} us",
            "none",
            True,
        ),
        Figure(
            f"  memory of the edge over {seconds:.0f} s",
            f"{max(memory):.0f} MB, {growth:+.1f} MB",
            "flat (< 5 MB)",
            growth < 5,
        ),
        Figure("  a live value's age until the next one, at most", f"{oldest:.2f} s", "<= 2 s", oldest <= 2),
        Figure(
            "  blocks awaiting the store at the end",
            f"{status['journal']['pending']}",
            "< 2 s of blocks",
            status["journal"]["pending"] < 100,
        ),
    ]


def oldest_live(lines: list[str]) -> float:
    """Give how old a meter's newest live value ever was: its age when it came, and the time until its next one."""
    last: dict[str, tuple[float, float]] = {}
    oldest = 0.0
    for line in lines:
        topic, came, age = line.split()
        if topic in last:
            before, was = last[topic]
            oldest = max(oldest, was + float(came) - before)
        last[topic] = (float(came), float(age))
    return oldest


def stored_count(running: Rig) -> int:
    """Ask the hub how many readings its store holds."""
    return int(running.ask("hub")["stored"])


def cold_start() -> list[Figure]:
    """From starting `nabd edge` to the first live message at the broker."""
    with rig(4) as running:
        running.configure("1s")
        times = []
        for _ in range(4):
            listener = running.listen("nabd/v1/home/bench/live/#")
            start = time.monotonic()
            edge = running.nabd("edge")
            listener.wait_for_lines(2)
            times.append(time.monotonic() - start)
            edge.stop()
            listener.stop()
    middle = statistics.median(times[1:])  # the first start compiles modules, as an installation does once
    return [Figure("cold start of `nabd edge` to the first live message", f"{middle:.2f} s", "<= 2 s", middle <= 2)]
