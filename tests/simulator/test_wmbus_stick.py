"""The simulated stick, and a scenario's line of wireless meters."""

import pytest

from drivers.contract import Bus, Keys, Meter
from drivers.profiles import load
from drivers.wmbus.driver import open_bus
from simulator.scenario import Scenario
from simulator.stage import Stage
from simulator.wire import tcp_line

PLAN = {
    "speed": 1000,
    "line": [{"name": "air", "kind": "tcp"}],
    "meter": [
        {
            "name": "w",
            "line": "air",
            "profile": "wmbus-water",
            "address": 21050003,
            "channel": "water",
            "key": "0f" * 16,
        },
        {"name": "e", "line": "air", "profile": "wmbus-electricity", "address": 21050004},
    ],
}


async def test_a_line_of_wireless_meters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver reads what the household uses, ciphered and not, each meter by its number."""
    monkeypatch.setattr("simulator.wmbus_stick.EVERY", 0.1)
    clock = [1_790_000_000.0]
    stage = Stage(Scenario.model_validate(PLAN), lambda: clock[0])
    protocol, server = stage.line(stage._plan.line[0])
    assert protocol == "wmbus"
    water = Meter("w", load("wmbus-water"), 21_050_003, keys=Keys(b"\x0f" * 16))
    power = Meter("e", load("wmbus-electricity"), "NBD 21050004")
    async with tcp_line(server, "127.0.0.1") as port:
        driver = open_bus(Bus("air", f"tcp://127.0.0.1:{port}"), lambda: 1)
        await driver.connect()
        litres, watts = (await driver.read(water)).values, (await driver.read(power)).values
        await driver.close()
    home = stage._homes["home"]
    assert set(litres) == {"water_volume_l", "water_flow_l_h"}
    assert litres["water_volume_l"] == int(home.at("water", stage.now())["water_volume"])
    assert set(watts) == {"energy_import_wh", "energy_export_wh", "power_w"}
    assert watts["power_w"] == int(home.at("electricity", stage.now())["power"])
