"""The configuration files a demo writes: what a newcomer may read, change and start by hand afterwards."""

from collections.abc import Mapping
from typing import Any

MAIN_FUSES = {"flat": 25}
"""Meters of the shipped scenarios whose main fuse is known; the scripted overload draws more than that."""

KEYS = ("key", "auth_key", "password")
"""What a ciphering meter's listing names; `key_file` and so on in the configuration."""

_EDGE = """[gateway]
id = "demo"

[clock]
trust = "system"  # a demo has no NTP to wait for

[journal]
folder = "journal"
window = "2s"     # the default is 10s; a newcomer should not wait that long to see readings stored

[mqtt]
url = "{url}"
live_every = "1s"
"""

_SHORT_LEAK = """[alerts.water_leak]
# Shortened, so that a leak shows within two minutes; the defaults are a day and an hour and a half.
sure_after = "60s"
still      = "15s"
over       = "20s"
"""

_HUB = """[hub]
database = "hub.sqlite"

[mqtt]
url = "{url}"

[store]
path = "readings.sqlite"

[web]
listen = "{listen}"
"""


def hub_toml(url: str, listen: str, channels: str) -> str:
    """Write the hub's file; `channels` are the tables of where messages go."""
    return _HUB.format(url=url, listen=listen) + channels


def edge_toml(url: str, wires: Mapping[str, Any], *, short_leak: bool) -> str:
    """Write the edge's file for the lines and meters of a simulator's listing."""
    parts = [_EDGE.format(url=url), *([_SHORT_LEAK] if short_leak else [])]
    parts += [_bus(line) for line in wires["lines"]]
    parts += [_meter(meter) for meter in wires["meters"]]
    parts += [f'[[virtual]]\nname = "{row["name"]}"\nformula = "{row["formula"]}"\n' for row in wires["virtual"]]
    return "\n".join(parts)


def key_files(wires: Mapping[str, Any]) -> dict[str, str]:
    """Give the files that hold the keys of ciphering meters, by name."""
    return {f"{meter['name']}.{field}": meter[field] for meter in wires["meters"] for field in KEYS if meter.get(field)}


def _bus(line: Mapping[str, Any]) -> str:
    key = "url" if "://" in line["where"] else "device"
    baud = f"baud = {line['baud']}\n" if line["baud"] else ""
    return f'[[bus]]\nname = "{line["name"]}"\ndriver = "{line["driver"]}"\n{key} = "{line["where"]}"\n{baud}'


def _meter(meter: Mapping[str, Any]) -> str:
    name = meter["name"]
    rows = [f'[[meter]]\nname = "{name}"\nbus = "{meter["line"]}"\nprofile = "{meter["profile"]}"\nevery = "1s"\n']
    if meter["address"] is not None:
        rows.append(f"address = {meter['address']}\n")
    rows += [f'{field}_file = "{name}.{field}"\n' for field in KEYS if meter.get(field)]
    if name in MAIN_FUSES:
        rows.append(f"rating_a = {MAIN_FUSES[name]}  # the main fuse, in ampere\n")
    return "".join(rows)
