"""Commands between real programs: `nabd command` at the hub, `nabd edge` killed and started again."""

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.brokers import Mosquitto
from tests.support.stack import Stack

pytestmark = pytest.mark.slow


async def nabd(*arguments: str) -> tuple[int, str]:
    """Run one command; give its exit code and all it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_a_hub_commands_and_configures_a_gateway(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Read, refuse, stage, confirm, survive `kill -9`, be named by check and status, and be dropped by hand."""
    stack = Stack(tmp_path, mosquitto.port, mosquitto.port, meters=2)
    await stack.start()
    hub, edge = str(tmp_path / "hub.toml"), str(tmp_path / "edge.toml")
    try:
        code, out = await nabd("command", "-c", hub, "gw", "read_now", "meter=gw_m0", "--role", "customer")
        assert code == 0, out
        assert json.loads(out)["meter"] == "gw_m0"
        code, out = await nabd("command", "-c", hub, "gw", "replay", "from=1", "to=2", "--role", "customer")
        assert (code, json.loads(out)["reason"]) == (1, "wrong_role")
        new = tmp_path / "new.toml"
        new.write_text((tmp_path / "edge.toml").read_text(encoding="utf-8").split('[[bus]]\nname = "b1"')[0])
        code, out = await nabd("command", "-c", hub, "gw", "reload", f"config=@{new}", "confirm_s=60")
        assert (code, json.loads(out)["state"]) == (0, "on trial")
        async with asyncio.timeout(30):
            while (await stack.status("edge"))["remote"]["configuration"] != "runs":
                await asyncio.sleep(0.1)
        await stack.kill("edge")
        await stack.run("edge")
        status = await stack.status("edge")
        assert status["remote"]["configuration"] == "runs"
        assert [bus["name"] for bus in status["buses"]] == ["b0"]
        code, out = await nabd("check", edge)
        assert (code, "the hub sent" in out) == (0, True)
        code, out = await nabd("reload", "--local", "-c", edge)
        assert (code, out.strip()) == (0, "added 1")
        assert "the hub sent" not in (await nabd("check", edge))[1]
    finally:
        await stack.stop()


async def test_killed_at_twenty_moments_of_a_trial_it_boots(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """`kill -9` anywhere between the command and what it leaves: the old or the new configuration reads meters."""
    dice = random.Random(22)
    stack = Stack(tmp_path, mosquitto.port, mosquitto.port, meters=2)
    await stack.start()
    own = (tmp_path / "edge.toml").read_text(encoding="utf-8")
    texts = [own.split('[[bus]]\nname = "b1"')[0], own.replace('every = "100ms"', 'every = "200ms"')]
    booted = set()
    try:
        for number in range(20):
            (tmp_path / "new.toml").write_text(texts[number % 2], encoding="utf-8")
            sending = asyncio.create_task(
                nabd("command", "-c", str(tmp_path / "hub.toml"), "gw", "reload", f"config=@{tmp_path / 'new.toml'}")
            )
            await asyncio.sleep(dice.uniform(0.5, 3.5))
            await stack.kill("edge")
            await stack.run("edge")
            await sending
            status = await stack.status("edge")
            booted.add((len(status["buses"]), status["remote"]["configuration"]))
            await stack.until_stored(2)
    finally:
        await stack.stop()
    # A command that is slower than the kill stages its document at the new program: only then is one on trial.
    assert booted <= {(2, ""), (1, "runs"), (2, "runs"), (1, "on trial"), (2, "on trial")}
    assert len(booted) > 1, "no trial ever came to its end"
