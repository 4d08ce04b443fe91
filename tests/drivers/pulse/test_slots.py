"""A count that outlives crashes: slots, and the file they stand in."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.pulse import slots
from drivers.pulse.count import Total
from drivers.pulse.keeper import Keeper

COUNTS = st.integers(0, 2**64 - 1)


@given(COUNTS, COUNTS, st.integers(0, 2**64 - 1))
def test_a_slot_comes_back(forward: int, backward: int, generation: int) -> None:
    """Whatever the counts are."""
    data = slots.encode(Total(forward, backward), generation)
    assert len(data) == slots.SECTOR
    assert slots.newest(data) == (Total(forward, backward), generation)


@pytest.mark.parametrize("cut", range(0, slots.SECTOR, 7))
def test_a_write_that_was_cut_off_leaves_the_count_before(cut: int) -> None:
    """A power cut spoils the slot being written, never the other."""
    data = bytearray(slots.SIZE)
    for generation in (1, 2, 3):
        data[slots.place(generation) : slots.place(generation) + slots.SECTOR] = slots.encode(
            Total(generation * 10), generation
        )
    torn = slots.encode(Total(40), 4)[:cut]
    data[slots.place(4) : slots.place(4) + cut] = torn
    assert slots.newest(bytes(data)) in ((Total(30), 3), (Total(40), 4))
    assert slots.newest(bytes(data))[1] == (4 if cut > 32 else 3)


@given(st.binary(max_size=2000))
def test_a_file_of_anything_else_is_a_new_count(data: bytes) -> None:
    """Rubbish counts nothing."""
    assert slots.newest(data) == (Total(), 0)


def test_a_count_is_there_again_without_a_farewell(tmp_path: Path) -> None:
    """A program that is killed closes nothing; each pulse stands in the file at once."""
    keeper = Keeper(tmp_path / "state", "gw-1_water")
    assert keeper.is_new
    for count in range(1, 6):
        keeper.keep(Total(count, 1))
    again = Keeper(tmp_path / "state", "gw-1_water")
    assert (again.total, again.is_new, again.failed) == (Total(5, 1), False, 0)
    assert (tmp_path / "state/pulse-gw-1_water").stat().st_mode & 0o777 == 0o600
    again.close()
    again.keep(Total(6))
    keeper.close()
    assert Keeper(tmp_path / "state", "gw-1_water").total == Total(5, 1)


def test_a_disk_that_refuses_costs_no_pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The count goes on in memory, and the refusals are counted."""
    keeper = Keeper(tmp_path, "m")

    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", refuse)
        keeper.keep(Total(9))
    assert (keeper.total, keeper.failed) == (Total(9), 1)
    assert Keeper(tmp_path / "m" / "x", "../../m").total == Total()
    (tmp_path / "file").touch()
    assert Keeper(tmp_path / "file", "m").failed == 1
    assert Keeper(None, "m").failed == 0
