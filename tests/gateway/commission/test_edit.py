"""One line of a meter's table is changed, and nothing else; a turned profile proves itself."""

import tomllib
from pathlib import Path

import pytest

from drivers.profiles import available, load, load_file
from gateway.commission.causes import Change
from gateway.commission.edit import change_meter, turned, with_line
from gateway.config.errors import ConfigError
from gateway.config.load import load as load_config

TEXT = """# the house of the neighbours
[[bus]]
name = "b" # one
driver = "modbus"
url = "tcp://127.0.0.1:1502"

[[meter]]
name = "one"            # first
bus = "b"
profile = "eastron-sdm120"
ratio = 1.0   # no # transformer

# the second
[[meter]]
name = "two"
bus = "b"
profile = "eastron-sdm120"
address = 2
# the end"""


def test_a_line_is_replaced_with_its_comment() -> None:
    """The value changes, the words beside it stay."""
    new = with_line(TEXT, 0, Change("ratio", "50.0"))
    assert new == TEXT.replace("ratio = 1.0   #", "ratio = 50.0   #")


def test_a_line_is_added_at_the_end_of_its_table() -> None:
    """Nothing else moves."""
    new = with_line(TEXT, 1, Change("offset", "12.0"))
    assert new == TEXT.replace("address = 2\n", "address = 2\noffset = 12.0\n")


def test_a_file_without_a_last_line_end_is_added_to() -> None:
    """The new line does not stick to the last one."""
    new = with_line('[[meter]]\nname = "a"', 0, Change("ratio", "2.0"))
    assert tomllib.loads(new) == {"meter": [{"name": "a", "ratio": 2.0}]}


def test_the_file_is_proven_before_it_is_replaced(tmp_path: Path) -> None:
    """A value that cannot be leaves the file as it was."""
    path = tmp_path / "home.toml"
    path.write_text(TEXT)
    with pytest.raises(ConfigError):
        change_meter(path, "one", Change("ratio", "-1.0"))
    assert path.read_text() == TEXT
    assert change_meter(path, "two", Change("ratio", "40.0")).ratio == 40
    assert [path.name for path in tmp_path.iterdir()] == ["home.toml"]


def test_another_order_becomes_a_profile_of_its_own(tmp_path: Path) -> None:
    """The configuration names it, and it stands beside the configuration; turned again it has one ending still."""
    path = tmp_path / "home.toml"
    path.write_text(TEXT)
    row = change_meter(path, "one", Change("order", "CDAB"))
    assert row.profile.name == "eastron-sdm120-cdab"
    assert row.profile.layout.order == "CDAB"
    assert change_meter(path, "one", Change("order", "BADC")).profile.name == "eastron-sdm120-badc"
    assert load_config(path, "home").meter[1].profile.name == "eastron-sdm120"


def driver_of(path: Path) -> str:
    """Read what a model's file says of its protocol."""
    return str(tomllib.loads(path.read_text(encoding="utf-8"))["driver"])


MODBUS = sorted(name for name, path in available().items() if driver_of(path) == "modbus")


@pytest.mark.parametrize("order", ["CDAB", "DCBA"])
def test_every_modbus_model_can_be_turned(tmp_path: Path, order: str) -> None:
    """Each shipped model proves its own examples in other orders."""
    assert MODBUS
    for name in MODBUS:
        profile = load(name)
        assert profile.path is not None
        path = tmp_path / f"{name}-x.toml"
        path.write_text(turned(profile.path.read_text(encoding="utf-8"), profile, f"{name}-x", order))
        assert load_file(path).layout.order == order
