"""A house under siege (S38): how soon its page answers, how evenly its meters are read, how much memory it takes.

1. A real `nabd home` reads four simulated meters each second; the meters note when they were asked.
2. Two people on the network load the page all the while: one with a session, one who was never let in.
3. In turn thousands of connections from one or from many addresses besiege the page in each manner of `besiegers.py`.

The besiegers run at the lowest priority, since those of life have machines of their own.
"""

import asyncio
import contextlib
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

from benchmarks.meters import Meter, shapes
from benchmarks.rig import Figure, Rig, free_port, profile, rig
from benchmarks.watch import percentile
from gateway import control

METERS = 4
MANY = 2000
SIEGES = (
    ("nobody yet", "", 0, 0),
    ("10,000 silent, one address", "idle", 1, 10_000),
    ("10,000 silent, 2,000 addresses", "idle", MANY, 10_000),
    ("10,000 slow, 2,000 addresses", "slow", MANY, 10_000),
    ("10,000 asking, 2,000 addresses", "flood", MANY, 10_000),
    ("500 bodies of 1 GB", "post", 50, 500),
    ("500 with endless headers", "bomb", 50, 500),
    ("500 with huge ranges", "range", 50, 500),
)
KNOWN, STRANGER = "127.0.0.3", "127.0.0.4"
PAGE, JITTER, MEMORY = 2.0, 0.10, 20.0
LOST = 60.0
"""Seconds that a page counts which never came."""


class Noted(Meter):
    """A meter that notes when it was asked."""

    def __init__(self, made: list[bytes], times: list[float]) -> None:
        """`times` takes the moments."""
        super().__init__(made)
        self._times = times

    def data_received(self, data: bytes) -> None:
        """Note the moment, and answer."""
        self._times.append(time.monotonic())
        super().data_received(data)


@dataclass
class Person:
    """Somebody who loads the page twice a second over connections of their own; `took` in seconds."""

    address: str
    port: int
    cookie: str = ""
    took: list[float] = field(default_factory=list)

    def watch(self, until: float) -> None:
        """Load the page until that moment."""
        while time.monotonic() < until:
            begun = time.monotonic()
            self.took.append(time.monotonic() - begun if self._load() else LOST)
            time.sleep(0.5)

    def enter(self, token: str) -> None:
        """Use a one-time link up."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=10, source_address=(self.address, 0))
        line.request("POST", f"/enter/{token}", headers={"origin": f"http://127.0.0.1:{self.port}"})
        self.cookie = (line.getresponse().getheader("set-cookie") or "").partition(";")[0]
        line.close()

    def _load(self) -> bool:
        line = HTTPConnection("127.0.0.1", self.port, timeout=10, source_address=(self.address, 0))
        with contextlib.suppress(OSError, HTTPException):
            line.request("GET", "/", headers={"cookie": self.cookie})
            answer = line.getresponse()
            answer.read()
            return answer.status == (200 if self.cookie else 401)
        return False


def siege(seconds: float) -> list[Figure]:
    """Besiege a house in every manner, for so long each."""
    with rig(0) as running, _meters() as (ports, times):
        port = _configure(running, ports)
        home = running.nabd("home")
        running.wait_for("home")
        known = Person(KNOWN, port)
        link = asyncio.run(control.ask(running.folder / "journal" / "edge.sock", {"do": "link"}))
        known.enter(str(link["link"]).rpartition("/")[2])
        _look(2, known)
        begun, figures = home.rss(), list[Figure]()
        for name, manner, sources, count in SIEGES:
            known.took, stranger = [], Person(STRANGER, port)
            for one in times:
                one.clear()
            with _besiegers(port, manner, sources, count) as told:
                peak = _look(seconds, known, stranger, rss=home.rss)
            figures += _judge(name, known, stranger, times, peak - begun, told())
        return figures


def _judge(
    name: str, known: Person, stranger: Person, times: list[list[float]], more: float, told: str
) -> Iterator[Figure]:
    gaps = [abs(after - before - 1) for one in times for before, after in itertools.pairwise(one)]
    page, jitter = max(known.took), percentile(gaps, 0.95)
    through = sum(took < PAGE for took in stranger.took)
    yield Figure(f"{name}: page, slowest", f"{page * 1e3:.0f} ms", "< 2 s", page < PAGE)
    yield Figure("  who was never let in gets a page", f"{through} of {len(stranger.took)}", "none", reached=True)
    yield Figure("  polls off their second, p95", f"{jitter:.1%}", "< 10 %", jitter < JITTER)
    yield Figure(f"  memory{told}", f"{more:+.1f} MB", "< 20 MB", more < MEMORY)


def _look(seconds: float, *people: Person, rss: Callable[[], float] = float) -> float:
    """Let people look for so long; give the most memory that was taken."""
    until, peak = time.monotonic() + seconds, 0.0
    threads = [threading.Thread(target=person.watch, args=(until,)) for person in people]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, rss())
        time.sleep(0.1)
    return peak


@contextlib.contextmanager
def _besiegers(port: int, manner: str, sources: int, count: int) -> Iterator[Callable[[], str]]:
    """Give a callable that says what they did."""
    said: list[str] = []
    if not manner:
        yield str
        return
    command = [sys.executable, "-m", "benchmarks.besiegers", str(port), manner, str(sources), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as crowd:
        os.setpriority(os.PRIO_PROCESS, crowd.pid, 19)
        assert crowd.stdout
        said.append(crowd.stdout.readline())
        thread = threading.Thread(target=lambda: said.extend(crowd.stdout or ()))
        thread.start()
        time.sleep(1)
        try:
            yield lambda: ", {} open, {} opened".format(*said[-1].split())
        finally:
            crowd.kill()
            thread.join()


@contextlib.contextmanager
def _meters() -> Iterator[tuple[list[int], list[list[float]]]]:
    """Serve meters in a thread; give their ports, and for each the list of moments when it was asked."""
    loop, times = asyncio.new_event_loop(), [list[float]() for _ in range(METERS)]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def serve() -> list[int]:
        ports = []
        for number, one in enumerate(times):
            made = shapes(number)
            server = await loop.create_server(lambda made=made, one=one: Noted(made, one), "127.0.0.1", 0)  # type: ignore[misc]
            ports.append(server.sockets[0].getsockname()[1])
        return ports

    try:
        yield asyncio.run_coroutine_threadsafe(serve(), loop).result(), times
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _configure(running: Rig, ports: list[int]) -> int:
    """Write home.toml and give the port of its pages."""
    (running.folder / "meters").mkdir()
    (running.folder / "meters" / "bench-20.toml").write_text(profile(), encoding="utf-8")
    port = free_port()
    text = (
        '[clock]\ntrust = "system"\n[journal]\nfolder = "journal"\n[store]\npath = "readings.sqlite"\n'
        f'[hub]\ndatabase = "hub.sqlite"\n[web]\nlisten = "127.0.0.1:{port}"\n'
    )
    for index, meter in enumerate(ports):
        text += f'[[bus]]\nname = "bus-{index}"\ndriver = "modbus"\nurl = "tcp://127.0.0.1:{meter}"\n'
        text += f'[[meter]]\nname = "m{index}"\nbus = "bus-{index}"\nprofile = "bench-20"\nevery = "1s"\n'
    (running.folder / "home.toml").write_text(text, encoding="utf-8")
    return port


def full() -> list[Figure]:
    """Half a minute a siege."""
    return siege(30)


def quick() -> list[Figure]:
    """As long as it takes to see it."""
    return siege(6)
