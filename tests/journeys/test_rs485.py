"""Eight meters of eight models on one line, one of them dead and one in noise: the whole way to the store."""

import asyncio
import json
import sys
import tomllib
from pathlib import Path

import pytest

from simulator.shipped import scenario_path

DEAD = "cellar"


def test_the_line_has_what_it_promises() -> None:
    """Eight models on one paced line, a dead meter and a noisy one."""
    plan = tomllib.loads(scenario_path("rs485").read_text())
    assert len({meter["profile"] for meter in plan["meter"]}) == len(plan["meter"]) == 8
    assert [line["kind"] for line in plan["line"]] == ["pty"]
    assert plan["line"][0]["baud"] <= 19_200
    units = {meter["name"]: meter["address"] for meter in plan["meter"]}
    assert {fault["unit"] for fault in plan["fault"] if fault["kind"] == "silence"} == {units[DEAD]}
    assert [fault["unit"] for fault in plan["fault"] if fault["kind"] == "noise"] != []


@pytest.mark.slow
async def test_the_demo_of_a_line_loses_nothing(tmp_path: Path) -> None:
    """Exit 0, all that was read is stored, the seven others were read, and the dead meter is named as silent."""
    arguments = ("demo", "--scenario", "rs485", "--for", "20", "--listen", "127.0.0.1:0", "--folder", str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", *arguments, stdout=-1, stderr=-1
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate()
    text = out.decode()
    assert process.returncode == 0, text + err.decode()
    figures = json.loads(text.splitlines()[-1])
    assert figures["read"] == figures["stored"] > 40
    assert figures["lost"] == 0
    silent = [line for line in text.splitlines() if "silent:" in line]
    assert len(silent) == 1
    assert DEAD in silent[0]
