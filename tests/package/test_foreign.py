"""The packages of other processors, installed and run under emulation."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.scenario import Scenario
from simulator.serve import running
from tests.support.booted import chrooted, copy, emulated, root

MORE = {"arm64": "", "armhf": ",python3-cffi-backend"}
CONFIG = """
[mqtt]
url = "mqtt://127.0.0.1"
[[bus]]
name = "lan"
driver = "modbus"
url = "{where}"
[[meter]]
name = "m"
bus = "lan"
profile = "abb-b23"
address = 1
deadline = "10s"
"""
METER = Scenario.model_validate(
    {
        "line": [{"name": "lan", "kind": "tcp"}],
        "meter": [{"name": "m", "line": "lan", "profile": "abb-b23", "address": 1}],
    }
)
COMPILED = "aiohttp cryptography.hazmat.bindings._rust orjson pydantic_core serialx markupsafe yarl"


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["arm64", "armhf"])
async def test_the_package_of_another_processor_reads_a_meter(
    architecture: str, tmp_path: Path, whole_package: Callable[[str, str], Path]
) -> None:
    """It installs there, every compiled part loads, and a simulated meter is read by it."""
    package = whole_package(architecture, "1.0")
    with emulated(architecture), copy(root("bookworm", architecture, MORE[architecture])) as place:
        shutil.copy(package, place / "root")
        chrooted(place, "dpkg -i /root/nabd_*.deb", timeout=900)
        assert chrooted(place, "dpkg --print-architecture").strip() == architecture
        for module in COMPILED.split():
            chrooted(place, f'/opt/nabd/current/bin/python -c "import {module}"')
        async with running(METER, tmp_path / "wires") as lines:
            (place / "etc/nabd/home.toml").write_text(CONFIG.format(where=lines["lan"].where))
            said = await _aside(place, "nabd read m --json 2>/dev/null")
    assert json.loads(said)["values"]["energy_import_wh"]


async def _aside(place: Path, script: str) -> str:
    """Run a script while the simulated meter goes on."""
    return await asyncio.to_thread(chrooted, place, script)
