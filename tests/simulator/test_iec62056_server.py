"""Tests of simulator/iec62056_server.py on the lines of a scenario: its faults, its addresses, what it cannot be."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import Bus, DriverError, Meter, NoAnswer
from drivers.iec62056.driver import Iec62056Driver
from drivers.profiles import load
from simulator.scenario import Scenario
from simulator.serve import running
from simulator.serving import SimulatorError

METER = {"name": "m", "line": "head", "profile": "iec62056-21", "address": 12}


def scenario(**more: Any) -> Scenario:
    """Make a scenario of one head."""
    return Scenario.model_validate({"line": [{"name": "head", "kind": "tcp"}], "meter": [METER], **more})


async def read(where: str, address: int | None = None) -> float:
    """Read the import register once, in Wh."""
    driver = Iec62056Driver(Bus("b", where), lambda: 0)
    await driver.connect()
    try:
        return float((await driver.read(Meter("m", load("iec62056-21"), address))).values["energy_import_wh"])
    finally:
        await driver.close()


async def test_its_address(tmp_path: Path) -> None:
    """It answers everybody's sign-on and its own, at once for several readers, and no other's."""
    async with running(scenario(), tmp_path) as lines:
        where = lines["head"].where
        registers = await asyncio.gather(read(where), read(where, 12), read(where, 13), return_exceptions=True)
    assert registers[0] == registers[1]
    assert isinstance(registers[2], NoAnswer)


@pytest.mark.parametrize("kind", ["flip", "babble", "silence", "noise", "echo"])
async def test_its_faults(tmp_path: Path, kind: str) -> None:
    """What goes wrong on its line is a right value or an error, never a wrong value."""
    async with running(scenario(), tmp_path / "right") as lines:
        right = await read(lines["head"].where)
    fault = {"line": "head", "kind": kind, "times": 2}
    async with running(scenario(fault=[fault]), tmp_path / "wrong") as lines:
        for _ in range(2):
            try:
                assert await read(lines["head"].where) == pytest.approx(right, abs=10)
            except DriverError:
                assert kind not in ("noise", "echo")


@pytest.mark.parametrize(
    "meters",
    [
        [METER, METER | {"name": "n"}],
        [METER | {"profile": "iec62056-21-heat"}],
        [METER, METER | {"name": "n", "profile": "dsmr-p1"}],
    ],
    ids=["two", "heat", "mixed"],
)
async def test_what_it_cannot_be(tmp_path: Path, meters: list[dict[str, Any]]) -> None:
    """A head sees one electricity meter only."""
    with pytest.raises(SimulatorError):
        async with running(scenario(meter=meters), tmp_path):
            pass
