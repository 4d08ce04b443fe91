"""Everything at once (L4): four busy lines, a backlog that drains, five people on the pages, each meter's alert."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import reference
from benchmarks.backlog import fill
from benchmarks.rig import Figure, Rig, rig
from benchmarks.watch import percentile, watch
from gateway import control

VISITORS = 5
PAGE = 0.5
ALARMED = "rating_a = 0.5\n"
"""Every meter of the lines shows 1 A."""
SOON = '[alerts.overload]\ndwell = "5s"\n'


def everything(seconds: float, days: float) -> list[Figure]:
    """Run it all for so long, with so many days of backlog."""
    with rig(1) as running, reference.lines(running, ALARMED), contextlib.ExitStack() as stack:
        with (running.folder / "edge.toml").open("a", encoding="utf-8") as edge:
            edge.write(SOON)
        asyncio.run(fill(running.folder / "journal", days, "bench"))
        times = running.folder / "pages.txt"
        begun: dict[str, Any] = {}

        def meanwhile() -> None:
            stack.enter_context(_visitors(running, seconds, times))
            begun.update(running.ask("edge"))

        run = watch(running, seconds, 1.0, 32, meanwhile)
        status = running.ask("edge")
        drained = status["uplink"]["stored"] - begun["uplink"]["stored"]
        pages = [float(line) for line in times.read_text(encoding="ascii").split()]
    page = percentile(pages, 0.95)
    raised = status["alerts"]["raised"]
    return [
        *reference.bus_figures("the same with backlog, visitors, alerts (L4)", run),
        Figure(f"  a page, p95 of {len(pages)}", f"{page * 1e3:.0f} ms", "< 500 ms", page < PAGE),
        Figure("  blocks stored meanwhile", f"{drained}, {run.pending} left", "none", drained > 0),
        Figure("  alerts raised", f"{raised}", "32", raised == 32),
    ]


@contextlib.contextmanager
def _visitors(running: Rig, seconds: float, times: Path) -> Iterator[None]:
    links = asyncio.run(_links(running.folder / "hub.sock"))
    with times.open("w") as out:
        visitors = subprocess.Popen([sys.executable, "-m", "benchmarks.visitors", str(seconds), *links], stdout=out)
    try:
        yield
    finally:
        visitors.kill()
        visitors.wait()


async def _links(hub: Path) -> list[str]:
    return [str((await control.ask(hub, {"do": "link"}))["link"]) for _ in range(VISITORS)]


def full() -> list[Figure]:
    """Ten minutes."""
    return everything(600, 1)


def quick() -> list[Figure]:
    """As long as it takes to see it."""
    return everything(30, 0.05)
