"""What every test of the doctor needs: a healthy world, and configurations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.config.customers import HomeConfig
from gateway.config.load import load
from gateway.config.models import EdgeConfig
from gateway.doctor.visit import World

Home = Callable[..., HomeConfig]
Edge = Callable[..., EdgeConfig]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a machine with a network and a clock that somebody sets; its root is a folder."""
    (tmp_path / "proc").symlink_to("/proc")
    return World(root=tmp_path, clock=lambda: "synced", ports=list)


def table(name: str, values: dict[str, Any]) -> str:
    """Write a table of a configuration."""
    rows = (
        f"{key} = {value if isinstance(value, int) else chr(34) + str(value) + chr(34)}"
        for key, value in values.items()
    )
    return f"[{name}]\n" + "\n".join(rows) + "\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Give a callable that makes a house's configuration: one bus, one meter, as their tables say."""

    def make(bus: dict[str, Any], meter: dict[str, Any], folder: Path = tmp_path) -> HomeConfig:
        file = tmp_path / "home.toml"
        text = table("journal", {"folder": folder}) + table("[bus]", {"name": "bus-1"} | bus)
        file.write_text(text + table("[meter]", {"name": "m", "bus": "bus-1"} | meter))
        return load(file, "home")

    return make


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    """Give a callable that makes a gateway's configuration without a bus; the broker's table is given."""

    def make(url: str, **mqtt: Any) -> EdgeConfig:
        file = tmp_path / "edge.toml"
        tables = table("gateway", {"id": "gw-1"}) + table("journal", {"folder": tmp_path})
        file.write_text(tables + table("mqtt", {"url": url} | mqtt))
        return load(file, "edge")

    return make
