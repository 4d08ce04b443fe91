"""`nabd read` of meters on a simulated S0PCM, over a pseudo terminal and over TCP, as an installer does it."""

import json
from pathlib import Path

import pytest

from gateway import show
from gateway.config import load
from simulator.scenario import Scenario
from simulator.serve import running


@pytest.mark.parametrize("kind", ["pty", "tcp"])
async def test_nabd_read(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count begins with 0, and `offset` is what the display showed."""
    monkeypatch.setattr("simulator.pulse_server.INTERVAL", 0.05)
    inputs = {1: ("s0-1000", "electricity"), 2: ("pulse-water-1l", "water"), 3: ("pulse-gas-10l", "gas")}
    plan = Scenario.model_validate(
        {
            "line": [{"name": "port", "kind": kind}],
            "meter": [
                {"name": f"m{number}", "line": "port", "profile": profile, "address": number, "channel": channel}
                for number, (profile, channel) in inputs.items()
            ],
        }
    )
    async with running(plan, tmp_path / "wires") as lines:
        where = lines["port"].where
        place = f'device = "{where}"\nframing = "8N1"' if kind == "pty" else f'url = "{where}"'
        text = (
            f'[gateway]\nid = "gw"\n[journal]\nfolder = "journal"\n[mqtt]\nurl = "mqtts://b"\n'
            f'[[bus]]\nname = "b"\ndriver = "pulse"\n{place}\n'
        )
        for number, (profile, _) in inputs.items():
            text += f'[[meter]]\nname = "m{number}"\nbus = "b"\nprofile = "{profile}"\naddress = {number}\n'
            text += f"offset = {number * 1000}\n"
        (tmp_path / "edge.toml").write_text(text)
        config = load(tmp_path / "edge.toml", "edge", {})
        for number, key in ((1, "energy_import_wh"), (2, "water_volume_l"), (3, "gas_volume_l")):
            assert await show.read(config, f"m{number}", as_json=True) == 0
            assert json.loads(capsys.readouterr().out)["values"][key] == number * 1000
