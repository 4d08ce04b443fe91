"""`nabd read` of a simulated IEC 62056-21 meter, over a pseudo terminal and over TCP, as an installer does it."""

import json
import os
import termios
from pathlib import Path

import pytest

from gateway import show
from gateway.config import load
from simulator.scenario import Scenario
from simulator.serve import running


async def read(folder: Path, kind: str, profile: str, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Serve one meter, read it once, and give its values."""
    plan = Scenario.model_validate(
        {"line": [{"name": "head", "kind": kind}], "meter": [{"name": "m", "line": "head", "profile": profile}]}
    )
    async with running(plan, folder / "wires") as lines:
        where = lines["head"].where
        place = f'device = "{where}"' if kind == "pty" else f'url = "{where}"'
        (folder / "edge.toml").write_text(
            f'[gateway]\nid = "gw"\n[journal]\nfolder = "journal"\n[mqtt]\nurl = "mqtts://b"\n'
            f'[[bus]]\nname = "b"\ndriver = "iec62056-21"\n{place}\n'
            f'[[meter]]\nname = "m"\nbus = "b"\nprofile = "{profile}"\n'
        )
        assert await show.read(load(folder / "edge.toml", "edge", {}), "m", as_json=True) == 0
        if kind == "pty" and profile == "iec62056-21":
            port = os.open(where, os.O_RDWR | os.O_NOCTTY)
            assert termios.tcgetattr(port)[4:6] == [termios.B9600, termios.B9600]
            os.close(port)
    values: dict[str, float] = json.loads(capsys.readouterr().out)["values"]
    return values


@pytest.mark.parametrize("profile", ["iec62056-21", "iec62056-21-d"])
@pytest.mark.parametrize("kind", ["pty", "tcp"])
async def test_nabd_read(tmp_path: Path, kind: str, profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The list of a meter that is asked, and of one that talks by itself, gives registers, power and voltages."""
    values = await read(tmp_path, kind, profile, capsys)
    assert values["energy_import_wh"] == pytest.approx(
        values["energy_import_t1_wh"] + values["energy_import_t2_wh"], abs=3
    )
    assert 220 < values["voltage_l1_v"] < 240
    assert values["power_w"] == values["power_import_w"] - values["power_export_w"]
    assert len(values) == 18
