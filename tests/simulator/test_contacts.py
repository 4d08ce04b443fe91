"""Contacts of a scenario on a simulated board, from the register to the driver's reading."""

import asyncio
import json
from pathlib import Path

import pytest

from drivers.contract import Bus, Meter
from drivers.profiles import load as load_profile
from drivers.pulse.driver import open_bus
from simulator.contacts import LOOK, MOST, Contacts
from simulator.scenario import load
from simulator.serve import running
from simulator.serving import SimulatorError
from simulator.wire import board_line
from tests.support.virtual_time import run_virtually

LINE = '[[line]]\nname = "contacts"\nkind = "board"\n'
METER = '[[meter]]\nname = "garden"\nline = "contacts"\nprofile = "pulse-water-1l"\naddress = 17\nchannel = "water"\n'


def test_a_pulse_for_each_step() -> None:
    """Pulses since the last look are numbered on and stamped evenly; what came before the watching is not told."""

    async def story() -> list[str]:
        told: list[str] = []
        clock, total = [1_000], [40]
        session = Contacts({17: lambda: total[0]}, lambda: clock[0]).open(lambda data: told.append(data.decode()))
        session.feed(b"watch 17 27\nwatch 5\nwat")
        session.feed(b"ch 17\nnonsense\n")
        clock[0], total[0] = 2_000, 42
        await asyncio.sleep(1.5 * LOOK)
        clock[0], total[0] = 3_000, 43
        await asyncio.sleep(LOOK)
        session.close()
        total[0] = 50
        await asyncio.sleep(2 * LOOK)
        return told

    assert run_virtually(story()) == ["17 1500 1 +\n", "17 2000 2 +\n", "17 3000 3 +\n"]


def test_a_leap_is_cut() -> None:
    """A register that leaps gives no flood, and goes on from where it is; one that falls gives nothing."""

    async def story() -> int:
        told: list[bytes] = []
        total = [0]
        session = Contacts({1: lambda: total[0]}, lambda: 0).open(told.append)
        session.feed(b"watch 1\n")
        total[0] = 10 * MOST
        await asyncio.sleep(1.5 * LOOK)
        total[0] = 1
        await asyncio.sleep(LOOK)
        session.close()
        return len(told)

    assert run_virtually(story()) == MOST


async def test_a_program_counts_them(tmp_path: Path) -> None:
    """The driver watches its contact, and reads what the register went up by since."""
    total = [40]
    async with board_line(Contacts({17: lambda: total[0]}), tmp_path / "a.sock"):
        driver = open_bus(Bus("a", str(tmp_path / "a.sock"), state=None), lambda: 0)
        meter = Meter("garden", load_profile("pulse-water-1l"), 17)
        await driver.connect()
        assert (await driver.read(meter)).values["water_volume_l"] == 0
        async with asyncio.timeout(5):
            while (await driver.read(meter)).values["water_volume_l"] == 0:
                # A new pulse at every turn until the first is heard: nothing is told before the watching began.
                total[0] += 1
                await asyncio.sleep(LOOK)
        await driver.close()
    assert not (tmp_path / "a.sock").exists()


async def test_a_scenario_names_its_board(tmp_path: Path) -> None:
    """The listing says which socket a program must watch, and the socket is gone with the scenario."""
    path = tmp_path / "scenario.toml"
    path.write_text(LINE + METER)
    async with running(load(path), tmp_path) as lines:
        (listed,) = json.loads((tmp_path / "meters.json").read_text())["lines"]
        assert (listed["driver"], listed["where"]) == ("pulse", str(tmp_path / "contacts.sock"))
        driver = open_bus(Bus("a", lines["contacts"].where, state=None), lambda: 0)
        await driver.connect()
        assert (await driver.read(Meter("garden", load_profile("pulse-water-1l"), 17))).values
        await driver.close()
    assert not (tmp_path / "contacts.sock").exists()


async def test_a_board_has_contacts_only(tmp_path: Path) -> None:
    """Another protocol's meter on it is a mistake, and so is a path that no socket can have."""
    path = tmp_path / "scenario.toml"
    path.write_text(LINE + METER.replace("pulse-water-1l", "eastron-sdm120"))
    with pytest.raises(SimulatorError, match="is a board"):
        async with running(load(path), tmp_path):
            pass
    path.write_text(LINE + METER)
    with pytest.raises(SimulatorError, match="cannot listen"):
        async with running(load(path), tmp_path / ("x" * 120)):
            pass
