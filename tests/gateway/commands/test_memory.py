"""Which commands were carried out, over restarts."""

from pathlib import Path

import pytest

from gateway.commands.memory import KEPT_MS, MOST, NAME, Executed

NOW = 1_795_219_200_000


async def test_ids_outlive_the_program(tmp_path: Path) -> None:
    """What was written down is known to the next one."""
    executed = Executed.open(tmp_path)
    executed.add("one", NOW + 60_000, NOW)
    await executed.keep()
    executed.add("never written", NOW + 60_000, NOW)
    again = Executed.open(tmp_path)
    assert "one" in again
    assert "never written" not in again
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_they_are_forgotten_ten_minutes_after_their_end(tmp_path: Path) -> None:
    """Not before; and one whose end is unknown, for the clock was, stays."""
    executed = Executed.open(tmp_path)
    executed.add("timed", NOW, NOW)
    executed.add("untimed", 0, None)
    executed.add("other", NOW + 2 * KEPT_MS, NOW + KEPT_MS - 1)
    assert "timed" in executed
    executed.add("another", NOW + 2 * KEPT_MS, NOW + KEPT_MS)
    assert "timed" not in executed
    assert "untimed" in executed


def test_they_are_bounded(tmp_path: Path) -> None:
    """The newest stay, also while the clock is unknown."""
    executed = Executed.open(tmp_path)
    for number in range(MOST + 5):
        executed.add(f"id-{number}", 0, None)
    assert "id-4" not in executed
    assert "id-5" in executed
    assert f"id-{MOST + 4}" in executed


@pytest.mark.parametrize("found", [b"", b"[]", b'{"a": "b"}', b"\xff"])
async def test_a_file_nobody_can_read_is_written_anew(tmp_path: Path, found: bytes) -> None:
    """A disk's mistake ends no gateway."""
    (tmp_path / NAME).write_bytes(found)
    executed = Executed.open(tmp_path)
    executed.add("one", NOW, NOW)
    await executed.keep()
    assert "one" in Executed.open(tmp_path)
