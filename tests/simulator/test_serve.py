"""Whole scenarios: from the file to bytes on real wires."""

import asyncio
import json
import os
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerType

from simulator.course import DAY, EPOCH
from simulator.habits import Home
from simulator.households import Household
from simulator.serve import serve
from simulator.serving import SimulatorError

HOME = Path(__file__).parents[2] / "config" / "scenarios" / "home.toml"
NOON = (EPOCH + 3) * DAY + 43_200.0
READ_SDM630_VOLTAGE = bytes.fromhex("01 04 0000 0002 71CB")


@asynccontextmanager
async def served(folder: Path, scenario: Path, clock: Callable[[], float] = lambda: NOON) -> AsyncIterator[Any]:
    """Run `serve` and give what it listed."""
    lines: list[str] = []
    task = asyncio.create_task(serve(scenario, folder, report=lines.append, clock=clock))
    listing = folder / "meters.json"
    async with asyncio.timeout(10):
        while not listing.exists() and not task.done():
            await asyncio.sleep(0.01)
    if task.done():
        task.result()
    listed = json.loads(listing.read_text())
    assert len(lines) == len(listed["meters"])
    try:
        yield {line["name"]: line for line in listed["lines"]}
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not listing.exists()


def written(folder: Path, *tables: str) -> Path:
    """Write a scenario with a household, lines and meters given as TOML."""
    path = folder / "scenario.toml"
    path.write_text("seed = 7\n" + "\n".join(tables))
    return path


async def read_some(path: str, request: bytes, enough: Callable[[bytes], bool]) -> bytes:
    """Open a serial port, say something, and read until there is enough."""
    port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        os.write(port, request)
        data = b""
        async with asyncio.timeout(5):
            while not enough(data):
                try:
                    data += os.read(port, 4096)
                except BlockingIOError:
                    await asyncio.sleep(0.002)
        return data
    finally:
        os.close(port)


async def test_the_home_scenario_speaks_on_every_line(tmp_path: Path) -> None:
    """RTU on a paced pty, Modbus TCP and P1: each tells the truth of its home."""
    async with served(tmp_path, HOME) as lines:
        said = await read_some(lines["rs485-1"]["where"], READ_SDM630_VOLTAGE, lambda data: len(data) >= 9)
        voltage = struct.unpack(">f", said[3:7])[0]
        assert voltage == pytest.approx(Household(Home(7)).at("electricity", NOON)["voltage"], abs=0.01)

        host, port = lines["lan-1"]["where"].removeprefix("tcp://").split(":")
        client = AsyncModbusTcpClient(host, port=int(port), retries=0)
        await client.connect()
        answer = await client.read_holding_registers(0x5000, count=4, device_id=1)
        energy = int.from_bytes(b"".join(word.to_bytes(2, "big") for word in answer.registers), "big")
        true = Household(Home(8, solar=4_000)).at("electricity", NOON)["energy_import"]
        assert energy == pytest.approx(true / 10, abs=1)
        client.close()

        telegram = await read_some(lines["p1-1"]["where"], b"", lambda data: b"!" in data)
        assert b"0-1:24.2.1(" in telegram
    assert not list(tmp_path.iterdir())


LINE = '[[line]]\nname = "bus"\nkind = "%s"\n'
METER = '[[meter]]\nname = "m"\nline = "bus"\nprofile = "eastron-sdm630"\naddress = 1\n'


async def test_time_runs_as_fast_as_told(tmp_path: Path) -> None:
    """With speed 3600 one second of the clock is an hour of the home."""
    now = [NOON]
    scenario = written(tmp_path, "speed = 3600", LINE % "rtu+tcp", METER)
    async with served(tmp_path, scenario, lambda: now[0]) as lines:
        host, port = lines["bus"]["where"].removeprefix("rtu+tcp://").split(":")
        client = AsyncModbusTcpClient(host, port=int(port), framer=FramerType.RTU, retries=0)
        await client.connect()
        energies = []
        for now[0] in (NOON, NOON + 24):
            answer = await client.read_input_registers(0x48, count=2, device_id=1)
            energies.append(struct.unpack(">f", struct.pack(">2H", *answer.registers))[0])
        home = Household(Home(7))
        true = home.at("electricity", NOON + DAY)["energy_import"] - home.at("electricity", NOON)["energy_import"]
        assert energies[1] - energies[0] == pytest.approx(true / 1000, abs=0.01)
        client.close()


async def test_events_and_faults_come_when_the_scenario_says(tmp_path: Path) -> None:
    """An overload shows in the registers, then the meter dies."""
    now = [NOON]
    event = '[[event]]\nchannel = "electricity"\nrate = 9000\nphase = 3\nafter = 10\nlasts = 60\n'
    fault = '[[fault]]\nline = "bus"\nkind = "silence"\nunit = 1\nafter = 20\n'
    async with served(tmp_path, written(tmp_path, LINE % "tcp", METER, event, fault), lambda: now[0]) as lines:
        host, port = lines["bus"]["where"].removeprefix("tcp://").split(":")
        client = AsyncModbusTcpClient(host, port=int(port), timeout=0.2, retries=0)
        await client.connect()
        powers = []
        for now[0] in (NOON, NOON + 15):
            answer = await client.read_input_registers(0x10, count=2, device_id=1)
            powers.append(struct.unpack(">f", struct.pack(">2H", *answer.registers))[0])
        assert powers[1] - powers[0] == pytest.approx(9_000, rel=0.05)
        now[0] = NOON + 25
        with pytest.raises(Exception, match="No response"):
            await client.read_input_registers(0x10, count=2, device_id=1)
        client.close()


@pytest.mark.parametrize("kind", ["tcp", "rtu+tcp"])
async def test_a_host_others_can_reach_is_refused(tmp_path: Path, kind: str) -> None:
    """Nothing is opened unless the owner says so."""
    scenario = written(tmp_path, LINE % kind + 'host = "0.0.0.0"\n', METER)
    with pytest.raises(SimulatorError, match="i-own-this-host"):
        await serve(scenario, tmp_path / "run", report=print)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "tables",
    [
        (LINE % "pty", METER, METER.replace('"m"', '"n"')),
        (LINE % "pty", METER, METER.replace('"m"', '"n"').replace("eastron-sdm630", "dsmr-p1")),
        (LINE % "rtu+tcp", METER.replace("eastron-sdm630", "dsmr-p1")),
        (LINE % "pty", METER.replace("eastron-sdm630", "dsmr-p1-gas") + 'channel = "gas"\n'),
        (LINE % "pty", METER, LINE.replace("bus", "empty") % "pty"),
    ],
    ids=["one address", "two protocols", "p1 in rtu frames", "no main meter", "no meter"],
)
async def test_a_line_that_makes_no_sense_is_refused(tmp_path: Path, tables: tuple[str, ...]) -> None:
    """The error names the line."""
    with pytest.raises(SimulatorError, match=r"line (bus|empty)"):
        await serve(written(tmp_path, *tables), tmp_path, report=print)
