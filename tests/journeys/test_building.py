"""A building whose meters speak nine languages: all of them into one store, and none of them wrong."""

import asyncio
import json
import sqlite3
import sys
import tomllib
from pathlib import Path

from drivers.profiles import load
from simulator.shipped import scenario_path
from simulator.stage import SERVERS

SAME_REGISTER = (
    ("energy_import_wh", 1, "demo_grid", "demo_sml", "demo_optical"),
    ("energy_import_wh", 10, "demo_attic", "demo_utility"),
    ("energy_import_wh", 1, "demo_shop", "demo_lift"),
    ("water_volume_l", 1, "demo_water", "demo_stairs", "demo_vendor"),
)
"""Meters of one home each, made by as many encoders, read by as many decoders, and the coarsest step of their
registers: the B23 in the attic counts tens of Wh."""

BETWEEN = 4
"""What a home may take between the moments at which two meters speak."""


def test_a_building_shows_every_protocol() -> None:
    """Each protocol that can be simulated has a line of its own."""
    plan = tomllib.loads(scenario_path("building").read_text())
    assert {load(meter["profile"]).driver for meter in plan["meter"]} == set(SERVERS)


async def test_the_demo_of_a_building_reads_them_all(tmp_path: Path) -> None:
    """Every meter's readings are in the store, a ciphered one's too; meters of one home show one register."""
    arguments = ("demo", "--scenario", "building", "--for", "20", "--listen", "127.0.0.1:0", "--folder", str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", *arguments, stdout=-1, stderr=-1
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate()
    assert process.returncode == 0, out.decode() + err.decode()
    store = sqlite3.connect(tmp_path / "readings.sqlite")
    rows = store.execute("SELECT meter, ts, v FROM reading ORDER BY ts").fetchall()
    store.close()
    said: dict[str, dict[int, dict[str, float]]] = {}
    for meter, ts, values in rows:
        said.setdefault(meter, {})[ts] = json.loads(values)
    plan = tomllib.loads(scenario_path("building").read_text())
    assert set(said) == {f"demo_{meter['name']}" for meter in (*plan["meter"], *plan["virtual"])}
    together = max(said["demo_landlord"])
    parts = [
        max(values["energy_import_wh"] for values in said[meter].values()) for meter in ("demo_shop", "demo_attic")
    ]
    assert 0 <= sum(parts) - said["demo_landlord"][together]["energy_import_wh"] <= 30
    for quantity, step, *meters in SAME_REGISTER:
        # Some speak every second and some every eight, in which a busy home takes ten Wh: compared at one moment.
        moment = min(max(said[meter]) for meter in meters)
        registers = [said[meter][min(said[meter], key=lambda ts: abs(ts - moment))][quantity] for meter in meters]
        assert max(registers) - min(registers) <= step + BETWEEN, (quantity, registers)
