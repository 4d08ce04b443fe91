"""A good edge.toml, and a way to load what an installer made of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import ConfigError, EdgeConfig, Kind, load

GOOD = """\
[gateway]
id = "gw-1"
zone = "Asia/Riyadh"

[journal]
window = "10s"

[mqtt]
url = "mqtts://broker.example:8883"
password_file = "mqtt.password"

[[bus]]
name = "rs485-1"
driver = "modbus"
device = "/dev/ttyUSB0"
framing = "8N1"

[[bus]]
name = "p1"
driver = "p1"
device = "/dev/ttyUSB1"

[[meter]]
name = "flat-7"
bus = "rs485-1"
profile = "eastron-sdm120"
address = 1

[[meter]]
name = "main"
bus = "p1"
profile = "dsmr-p1"

[[meter]]
name = "gas"
bus = "p1"
profile = "dsmr-p1-gas"
every = "5m"
"""

CANARY = "CANARY-7f3a"


@pytest.fixture(scope="session")
def good() -> str:
    """Give the text of a good edge.toml."""
    return GOOD


@pytest.fixture
def canary(tmp_path: Path) -> str:
    """Give the password that lies in `mqtt.password` beside the file."""
    secret = tmp_path / "mqtt.password"
    secret.write_text(CANARY + "\n")
    secret.chmod(0o600)
    return CANARY


@pytest.fixture
def write(tmp_path: Path, canary: str) -> Callable[[str | bytes], Path]:
    """Give a callable that writes an edge.toml with its secret beside it."""
    assert canary

    def make(content: str | bytes) -> Path:
        path = tmp_path / "edge.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


@pytest.fixture
def edge(write: Callable[[str | bytes], Path]) -> Callable[[str | bytes], EdgeConfig]:
    """Give a callable that loads a text as edge.toml, with an empty environment."""
    return lambda content: load(write(content), "edge", {})


@pytest.fixture
def complain(tmp_path: Path, write: Callable[[str | bytes], Path]) -> Callable[..., str]:
    """Give a callable that loads a text that must be refused, and gives the error with FILE for the path."""

    def refuse(content: str | bytes, kind: Kind = "edge") -> str:
        path = write(content)
        with pytest.raises(ConfigError) as caught:
            load(path, kind, {})
        return str(caught.value).replace(str(path), "FILE").replace(str(tmp_path), "DIR")

    return refuse
