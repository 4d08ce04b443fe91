"""The stub of wmbusmeters tells what its meters' homes take."""

import json
from typing import Any

from simulator.scenario import Scenario
from simulator.stage import Stage

NOON = 1_790_000_000.0


async def test_a_scenario_puts_it_on_a_line(heard: Any) -> None:
    """Its meters are told of in turn, each with its number, media, register and time."""
    meters = [
        {"name": "a", "line": "json", "profile": "wmbusmeters-water", "address": 21050005, "channel": "water"},
        {"name": "b", "line": "json", "profile": "wmbusmeters-electricity", "address": 7},
    ]
    plan = Scenario.model_validate({"line": [{"name": "json", "kind": "tcp"}], "meter": meters})
    stage = Stage(plan, lambda: NOON)
    protocol, server = stage.line(plan.line[0])
    assert protocol == "wmbusmeters"
    session = server.open(heard)
    await heard.until(50)
    session.close()
    told = json.loads(heard.data)
    register = int(stage._homes["home"].at("water", NOON)["water_volume"])
    assert {"_": "telegram", "media": "water", "id": "21050005", "total_m3": register / 1000}.items() <= told.items()
    assert told["timestamp"] == "2026-09-21T14:13:20Z"
