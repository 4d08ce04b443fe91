"""An edge of a few meters on one line that leads nowhere: as its own file has it, or as a hub would have it instead."""

from pathlib import Path

from gateway.config import EdgeConfig, load

OWN = """[gateway]
id = "gw"
[mqtt]
url = "mqtt://127.0.0.1:1"
[[bus]]
name = "line"
driver = "modbus"
device = "/dev/ttyUSB0"
[[meter]]
name = "own"
bus = "line"
profile = "eastron-sdm120"
address = 1
"""
SENT = OWN.replace('name = "own"', 'name = "sent"')

STATION = """[gateway]
id = "gw"
[clock]
trust = "system"
[journal]
folder = "journal"
mirror = "mirror"
[mqtt]
url = "mqtt://127.0.0.1:1"
[[bus]]
name = "line"
driver = "modbus"
device = "/dev/null/none"
"""


def small_station(folder: Path, *names: str, more: str = "", each: str = "") -> EdgeConfig:
    """Load an edge that can be opened, with these meters; `each` stands in every meter's table, `more` at the end."""
    (folder / "mirror").mkdir(exist_ok=True)
    rows = [
        f'[[meter]]\nname = "{name}"\nbus = "line"\nprofile = "eastron-sdm120"\naddress = {number}\n{each}\n'
        for number, name in enumerate(names, 1)
    ]
    (folder / "edge.toml").write_text("\n".join([STATION, *rows]) + more, encoding="utf-8")
    return load(folder / "edge.toml", "edge", {})
