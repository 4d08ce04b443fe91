"""Counters that are never given twice, whatever crashes when."""

import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import Refused
from drivers.dlms.counters import RESTORED, Counters

KEY, TITLE = bytes(16), b"NBD00001"


class Crash(BaseException):
    """The process ends here."""


def test_numbers_rise_by_one_and_go_on_behind_a_restart(tmp_path: Path) -> None:
    """A block is used to its end; a restart skips what is left of it."""
    counters = Counters(tmp_path, block=10)
    assert [counters.count(KEY, TITLE) for _ in range(25)] == list(range(25))
    assert Counters(tmp_path, block=10).count(KEY, TITLE) == 30


def test_a_block_is_on_disk_before_its_first_number(tmp_path: Path) -> None:
    """The file of a fresh counter names its owner alone, and shows no key."""
    Counters(tmp_path).count(KEY, TITLE)
    (path,) = tmp_path.iterdir()
    assert path.read_text().split()[0] == "1000"
    assert path.stat().st_mode & 0o777 == 0o600
    assert KEY.hex() not in path.name + path.read_text()


def test_no_number_is_given_twice_over_a_thousand_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and behind every system call that reserves a block; what a crash leaves half done is never trusted."""
    dice, given, step = random.Random(7), list[int](), [0]

    def dangerous(call: Callable[..., Any]) -> Callable[..., Any]:
        def perhaps(*arguments: Any, **options: Any) -> Any:
            step[0] -= 1
            if step[0] == 0:
                raise Crash
            done = call(*arguments, **options)
            step[0] -= 1
            if step[0] == 0:
                raise Crash
            return done

        return perhaps

    for module, name in ((os, "open"), (os, "write"), (os, "utime"), (os, "fsync"), (Path, "replace")):
        monkeypatch.setattr(module, name, dangerous(getattr(module, name)))
    for _ in range(1000):
        counters, step[0] = Counters(tmp_path, block=3), dice.randrange(1, 40)
        try:
            while True:
                given.append(counters.count(KEY, TITLE))
        except Crash:
            continue
    assert len(given) > 1000
    assert len(set(given)) == len(given)
    assert given == sorted(given)


@pytest.mark.parametrize("copy", [shutil.copy, shutil.copy2])
def test_a_file_that_came_back_from_a_copy_is_not_believed(tmp_path: Path, copy: Callable[[Path, Path], None]) -> None:
    """A restored backup is older than what was sent since; numbers go on far above it, with times kept or not."""
    Counters(tmp_path).count(KEY, TITLE)
    (path,) = tmp_path.iterdir()
    end, written = map(int, path.read_text().split())
    an_hour_ago = written - 3600 * 10**9
    path.write_text(f"{end} {an_hour_ago}\n")  # as an hour-old backup has it
    os.utime(path, ns=(an_hour_ago, an_hour_ago))
    copy(path, tmp_path / "backup")
    copy(tmp_path / "backup", path)
    first = Counters(tmp_path).count(KEY, TITLE)
    assert first == end + RESTORED
    assert Counters(tmp_path).count(KEY, TITLE) == first + 1000, "once is enough"


def test_meters_with_one_key_share_one_counter(tmp_path: Path) -> None:
    """Key and title make the vector; another of either has its own numbers."""
    counters = Counters(tmp_path)
    assert [counters.count(KEY, TITLE), counters.count(KEY, TITLE), counters.count(KEY, b"NBD00002")] == [0, 1, 0]
    assert counters.count(b"k" * 16, TITLE) == 0


def test_two_processes_never_share_a_block(tmp_path: Path) -> None:
    """Several readers of one folder reserve one after the other."""
    given: list[int] = []

    def use() -> None:
        counters = Counters(tmp_path, block=2)
        given.extend(counters.count(KEY, TITLE) for _ in range(100))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(given)) == len(given) == 400


def test_a_meter_that_saw_more_moves_the_counter(tmp_path: Path) -> None:
    """Above what the meter says, within the block or behind it; never back."""
    counters = Counters(tmp_path, block=10)
    counters.rise(KEY, TITLE, 4)
    assert counters.count(KEY, TITLE) == 4
    counters.rise(KEY, TITLE, 7)
    counters.rise(KEY, TITLE, 2)
    assert counters.count(KEY, TITLE) == 7
    counters.rise(KEY, TITLE, 5000)
    assert counters.count(KEY, TITLE) == 5000
    assert Counters(tmp_path, block=10).count(KEY, TITLE) == 5010


def test_a_counter_that_cannot_be_kept_is_not_used(tmp_path: Path) -> None:
    """A folder that takes no file, a damaged file, a key used up: refused, each with what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="used twice"):
        Counters(tmp_path / "file" / "state").count(KEY, TITLE)
    Counters(tmp_path).count(KEY, TITLE)
    next(path for path in tmp_path.iterdir() if path.name.startswith("counter")).write_text("")
    with pytest.raises(Refused, match="holds no counter"):
        Counters(tmp_path).count(KEY, TITLE)
    with pytest.raises(Refused, match="used up"):
        Counters(tmp_path / "fresh").rise(KEY, TITLE, 0xFFFFFFFF)
