"""The installer's first hour as the demo plays it: every command really runs, and the page shows what they say."""

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "first-hour.md"


async def play(*arguments: str, seconds: float) -> tuple[int | None, list[str], str]:
    """Run the demo; give its code, the commands typed, and all that was said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "demo", "--scenario", "installer", "--listen", "127.0.0.1:0", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(seconds):
        said = (await process.communicate())[0].decode()
    return process.returncode, commands(said), said


def commands(text: str) -> list[str]:
    """List what was typed; a report's name has the time in it, and which meter is read depends on what was found."""
    plain = re.sub(r"-\d{8}-\d{6}", "", re.sub(r"nabd read \S+", "nabd read METER", text))
    return re.findall(r"^\$ nabd (.*)$", plain, re.MULTILINE)


async def test_the_first_hour_is_played_to_its_end(tmp_path: Path) -> None:
    """One port: found, written, checked, unplugged, mended, commissioned, told, read, borrowed, opened."""
    code, typed, said = await play("--for", "20", "--folder", str(tmp_path), seconds=120)
    assert code == 0, said
    summary = json.loads(said.splitlines()[-1])
    assert {key: summary[key] for key in ("ports", "meters", "doctor", "commissioned", "passed", "page")} == {
        "ports": 1, "meters": 1, "doctor": ["port_missing"], "commissioned": 1, "passed": True, "page": 200,
    }  # fmt: skip
    assert summary["delivered"] == {"webhook": 1, "push": 1, "email": 1}
    assert "lent by the running program" in said
    serials = json.loads((tmp_path / "journal" / "serials.json").read_text(encoding="utf-8"))
    assert serials == {"home_sml-2": "1 NBD00 0000 0001"}
    assert typed == commands(PAGE.read_text(encoding="utf-8"))


@pytest.mark.slow
async def test_the_first_hour_on_two_lines(tmp_path: Path) -> None:
    """The whole of it, with a line that is silent until it is asked."""
    code, _, said = await play("--folder", str(tmp_path), seconds=240)
    assert code == 0, said
    assert json.loads(said.splitlines()[-1])["meters"] == 3
    for model in ("Eastron SDM630 Modbus (likely)", "ABB B23", "NBD's SML meter (sure)"):
        assert model in said
