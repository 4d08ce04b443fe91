"""Another interval for one meter, and what is none."""

from pathlib import Path

import orjson
import pytest

from gateway.commands.interval import wanted, with_interval
from gateway.commands.judge import Refused
from gateway.config import EdgeConfig, load

TEXT = """[gateway]
id = "gw"
[mqtt]
url = "mqtt://127.0.0.1:1"
[[bus]]
name = "line"
driver = "modbus"
device = "/dev/ttyUSB0"
baud = 1200
"""


@pytest.fixture
def config(tmp_path: Path) -> EdgeConfig:
    """Give six meters on a slow line."""
    rows = [
        f'[[meter]]\nname = "m{n}"\nbus = "line"\nprofile = "eastron-sdm120"\naddress = {n + 1}\nevery = "60s"\n'
        for n in range(6)
    ]
    (tmp_path / "edge.toml").write_text(TEXT + "".join(rows), encoding="utf-8")
    return load(tmp_path / "edge.toml", "edge", {})


@pytest.mark.parametrize("name", ["m3", "gw_m3"])
def test_one_meter_gets_it_and_no_other(config: EdgeConfig, name: str) -> None:
    """By its name or its id."""
    meter, new = with_interval(config, wanted(orjson.dumps({"meter": name, "every_s": 30})))
    assert meter == "gw_m3"
    assert [row.every for row in new.meter] == [60, 60, 60, 30, 60, 60]
    assert [row.every for row in config.meter] == [60] * 6


@pytest.mark.parametrize(
    "payload",
    [
        b"{}", b'{"meter": "m0"}', b'{"meter": "m0", "every_s": 0.9}', b'{"meter": "m0", "every_s": 86401}',
        b'{"meter": "m0", "every_s": 1e999}', b'{"meter": "m0", "every_s": "NaN"}', b'{"meter": 3, "every_s": 30}',
    ],
)  # fmt: skip
def test_what_is_no_interval_is_refused(payload: bytes) -> None:
    """From a second to a day."""
    with pytest.raises(Refused, match="payload") as refused:
        wanted(payload)
    assert refused.value.reason == "malformed"


def test_a_meter_that_is_not_here_is_refused(config: EdgeConfig) -> None:
    """With a word that says so."""
    with pytest.raises(Refused, match="no such meter"):
        with_interval(config, wanted(b'{"meter": "m9", "every_s": 30}'))


def test_a_line_is_not_asked_for_more_than_it_carries(config: EdgeConfig) -> None:
    """The other meters on it would pay."""
    with pytest.raises(Refused, match="times what its speed allows"):
        with_interval(config, wanted(b'{"meter": "m0", "every_s": 1}'))
