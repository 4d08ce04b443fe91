"""An edge as a program whose wall clock a test sets: libfaketime, and a /run of its own where nobody else tells time.

The boot clock and every timer stay true, as on a board whose wall clock is stepped. Needs root, for the namespace.
"""

import asyncio
import glob
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from gateway import control
from gateway.message import Block, decode_block
from tests.support.counting_meters import CountingMeters
from tests.support.fake_broker import FakeBroker

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
ROOT = Path(__file__).parents[2]


def missing() -> str:
    """Say what this machine lacks, or ""."""
    if os.geteuid() != 0:
        return "only root may make a namespace for /run"
    if not glob.glob(LIBRARY):  # noqa: PTH207  an absolute pattern
        return "libfaketime is not installed (apt install libfaketime)"
    return "" if shutil.which("unshare") else "unshare is not installed (apt install util-linux)"


class Stamped(list[int]):
    """Counts of answers that remember when each one was given, in true UTC ms."""

    def __init__(self, meters: int) -> None:
        super().__init__([0] * meters)
        self.given: list[dict[int, float]] = [{} for _ in range(meters)]

    def __setitem__(self, meter: Any, count: Any) -> None:
        super().__setitem__(meter, count)
        self.given[meter][count] = time.time() * 1000


class FakedEdge:
    """One edge, one counting meter, one broker that keeps all blocks and confirms none."""

    def __init__(self, folder: Path, *, trust: str, every: str) -> None:
        self.folder, self._trust, self._every = folder, trust, every
        self.meters = CountingMeters(1)
        self.meters.counts = self.answers = Stamped(1)
        self.broker = FakeBroker()
        self._offset, self._run = folder / "offset", folder / "run"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, offset: str) -> None:
        """Start the edge with a wall clock that is so far off, and wait until it answers."""
        await self.meters.start()
        await self.broker.start()
        self.meters.write_profile(self.folder)
        (self.folder / "edge.toml").write_text(self._toml(), encoding="utf-8")
        (self._run / "systemd" / "timesync").mkdir(parents=True)
        (self.folder / "mirror").mkdir()
        self.set_wall(offset)
        fake = {
            "LD_PRELOAD": glob.glob(LIBRARY)[0],  # noqa: PTH207
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "Australia/Lord_Howe",
        }
        words = [f"{name}={word}" for name, word in fake.items()]
        edge = [sys.executable, "-m", "gateway.cli", "edge", "-c", str(self.folder / "edge.toml")]
        script = 'mount --bind "$1" /run && shift && exec env "$@"'
        with (self.folder / "edge.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                "unshare", "--mount", "sh", "-c", script, "sh", str(self._run), *words, *edge,
                cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(200):
            if await self.status():
                return
            assert self._process.returncode is None, self.log()
            await asyncio.sleep(0.1)
        raise AssertionError(f"the edge does not answer: {self.log()}")

    async def stop(self) -> None:
        """End everything."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await self.broker.stop()
        await self.meters.close()

    @property
    def pid(self) -> int:
        """The edge's process."""
        assert self._process is not None
        return self._process.pid

    def set_wall(self, offset: str) -> None:
        """Put the wall clock off by so much, as faketime writes it: "-1h", "+30d", "+0 x1.0005"."""
        new = self._offset.with_suffix(".new")
        new.write_text(f"{offset}\n", encoding="utf-8")
        new.rename(self._offset)

    def synchronise(self) -> None:
        """Do what timesyncd does at each correction."""
        (self._run / "systemd" / "timesync" / "synchronized").touch()

    async def status(self) -> dict[str, Any]:
        """Ask the edge; empty when it does not answer."""
        try:
            return await control.ask(self.folder / "journal" / "edge.sock", {"do": "status"}, timeout=5)
        except control.NobodyThere:
            return {}

    async def until_read(self, more: int) -> None:
        """Wait until the meter gave so many more answers."""
        goal = self.answers[0] + more
        async with asyncio.timeout(20 + more):
            while self.answers[0] < goal:
                await asyncio.sleep(0.02)

    async def drained(self) -> list[Block]:
        """Stop polling, wait until the broker has all that was read; give the blocks."""
        await control.ask(self.folder / "journal" / "edge.sock", {"do": "drain"})
        read = (await self.status())["read"]
        await self.broker.until(lambda: len({row.seq for block in self.blocks() for row in block.readings}) >= read, 15)
        return self.blocks()

    def blocks(self) -> list[Block]:
        """Give all blocks the broker has."""
        return [decode_block(sent.payload) for sent in self.broker.published if sent.topic.endswith("/data")]

    def log(self) -> str:
        """Read what the edge said."""
        return (self.folder / "edge.log").read_text(encoding="utf-8")

    def _toml(self) -> str:
        return (
            f'[gateway]\nid = "gw"\nzone = "America/New_York"\n[clock]\ntrust = "{self._trust}"\n'
            f'[journal]\nfolder = "journal"\nwindow = "1s"\nmirror = "{self.folder / "mirror"}"\n'
            f'[mqtt]\nurl = "mqtt://127.0.0.1:{self.broker.port}"\nlive_every = "1s"\n'
            f'[[bus]]\nname = "b"\ndriver = "modbus"\nurl = "tcp://127.0.0.1:{self.meters.ports[0]}"\n'
            f'[[meter]]\nname = "m"\nbus = "b"\nprofile = "counting"\nevery = "{self._every}"\n'
        )
