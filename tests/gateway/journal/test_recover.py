"""Crashes: a killed process loses nothing, a power cut at most the open window, and the ledger says so."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.journal.recover import SKIP_BLOCKS, SKIP_SEQS
from gateway.message import Loss


async def test_kill_keeps_the_open_window(bench: Any) -> None:
    """Readings, events and losses that were not committed come back from the mirror with their numbers."""
    journal = await bench.open()
    seqs = bench.fill(journal, 3)
    await journal.flush()
    seqs += bench.fill(journal, 4)
    journal.lost(Loss.model_validate({"reason": "bus_down", "count": 3}))
    journal._window.events.append(b'{"rule":"x"}')
    journal._mirror.append(2, b'{"rule":"x"}')
    await bench.crash(journal)
    journal = await bench.open()
    assert sorted(await bench.readings(journal)) == seqs
    blocks = await bench.blocks(journal)
    assert [event for block in blocks for event in block.events] == [{"rule": "x"}]
    await journal.flush()
    assert [loss.reason for block in await bench.blocks(journal) for loss in block.losses] == ["bus_down"]
    assert bench.fill(journal, 1) == [8]
    await journal.close()


async def test_kill_right_after_a_commit_adds_nothing_twice(bench: Any) -> None:
    """A mirror whose window is in the file already is skipped."""
    journal = await bench.open()
    seqs = bench.fill(journal, 3)
    kept = {path: path.read_bytes() for path in bench.mirror.iterdir()}
    await journal.flush()
    await bench.crash(journal)
    for path, data in kept.items():
        path.write_bytes(data)
    journal = await bench.open()
    assert sorted(await bench.readings(journal)) == seqs
    assert journal.stats().losses == {}
    await journal.close()


async def test_a_torn_tail_is_cut_and_named(bench: Any) -> None:
    """Whole records before a torn one count; that something is missing is a ledger row."""
    journal = await bench.open()
    bench.fill(journal, 3)
    await bench.crash(journal)
    (path,) = bench.mirror.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    journal = await bench.open()
    assert sorted(await bench.readings(journal)) == [1, 2]
    (loss,) = bench.ledger()
    assert (loss.reason, loss.first, loss.count) == ("crash", 1, None)
    await journal.close()


async def test_power_cut_names_each_meter_and_uses_no_number_twice(bench: Any) -> None:
    """After a power cut there is a row a meter with from, to, no count and the scheduled number of one window."""
    journal = await bench.open(schedule={"m-1": 1.0, "m-2": 60.0})
    bench.fill(journal, 3)
    await journal.flush()
    committed, closed = sorted(await bench.readings(journal)), bench.now
    bench.fill(journal, 4)
    await bench.crash(journal, power=True)
    bench.now += 3_600_000
    journal = await bench.open(schedule={"m-1": 1.0, "m-2": 60.0})
    assert sorted(await bench.readings(journal)) == committed
    rows = [loss.model_dump(by_alias=True) for loss in bench.ledger()]
    assert rows == [
        {
            "reason": "power_cut", "first": 4, "last": 3 + SKIP_SEQS, "count": None, "meter": meter,
            "from": closed, "to": bench.now, "scheduled": scheduled,
        }
        for meter, scheduled in (("m-1", 10), ("m-2", 1))
    ]  # fmt: skip
    assert bench.fill(journal, 1) == [4 + SKIP_SEQS]
    await journal.flush()
    assert min(set(journal.pending()) - {1, 2}) > SKIP_BLOCKS
    assert [loss.meter for block in await bench.blocks(journal) for loss in block.losses] == ["m-1", "m-2"]
    await journal.close()


async def test_without_a_mirror_a_kill_is_named_too(bench: Any) -> None:
    """Where there is no tmpfs, the open window is lost by a crash and the ledger says crash, not power cut."""
    journal = await bench.open(mirror=None)
    bench.fill(journal, 2)
    await bench.crash(journal)
    journal = await bench.open(mirror=None)
    assert journal.stats().losses == {"crash": 1}
    await journal.close()


async def test_two_power_cuts_in_a_row_are_two_rows(bench: Any) -> None:
    """A gateway that dies again before its first window is named again, and its ledger is not lost."""
    journal = await bench.open()
    bench.fill(journal, 1)
    for _ in range(2):
        await bench.crash(journal, power=True)
        journal = await bench.open()
    assert [loss.reason for loss in bench.ledger()] == ["power_cut", "power_cut"]
    assert bench.fill(journal, 1)[0] > 2 * SKIP_SEQS
    await journal.close()


async def test_mirrors_of_others_are_left_alone(bench: Any) -> None:
    """A file that is not ours by name is not touched; a link or a foreign header never becomes data."""
    journal = await bench.open()
    bench.fill(journal, 1)
    await bench.crash(journal)
    (path,) = bench.mirror.iterdir()
    foreign = bench.mirror / "nabd-00000000-0000000000000001"
    foreign.write_bytes(path.read_bytes())
    link = path.with_name(path.name[:-1] + "9")
    link.symlink_to(foreign)
    journal = await bench.open()
    assert sorted(await bench.readings(journal)) == [1]
    assert foreign.exists()
    await journal.close()


async def test_a_mirror_that_cannot_be_written_stops_nothing(bench: Any) -> None:
    """With the tmpfs full or gone readings still reach the file, and the statistics say that the mirror is broken."""
    journal = await bench.open(mirror=bench.root / "no" / "where")
    seqs = bench.fill(journal, 3)
    await journal.flush()
    assert sorted(await bench.readings(journal)) == seqs
    assert journal.stats().mirror_broken > 0
    await journal.close()


async def test_the_mirrors_folder_is_made(bench: Any) -> None:
    """Memory is empty after each boot, so whoever names a folder there cannot have made it."""
    folder = bench.root / "mirror-of-its-own"
    journal = await bench.open(mirror=folder)
    bench.fill(journal, 3)
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]
    assert folder.stat().st_mode & 0o777 == 0o700
    await journal.flush()
    assert journal.stats().mirror_broken == 0
    await journal.close()


def test_kill_9_loses_nothing(tmp_path: Path, make_bench: Any) -> None:
    """A process killed ten times at random moments loses no reading whose add had returned, and alters none."""
    kill(tmp_path, make_bench, 10, 0.15)


@pytest.mark.slow
def test_five_hundred_kills_lose_nothing(tmp_path: Path, make_bench: Any) -> None:
    """The same five hundred times on one journal, with checkpoints among them."""
    kill(tmp_path, make_bench, 500, 0.1)


def kill(tmp_path: Path, make_bench: Any, times: int, longest: float) -> None:
    """Kill a process so often, each after so many seconds at most, then look for all that it had said."""
    (tmp_path / "run").mkdir()
    dice = random.Random(7)
    adder = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("adder.py")), str(tmp_path / "journal"), str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    with adder:
        acked = [seq for _ in range(times) for seq in killed_run(adder, dice.uniform(0, longest))]
        adder.communicate(timeout=10)
    assert len(acked) == len(set(acked)) > 100
    asyncio.run(all_are_there(make_bench(tmp_path), set(acked)))


def killed_run(adder: "subprocess.Popen[bytes]", after: float) -> list[int]:
    """Let the adder run for so many seconds, kill it, and give every number it had said."""
    assert adder.stdin is not None
    assert adder.stdout is not None
    adder.stdin.write(b"go\n")
    adder.stdin.flush()
    pid = int(adder.stdout.readline())
    deadline = time.monotonic() + after
    said = []
    while time.monotonic() < deadline:
        said.append(adder.stdout.readline())
    os.kill(pid, signal.SIGKILL)
    while (line := adder.stdout.readline()) != b"\n":
        said.append(line)
    return [int(line) for line in said]


async def all_are_there(bench: Any, acked: set[int]) -> None:
    """Open the journal once more and compare."""
    journal = await bench.open()
    readings = await bench.readings(journal)
    assert acked <= set(readings)
    assert all(values == {"n": seq} for seq, values in readings.items())
    assert journal.stats().losses == {}
    await journal.close()


@pytest.mark.parametrize("cut", range(0, 40, 7))
async def test_a_mirror_cut_at_any_byte_opens(bench: Any, cut: int) -> None:
    """However short the mirror file is, the journal starts and holds a prefix of what was added."""
    journal = await bench.open()
    seqs = bench.fill(journal, 2)
    await bench.crash(journal)
    (path,) = bench.mirror.iterdir()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * cut // 40])
    journal = await bench.open()
    found = sorted(await bench.readings(journal))
    assert found == seqs[: len(found)]
    await journal.close()


async def test_a_loss_in_the_mirror_is_not_counted_twice(bench: Any) -> None:
    """A loss told after a window closed is committed with its own window, the one whose mirror has it."""
    journal = await bench.open()
    bench.fill(journal, 1)
    journal.shut()
    journal.lost(Loss.model_validate({"reason": "bus_down", "count": 3}))
    await journal._committer.commit()
    await bench.crash(journal)
    journal = await bench.open()
    await journal.flush()
    assert [loss.reason for loss in bench.ledger()] == ["bus_down"]
    assert journal.stats().losses == {"bus_down": 3}
    await journal.close()


async def test_a_reading_taken_during_a_repair_is_named_by_a_power_cut(bench: Any, names: Any) -> None:
    """Blocks committed beside the open window do not make its numbers look safe."""
    bench.state = "unsynced"
    journal = await bench.open()
    journal.add("m-1", None, 1, 0, {"power_w": 1})
    await journal.flush()
    bench.state = "synced"
    whole, added = journal._committer.chunks, []

    async def meanwhile(boot: str, *, unreleased: bool) -> Any:
        added.extend(bench.fill(journal, 1))
        return await whole(boot, unreleased=unreleased)

    journal._committer.chunks = meanwhile
    assert await journal.repair("boot-1", bench.now) == 1
    await bench.crash(journal, power=True)
    journal = await bench.open()
    assert set(added) <= names(bench.ledger(), "power_cut")
    await journal.close()


async def test_numbers_of_a_replayed_window_are_durable(bench: Any) -> None:
    """After a kill and then a power cut, a number the first run used is not named as lost."""
    journal = await bench.open()
    seqs = bench.fill(journal, 5)
    await bench.crash(journal)
    journal = await bench.open()
    await bench.crash(journal, power=True)
    journal = await bench.open()
    assert sorted(await bench.readings(journal)) == seqs
    assert [loss.first for loss in bench.ledger()] == [6]
    await journal.close()
