"""How far apart a fleet comes back is configured."""

from pathlib import Path

import pytest

from gateway import edge
from gateway.backoff import Backoff
from gateway.config import load
from gateway.live import LivePoster
from gateway.message import Topics
from gateway.settings import Desired
from gateway.station import station

EDGE = """[gateway]
id = "gw"
[clock]
trust = "system"
[journal]
folder = "journal"
[mqtt]
url = "mqtt://127.0.0.1:1"
"""


@pytest.mark.parametrize(("line", "first"), [("", 1.0), ('spread = "60s"\n', 60.0)])
async def test_the_first_wait_after_a_loss_is_as_long_as_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, first: float
) -> None:
    """Ten thousand gateways under a cap of a minute are 170 a second; a house comes back within one."""
    made: list[tuple[float, float]] = []

    def noted(low: float, high: float) -> Backoff:
        made.append((low, high))
        return Backoff(low, high)

    monkeypatch.setattr(edge, "Backoff", noted)
    (tmp_path / "edge.toml").write_text(EDGE + line, encoding="utf-8")
    config, topics = load(tmp_path / "edge.toml", "edge", {}), Topics("home", "gw")
    async with station(config, None) as here:
        edge.Edge(config, topics, here, LivePoster(topics, 10), Desired.open(tmp_path))
    assert made == [(first, 60.0)]
