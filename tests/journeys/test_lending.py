"""A search beside a running house, on real ptys: it borrows the bus, and however it ends, the bus comes back."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway import control
from simulator.scenario import Scenario
from simulator.serve import running

PLAN = Scenario.model_validate(
    {
        "line": [
            {"name": "rs485", "kind": "pty", "turnaround": 0.002},
            {"name": "optical", "kind": "pty"},
            {"name": "host", "kind": "tcp"},
        ],
        "meter": [
            {"name": "main", "line": "rs485", "profile": "eastron-sdm630", "address": 1},
            {"name": "sml", "line": "optical", "profile": "sml"},
            {"name": "far", "line": "host", "profile": "abb-b23", "address": 1},
        ],
    }
)
DRIVERS = {"rs485": "modbus", "optical": "sml", "host": "modbus"}


class House:
    """`nabd home` in a process of its own, reading three buses of the simulator."""

    def __init__(self, file: Path, wires: dict[str, str]) -> None:
        self.file, self.wires = file, wires

    @property
    def socket(self) -> Path:
        """Where it answers."""
        return self.file.parent / "journal" / "edge.sock"

    async def status(self) -> dict[str, Any]:
        """Say how each bus fares, by its name."""
        answer = await control.ask(self.socket, {"do": "status"})
        return {bus["name"]: bus | bus["meters"][0] for bus in answer["buses"]}

    async def until(self, holds: Callable[[dict[str, Any]], bool], seconds: float = 15) -> dict[str, Any]:
        """Wait until something holds of the status."""
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(control.NobodyThere):
                    status = await self.status()
                    if holds(status):
                        return status
                await asyncio.sleep(0.05)

    async def scan(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start a search."""
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.cli", "scan", *arguments, "--quick", "--json", "-c", str(self.file),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """Run the house until all of its meters have been read."""
    async with running(PLAN, folder / "wires") as lines:
        text = (
            '[clock]\ntrust = "system"\n[journal]\nfolder = "journal"\n[store]\npath = "readings.sqlite"\n'
            '[hub]\ndatabase = "hub.sqlite"\n[web]\nlisten = "127.0.0.1:0"\n'
        )
        for name, line in lines.items():
            key = "url" if "://" in line.where else "device"
            text += f'[[bus]]\nname = "{name}"\ndriver = "{DRIVERS[name]}"\n{key} = "{line.where}"\n'
        for row in PLAN.meter:
            address = f"address = {row.address}\n" if row.address else ""
            text += f'[[meter]]\nname = "{row.name}"\nbus = "{row.line}"\nprofile = "{row.profile}"\n{address}'
            text += 'every = "1s"\n'
        file = folder / "home.toml"
        file.write_text(text, encoding="utf-8")
        log = (folder / "log").open("wb")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.cli", "home", "-c", str(file), stdout=log, stderr=log
        )
        log.close()
        here = House(file, {name: line.where for name, line in lines.items()})
        try:
            await here.until(lambda status: all(bus["read"] for bus in status.values()), 30)
            yield here
            assert (folder / "log").read_text() == ""
        finally:
            process.terminate()
            await process.wait()


def others_read_on(before: dict[str, Any], now: dict[str, Any], lent: str) -> None:
    """Assert that no meter of another bus missed a turn."""
    for name in before.keys() - {lent}:
        assert now[name]["read"] > before[name]["read"]
        assert now[name]["failed"] == before[name]["failed"]
        assert now[name]["missed"] == before[name]["missed"]


async def test_a_bus_comes_back_however_a_search_ends(tmp_path: Path) -> None:
    """A search finds the meter that the house reads; one that is killed gives the bus back at once."""
    async with house(tmp_path) as here:
        before = await here.status()
        search = await here.scan(here.wires["optical"])
        during = await here.until(lambda status: status["optical"]["lent"])
        assert not during["optical"]["connected"]
        (port,) = json.loads((await search.communicate())[0])["ports"]
        assert (search.returncode, [meter["profile"] for meter in port["meters"]]) == (0, ["sml"])
        read = during["optical"]["read"]
        after = await here.until(lambda status: not status["optical"]["lent"] and status["optical"]["read"] > read)
        others_read_on(before, after, "optical")

        search = await here.scan(here.wires["rs485"])
        during = await here.until(lambda status: status["rs485"]["lent"])
        search.send_signal(signal.SIGKILL)
        await search.communicate()
        read = during["rs485"]["read"]
        after = await here.until(lambda status: not status["rs485"]["lent"] and status["rs485"]["read"] > read, 5)
        assert after["rs485"]["failed"] == before["rs485"]["failed"]

        told = await control.ask(here.socket, {"do": "nameplates", "bus": "optical"}, timeout=30)
        assert "NBD" in told["nameplates"]["home_sml"]["serial"]
        read = (await here.status())["optical"]["read"]
        await here.until(lambda status: status["optical"]["read"] > read and not status["optical"]["lent"], 10)
        assert await control.ask(here.socket, {"do": "nameplates", "bus": "none"}) == {"error": "there is no such bus"}


@pytest.mark.slow
async def test_a_host_with_one_connection_is_lent(tmp_path: Path) -> None:
    """The house hangs up before the search dials."""
    async with house(tmp_path) as here:
        search = await here.scan(here.wires["host"])
        during = await here.until(lambda status: status["host"]["lent"])
        assert not during["host"]["connected"]
        (port,) = json.loads((await search.communicate())[0])["ports"]
        assert [meter["profile"] for meter in port["meters"]] == ["abb-b23"]
        await here.until(lambda status: status["host"]["connected"])
