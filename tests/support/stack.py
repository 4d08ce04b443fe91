"""Edge and hub as users run them, child processes with configuration files, for whole stories."""

import asyncio
import contextlib
import json
import signal
import sqlite3
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from gateway import control
from tests.support.counting_meters import CountingMeters


class Stack:
    """One edge polling counting meters, one hub with the embedded store; the edge's broker may be behind a proxy."""

    def __init__(
        self, folder: Path, edge_port: int, hub_port: int, *, meters: int = 10, ack_mode: str = "stored"
    ) -> None:
        self.folder = folder
        self.meters = CountingMeters(meters)
        self._edge_port, self._hub_port, self._ack_mode = edge_port, hub_port, ack_mode
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def start(self) -> None:
        """Start meters, hub and edge, and wait until both answer."""
        await self.meters.start()
        CountingMeters.write_profile(self.folder)
        (self.folder / "hub.toml").write_text(self._hub_toml(), encoding="utf-8")
        (self.folder / "edge.toml").write_text(self._edge_toml(), encoding="utf-8")
        await self.run("hub")
        await self.run("edge")

    async def run(self, program: str) -> None:
        """Start edge or hub and wait until it answers."""
        log = (self.folder / f"{program}.log").open("ab")
        with log:
            self._processes[program] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.cli", program, "-c", str(self.folder / f"{program}.toml"),
                stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(200):
            if await self.status(program):
                return
            assert self._processes[program].returncode is None, self.log(program)
            await asyncio.sleep(0.1)
        raise AssertionError(f"{program} does not answer: {self.log(program)}")

    async def kill(self, program: str, how: signal.Signals = signal.SIGKILL) -> int:
        """End a program and give its exit code."""
        process = self._processes[program]
        process.send_signal(how)
        return await process.wait()

    async def status(self, program: str) -> dict[str, Any]:
        """Ask for its status; empty when nobody answers."""
        socket = self.folder / ("hub.sock" if program == "hub" else "journal/edge.sock")
        try:
            return await control.ask(socket, {"do": "status"}, timeout=5)
        except control.NobodyThere:
            return {}

    def log(self, program: str) -> str:
        """Read what a program said."""
        return (self.folder / f"{program}.log").read_text(encoding="utf-8")

    async def drain(self, seconds: float) -> None:
        """Stop polling and wait until the store has confirmed everything."""
        await control.ask(self.folder / "journal" / "edge.sock", {"do": "drain"})
        until = time.monotonic() + seconds
        while (await self.status("edge"))["journal"]["pending"]:
            assert time.monotonic() < until, await self.status("edge")
            await asyncio.sleep(0.2)

    async def until_stored(self, more: int, seconds: float = 30) -> None:
        """Wait until so many more readings are in the store than now."""
        goal = len(self.rows()) + more
        until = time.monotonic() + seconds
        while len(self.rows()) < goal:
            assert time.monotonic() < until, (await self.status("edge"), self.log("edge"), self.log("hub"))
            await asyncio.sleep(0.2)

    def rows(self) -> list[tuple[str, int, int, int]]:
        """Read (meter, ts, seq, counted) of every reading straight from the store's file."""
        path = self.folder / "readings.sqlite"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT meter, ts, seq, v FROM reading").fetchall()
        return [(meter, ts, seq, json.loads(v)["energy_import_wh"]) for meter, ts, seq, v in rows]

    async def verdict(self, *, interrupted: int = 0) -> None:
        """Assert that nothing is missing, doubled or altered.

        A meter's answer may be missing where the edge says that it came too late, and once for each kill of the edge.
        """
        buses = (await self.status("edge"))["buses"]
        late = {meter["id"]: meter["failed"] for bus in buses for meter in bus["meters"]}
        rows = self.rows()
        seqs = sorted(seq for _, _, seq, _ in rows)
        assert seqs == list(range(1, len(seqs) + 1)), f"missing: {sorted(set(range(1, seqs[-1])) - set(seqs))[:20]}"
        counted: dict[str, list[int]] = {}
        for meter, _, _, count in rows:
            counted.setdefault(meter, []).append(count)
        assert len(counted) == len(self.meters.counts)
        for number, given in enumerate(self.meters.counts):
            counts = counted[f"gw_m{number}"]
            doubled = [count for count, times in Counter(counts).items() if times > 1]
            missing = set(range(1, given + 1)) - set(counts)
            assert not doubled, f"meter {number}: doubled {doubled[:20]}"
            # The very last answer may have been under way when polling stopped.
            allowed = interrupted + late[f"gw_m{number}"]
            assert len(missing - {given}) <= allowed, f"meter {number}: missing {sorted(missing)[:20]} of {given}"

    async def stop(self) -> None:
        """End everything; both programs must leave in order."""
        for process in self._processes.values():
            if process.returncode is None:
                process.terminate()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(10):
                        await process.wait()
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        await self.meters.close()

    def _hub_toml(self) -> str:
        return (
            f'[hub]\ndatabase = "hub.sqlite"\n[mqtt]\nurl = "mqtt://127.0.0.1:{self._hub_port}"\nkeepalive = "5s"\n'
            '[store]\npath = "readings.sqlite"\n[web]\nlisten = "127.0.0.1:0"\n'
        )

    def _edge_toml(self) -> str:
        text = (
            '[gateway]\nid = "gw"\n[clock]\ntrust = "system"\n[journal]\nfolder = "journal"\nwindow = "1s"\n'
            f'mirror = "{self.folder / "mirror"}"\n'
            f'[mqtt]\nurl = "mqtt://127.0.0.1:{self._edge_port}"\nkeepalive = "5s"\nack_timeout = "5s"\n'
            f'ack_mode = "{self._ack_mode}"\nlive_every = "1s"\n'
        )
        for number, port in enumerate(self.meters.ports):
            text += f'[[bus]]\nname = "b{number}"\ndriver = "modbus"\nurl = "tcp://127.0.0.1:{port}"\n'
            text += f'[[meter]]\nname = "m{number}"\nbus = "b{number}"\nprofile = "counting"\nevery = "100ms"\n'
        (self.folder / "mirror").mkdir(exist_ok=True)
        return text
