"""`nabd read` of simulated M-Bus meters, over a pseudo terminal and over TCP, as an installer does it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway import show
from gateway.config import load
from gateway.config.customers import Document
from simulator.scenario import Scenario
from simulator.serve import running

SLAVES = {
    "flat": ("mbus-electricity", 1, "electricity"), "bath": ("mbus-water", 2, "water"), "oven": ("mbus-gas", 3, "gas"),
    "twin": ("mbus-water", 9, "water"), "other": ("mbus-gas", 9, "gas"),
}  # fmt: skip


@asynccontextmanager
async def line(folder: Path, kind: str, addresses: dict[str, str]) -> AsyncIterator[Document]:
    """Serve five meters, two of them with one address, and give a configuration with meters at these addresses."""
    plan = Scenario.model_validate(
        {
            "line": [{"name": "mbus", "kind": kind}],
            "meter": [
                {"name": name, "line": "mbus", "profile": profile, "address": number, "channel": channel}
                for name, (profile, number, channel) in SLAVES.items()
            ],
        }
    )
    async with running(plan, folder / "wires") as lines:
        where = lines["mbus"].where
        # Nothing paces the wire, so that a high speed means short waits; and a pseudo terminal has no parity.
        place = f'device = "{where}"\nbaud = 38400\nframing = "8N1"' if kind == "pty" else f'url = "{where}"'
        text = (
            f'[gateway]\nid = "gw"\n[journal]\nfolder = "journal"\n[mqtt]\nurl = "mqtts://b"\n'
            f'[[bus]]\nname = "b"\ndriver = "mbus"\n{place}\n'
        )
        for name, address in addresses.items():
            text += f'[[meter]]\nname = "{name}"\nbus = "b"\nprofile = "{SLAVES[name][0]}"\naddress = {address}\n'
            text += 'deadline = "50ms"\n'
        (folder / "edge.toml").write_text(text)
        yield load(folder / "edge.toml", "edge", {})


@pytest.mark.parametrize("kind", ["pty", "tcp"])
async def test_nabd_read(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Several meters on one line, by primary address and by number; each says who it is."""
    addresses = {"flat": "1", "bath": '"21050002"', "oven": '"21050003.NBD"'}
    async with line(tmp_path, kind, addresses) as config:
        said = {}
        for name in addresses:
            assert await show.read(config, name, as_json=True) == 0
            said[name] = json.loads(capsys.readouterr().out)
    assert 200 < said["flat"]["values"]["voltage_l1_v"] < 250
    assert said["bath"]["values"]["water_volume_l"] > 0
    assert said["oven"]["values"]["gas_volume_l"] > 0
    assert [said[name]["nameplate"]["serial"] for name in addresses] == ["21050001", "21050002", "21050003"]


async def test_two_meters_at_one_address_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A collision is an error that says so, and nothing is read; nor where nobody is."""
    async with line(tmp_path, "pty", {"twin": "9", "bath": "77"}) as config:
        assert await show.read(config, "twin", as_json=True) == 1
        assert "nabd: gw_twin: " in (told := capsys.readouterr().err)
        assert "several meters" in told
        assert await show.read(config, "bath", as_json=True) == 1
        assert "silence" in capsys.readouterr().err
