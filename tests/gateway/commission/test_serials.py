"""The serial numbers of a commissioning: kept by meter, renewed one by one, and never trusted to be well formed."""

from pathlib import Path

import pytest

from gateway.commission.serials import FILE, remember, remembered


def test_a_newer_commissioning_replaces_what_it_looked_at(tmp_path: Path) -> None:
    """One meter is commissioned anew, one tells nothing, the others stay; anybody may read the file."""
    remember(tmp_path, {"home_a": "1", "home_b": "2"})
    remember(tmp_path, {"home_b": "3", "home_c": ""})
    assert remembered(tmp_path) == {"home_a": "1", "home_b": "3"}
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("text", ["", "[]", '{"a":1}', '{"a"', "\x00"])
def test_what_is_no_such_file_tells_nothing(tmp_path: Path, text: str) -> None:
    """Doctor goes on without it; the next commissioning writes it anew."""
    (tmp_path / FILE).write_text(text)
    assert remembered(tmp_path) == {}
    remember(tmp_path, {"home_a": "1"})
    assert remembered(tmp_path) == {"home_a": "1"}


def test_nothing_told_writes_nothing(tmp_path: Path) -> None:
    """Meters without a serial number leave no file."""
    remember(tmp_path, {"home_a": ""})
    assert not (tmp_path / FILE).exists()
    assert remembered(tmp_path) == {}
