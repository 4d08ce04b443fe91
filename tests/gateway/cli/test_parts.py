"""Which configuration a command means when nobody names one."""

from argparse import Namespace
from pathlib import Path

import pytest

from gateway.cli import parts


def test_the_named_one_wins_else_the_installed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A house before an edge before a hub; without any, a command that needs one says so and ends with 2."""
    monkeypatch.setattr(parts, "ETC", tmp_path)
    assert parts.file_of(Namespace(config=None)) is None
    with pytest.raises(SystemExit, match="2"):
        parts.configuration(Namespace(config=None))
    for kind in ("hub", "edge", "home"):
        (tmp_path / f"{kind}.toml").touch()
        assert parts.file_of(Namespace(config=None)) == tmp_path / f"{kind}.toml"
    assert parts.file_of(Namespace(config=Path("mine.toml"))) == Path("mine.toml")
