"""A simulated line with Modbus meters, served in this process, and a configuration that reads them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from simulator.scenario import Scenario
from simulator.serve import running


@asynccontextmanager
async def simulated_line(
    folder: Path, meters: Mapping[int, str], *, configured: Sequence[tuple[str, str, int]] = (), baud: int = 19_200
) -> AsyncIterator[Path]:
    """Serve one pty with meters (address to profile), and give a home.toml whose bus `line` is that pty.

    `configured` names the meters of the configuration (name, profile, address); those that are served unless given.
    """
    plan = Scenario.model_validate(
        {
            "line": [{"name": "line", "kind": "pty", "baud": baud, "turnaround": 0.002}],
            "meter": [
                {"name": f"m{unit}", "line": "line", "profile": profile, "address": unit}
                for unit, profile in meters.items()
            ],
        }
    )
    async with running(plan, folder / "wires") as lines:
        text = (
            '[clock]\ntrust = "system"\n[journal]\nfolder = "journal"\n[store]\npath = "readings.sqlite"\n'
            '[hub]\ndatabase = "hub.sqlite"\n[web]\nlisten = "127.0.0.1:0"\n'
            f'[[bus]]\nname = "line"\ndriver = "modbus"\ndevice = "{lines["line"].where}"\nbaud = {baud}\n'
        )
        for name, profile, address in configured or [(f"m{unit}", meters[unit], unit) for unit in meters]:
            text += f'[[meter]]\nname = "{name}"\nbus = "line"\nprofile = "{profile}"\naddress = {address}\n'
        (folder / "home.toml").write_text(text, encoding="utf-8")
        yield folder / "home.toml"
