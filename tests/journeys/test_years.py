"""Running for years: the watchdog of a real process, a changed configuration, and the end under load."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.backlog import fill
from benchmarks.soak import soak
from gateway import control
from tests.conftest import skip_or_fail
from tests.support.counting_meters import CountingMeters
from tests.support.stack import Stack

CHILD = Path(__file__).parents[1] / "support" / "program_child.py"


class Watched:
    """An edge under a watchdog of one second; `meters` answer unless closed, no broker is ever there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meters = CountingMeters(2)
        self._there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._there.setblocking(False)
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, sabotage: str) -> None:
        """Start it and wait until it is ready."""
        await self.meters.start()
        CountingMeters.write_profile(self.folder)
        (self.folder / "mirror").mkdir()
        text = (
            '[gateway]\nid = "gw"\n[clock]\ntrust = "system"\n[journal]\nfolder = "journal"\nwindow = "1s"\n'
            f'mirror = "{self.folder / "mirror"}"\n[mqtt]\nurl = "mqtt://127.0.0.1:9"\n'
        )
        for number, port in enumerate(self.meters.ports):
            text += f'[[bus]]\nname = "b{number}"\ndriver = "modbus"\nurl = "tcp://127.0.0.1:{port}"\n'
            text += f'[[meter]]\nname = "m{number}"\nbus = "b{number}"\nprofile = "counting"\nevery = "200ms"\n'
        (self.folder / "edge.toml").write_text(text, encoding="utf-8")
        self._there.bind(str(self.folder / "notify"))
        env = os.environ | {
            "NOTIFY_SOCKET": str(self.folder / "notify"),
            "WATCHDOG_USEC": "1000000",
            "PYTHONPATH": str(CHILD.parents[2]),
        }
        with (self.folder / "log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, str(CHILD), "edge", str(self.folder / "edge.toml"), sabotage, env=env, stderr=log
            )
        await self.until(lambda said: "READY=1" in said)

    async def until(self, seen: Callable[[list[str]], bool], seconds: float = 30) -> list[str]:
        """Listen until that was said."""
        said: list[str] = []
        until = time.monotonic() + seconds
        while not seen(said):
            assert time.monotonic() < until, (said[-5:], (self.folder / "log").read_text())
            said += await self.listen(0.2)
        return said

    async def listen(self, seconds: float) -> list[str]:
        """Give what is said meanwhile."""
        await asyncio.sleep(seconds)
        said = []
        with contextlib.suppress(BlockingIOError):
            while True:
                said.append(self._there.recv(4096).decode())
        return said

    async def stop(self) -> None:
        """End it; a stuck one cannot leave by itself."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        await self.meters.close()
        self._there.close()


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    """An edge under a watchdog."""
    edge = Watched(tmp_path)
    yield edge
    await edge.stop()


async def _stands_still(folder: Path, sabotage: str, named: str) -> None:
    folder.mkdir()
    edge = Watched(folder)
    try:
        await edge.start(sabotage)
        await edge.until(lambda said: said.count("WATCHDOG=1") >= 3)
        assert edge.process is not None
        edge.process.send_signal(signal.SIGUSR1)
        if named:
            await edge.until(lambda said: any(f"STATUS={named}" in line for line in said))
        else:
            await edge.listen(1)
        assert "WATCHDOG=1" not in await edge.listen(2.1), sabotage
    finally:
        await edge.stop()


async def test_what_stands_still_starves_the_watchdog(tmp_path: Path) -> None:
    """A hung loop, a task that waits for ever, a stuck disk thread: no more signs of life, and the reason is named."""
    stories = [("hang", ""), ("deadlock", "poll[b"), ("disk", "journal")]
    await asyncio.gather(*(_stands_still(tmp_path / sabotage, sabotage, named) for sabotage, named in stories))


async def test_the_world_s_failures_do_not_starve_it(watched: Watched) -> None:
    """Dead meters, no broker and a full disk, all at once and for longer than any patience here: it is fed on."""
    await watched.start("full")
    assert watched.process is not None
    watched.process.send_signal(signal.SIGUSR1)
    await watched.listen(1)
    await watched.meters.close()
    said = await watched.listen(6)
    assert not [line for line in said if line.startswith("STATUS=")]
    assert (await watched.listen(2)).count("WATCHDOG=1") >= 2


class Reloaded(Stack):
    """A stack whose edge can be told to read its configuration again."""

    sabotage = "publisher"

    def signal(self, program: str, number: signal.Signals) -> None:
        """Send a signal and go on."""
        self._processes[program].send_signal(number)

    async def reload(self, text: str) -> dict[str, Any]:
        """Write a configuration and have it taken over."""
        (self.folder / "edge.toml").write_text(text, encoding="utf-8")
        return await control.ask(self.folder / "journal" / "edge.sock", {"do": "reload"}, timeout=20)

    def text(self, *, without: int = 0) -> str:
        """Give the configuration, without so many of the last meters."""
        parts = self._edge_toml().split("[[bus]]")
        return "[[bus]]".join(parts[: len(parts) - without])

    async def run(self, program: str) -> None:
        """Start the edge as a child that knows its file."""
        if program != "edge":
            await super().run(program)
            return
        env = os.environ | {"PYTHONPATH": str(CHILD.parents[2])}
        with (self.folder / "edge.log").open("ab") as log:
            self._processes["edge"] = await asyncio.create_subprocess_exec(
                sys.executable, str(CHILD), "edge", str(self.folder / "edge.toml"), self.sabotage,
                env=env, stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(200):
            if await self.status("edge"):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(self.log("edge"))

    def _edge_toml(self) -> str:
        # A turn is missed when it comes a whole interval late: half a second, which a busy machine keeps too.
        return super()._edge_toml().replace('every = "100ms"', 'every = "500ms"')


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
async def test_a_reload_costs_other_meters_no_poll(tmp_path: Path, broker: Any) -> None:
    """F30: ten meters go and come again while ten others are read, each of whose answers is stored and on time."""
    stack = Reloaded(tmp_path, broker.port, broker.port, meters=20)
    try:
        await stack.start()
        await stack.until_stored(60)
        assert await stack.reload(stack.text(without=10)) == {"added": 0, "removed": 10, "changed": 0}
        await stack.until_stored(60)
        gone = stack.meters.counts[10:]
        bad = await stack.reload(stack.text().replace("every =", "evry =", 1))
        assert "evry" in bad["error"]
        fixed = await stack.reload(stack.text().replace('window = "1s"', 'window = "2s"'))
        assert "[journal] window" in fixed["error"]
        status = await stack.status("edge")
        assert len(status["buses"]) == 10
        assert stack.meters.counts[10:] == gone, "a meter that went is still asked"
        assert await stack.reload(stack.text()) == {"added": 10, "removed": 0, "changed": 0}
        await stack.until_stored(120)
        status = await stack.status("edge")
        stayed = [meter for bus in status["buses"][:10] for meter in bus["meters"]]
        assert len(stayed) == 10
        assert sum(meter["missed"] + meter["failed"] for meter in stayed) == 0, stayed
        await stack.drain(30)
        # A meter that goes may just have been asked; its answer is dropped with it.
        await stack.verdict(interrupted=1)
    finally:
        await stack.stop()


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
@pytest.mark.parametrize(("program", "number"), [("edge", signal.SIGUSR1), ("hub", signal.SIGSTOP)])
async def test_a_silent_stop_is_told(tmp_path: Path, broker: Any, program: str, number: signal.Signals) -> None:
    """D22: a frozen publisher, a store that is stuck: connected, no error, nothing moves, and the edge says so."""
    stack = Reloaded(tmp_path, broker.port, broker.port, meters=1)
    try:
        await stack.start()
        await stack.until_stored(5)
        assert (await stack.status("edge"))["journal"]["standstill"] == ""
        stack.signal(program, number)
        until = time.monotonic() + 30
        while not (status := await stack.status("edge"))["journal"]["standstill"]:
            assert time.monotonic() < until, status
            await asyncio.sleep(0.3)
        assert status["uplink"]["connected"]
        assert status["uplink"]["error"] == ""
        assert "confirmed nothing" in status["journal"]["standstill"]
    finally:
        stack.signal("hub", signal.SIGCONT)
        await stack.stop()


async def _leave_under_load(stack: Stack, times: int) -> None:
    for _ in range(times):
        await stack.until_stored(30)
        begun = time.monotonic()
        assert await stack.kill("edge", signal.SIGTERM) == 0, stack.log("edge")
        assert time.monotonic() - begun <= 5
        await stack.run("edge")
    await stack.drain(60)
    assert (await stack.status("edge"))["journal"]["losses"] == {}
    await stack.verdict(interrupted=times)


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
async def test_told_to_stop_under_load_it_leaves_in_order(stack: Stack) -> None:
    """F28: code 0 within five seconds, and every reading is in the store, also those of the last window."""
    await _leave_under_load(stack, 1)


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
async def test_told_to_stop_a_hundred_times(stack: Stack) -> None:
    """F28, the long form."""
    await _leave_under_load(stack, 100)


@pytest.mark.slow
async def test_a_minute_of_the_soak_loses_and_leaks_nothing() -> None:
    """F27, the short form: nothing missing, no more files or threads; memory needs the hours of `./run soak`."""
    figures = await soak(60)
    assert len(figures) == 9
    assert not [str(figure) for figure in figures if not figure.reached and "memory" not in figure.name]


LIMIT = 128 * 1024 * 1024
PEAK = 100 * 1024 * 1024
CGROUP = Path("/sys/fs/cgroup/memory")


@pytest.fixture
def limited() -> Iterator[Path]:
    """Give a memory cgroup (version 1) that kills beyond 128 MB."""
    group = CGROUP / f"nabd-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        skip_or_fail(f"no memory cgroup of version 1 may be made here: {error}")
    (group / "memory.limit_in_bytes").write_text(str(LIMIT))
    yield group
    for _ in range(50):
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.1)


class Limited(Stack):
    """A stack whose edge lives in a memory cgroup."""

    group: Path

    async def run(self, program: str) -> None:
        """Start it, then put the edge into its group: what it takes before it answers is part of the peak of RSS."""
        started = asyncio.create_task(super().run(program))
        while program == "edge" and program not in self._processes:
            await asyncio.sleep(0.01)
        if program == "edge":
            (self.group / "cgroup.procs").write_text(str(self._processes["edge"].pid))
        await started

    def peak(self) -> int:
        """Give the edge's highest resident memory in bytes."""
        status = Path(f"/proc/{self._processes['edge'].pid}/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
async def test_a_week_of_backlog_fits_into_the_unit_s_memory(tmp_path: Path, broker: Any, limited: Path) -> None:
    """F16: started with seven days to send under a limit of 128 MB, the edge lives, drains, and peaks below 100 MB."""
    _, blocks, _ = await fill(tmp_path / "journal", 7, "gw")
    stack = Limited(tmp_path, broker.port, broker.port, meters=10)
    stack.group = limited
    try:
        await stack.start()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            await asyncio.sleep(2)
            status = await stack.status("edge")
            assert status, "the edge was killed"
        peak = stack.peak()
        assert status["uplink"]["stored"] > 500, "nothing drains"
        assert blocks > 50_000
        assert peak <= PEAK, f"{peak / 1e6:.0f} MB"
    finally:
        await stack.stop()


FETCH = """
import re, sys, urllib.request as web
from http.cookiejar import CookieJar
link, opener = sys.argv[1], web.build_opener(web.HTTPCookieProcessor(CookieJar()))
site = link.split("/enter/")[0]
opener.open(web.Request(link, data=b"", headers={"origin": site}))
for language in ("en", "ar"):
    page = opener.open(f"{site}/?lang={language}").read().decode()
    print(len(re.findall('class="summary behind"', page)))
"""
"""Opens the page with a one-time link, from inside the house's own network, and counts what it explains."""


async def test_a_house_with_nothing_is_ready_and_explains_itself(tmp_path: Path) -> None:
    """F19: no network, no serial adapter, no time, no broker: it is ready, and its page explains all four."""
    if os.geteuid() != 0 or shutil.which("nsenter") is None:
        skip_or_fail("a network of one's own takes root and util-linux")
    (tmp_path / "home.toml").write_text(
        '[journal]\nfolder = "journal"\n[store]\npath = "readings.sqlite"\n[hub]\ndatabase = "hub.sqlite"\n'
        '[web]\nlisten = "127.0.0.1:8080"\n[mqtt]\nurl = "mqtt://broker.invalid"\n[[bus]]\nname = "line"\n'
        'driver = "modbus"\ndevice = "/dev/serial/by-id/none"\n[[meter]]\nname = "m"\nbus = "line"\n'
        'profile = "eastron-sdm120"\naddress = 1\n',
        encoding="utf-8",
    )
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(10)
    script = 'ip link set lo up; exec "$0" -m gateway.cli home -c "$1"'
    process = await asyncio.create_subprocess_exec(
        "unshare", "--net", "sh", "-c", script, sys.executable, str(tmp_path / "home.toml"),
        env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
    )  # fmt: skip
    try:
        assert await asyncio.to_thread(notify.recv, 100) == b"READY=1"
        status = await control.ask(tmp_path / "journal" / "edge.sock", {"do": "status"})
        if status["clock"] != "unsynced":
            skip_or_fail("this machine's clock is synchronised, which a test cannot undo")
        link = (await control.ask(tmp_path / "journal" / "edge.sock", {"do": "link"}))["link"]
        inside = ["nsenter", "--net", "--target", str(process.pid), sys.executable, "-c", FETCH]
        fetch = await asyncio.create_subprocess_exec(*inside, link, stdout=asyncio.subprocess.PIPE)
        assert (await fetch.communicate())[0].split() == [b"5", b"5"], "four troubles, and a meter that is behind"
    finally:
        process.terminate()
        await process.wait()
        notify.close()
