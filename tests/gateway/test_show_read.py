"""`nabd read`, straight from the bus: raw beside what counts, what a meter lacks, what it is, and what is wrong."""

import json
import struct
from pathlib import Path

import pytest

from gateway import show
from gateway.config import load
from tests.support.modbus_slaves import TcpHost, mbap

PROFILE = """
name      = "probe"
title     = "A probe"
driver    = "modbus"
source    = "a test"
evidence  = "two-sources"
table     = "holding"
order     = "ORDER"
registers = [
  { at = 0, quantity = "voltage", unit = "V", type = "f32" },
  { at = 2, quantity = "energy_import", unit = "kWh", type = "u32" },
  { at = 4, quantity = "frequency", unit = "Hz", type = "u16", scale = 0.1 },
]
nameplate = [ { at = 5, name = "serial", type = "u16" } ]
[[examples]]
bytes     = { 4 = "01F4" }
readings  = { frequency = 50.0 }
"""
HELD = struct.pack(">fI", 230.1, 1234) + b"\0\0" + struct.pack(">H", 4711)


def says(request: bytes) -> list[tuple[float, bytes]]:
    """Answer from HELD; register 4 does not exist."""
    at, count = struct.unpack(">HH", request[8:12])
    if at <= 4 < at + count:
        return [(0, mbap(request, b"\x83\x02"))]
    return [(0, mbap(request, bytes((3, 2 * count)) + HELD[2 * at : 2 * (at + count)]))]


async def read(folder: Path, order: str, options: str = "", *, as_json: bool = False) -> int:
    """Read the probe once."""
    (folder / "meters").mkdir()
    (folder / "meters" / "probe.toml").write_text(PROFILE.replace("ORDER", order))
    async with TcpHost(says) as host:
        (folder / "edge.toml").write_text(
            f'[gateway]\nid = "gw"\n[journal]\nfolder = "journal"\n[mqtt]\nurl = "mqtts://b"\n'
            f'[[bus]]\nname = "b"\ndriver = "modbus"\nurl = "{host.url}"\n'
            f'[[meter]]\nname = "m"\nbus = "b"\nprofile = "probe"\n{options}\n'
        )
        return await show.read(load(folder / "edge.toml", "edge", {}), "m", as_json=as_json)


async def test_a_reading_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Raw beside scaled, the missing register and the nameplate, each on its line."""
    assert await read(tmp_path, "ABCD", "ratio = 40.0\noffset = 500.0") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line]
    assert lines == [
        "gw_m: A probe",
        "voltage 230.1 V 12.7.0",
        "energy_import 49360500 Wh 1.8.0 the meter says 1234000 Wh",
        "no value of: frequency",
        "Ratio 40 and offset 500 of the configuration are applied.",
        "it is serial 4711",
    ]


async def test_a_reading_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same as one JSON object; without a ratio there is nothing raw."""
    assert await read(tmp_path, "ABCD", as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {
        "meter": "gw_m",
        "values": {"voltage_v": 230.1, "energy_import_wh": 1234000},
        "status": [],
        "nameplate": {"serial": "4711"},
    }


async def test_a_wrong_order_of_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An installer sees why nothing is published, and what to write instead."""
    assert await read(tmp_path, "CDAB") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "ABCD would give voltage 230.1 V" in said.err
    assert 'write order = "ABCD"' in said.err
