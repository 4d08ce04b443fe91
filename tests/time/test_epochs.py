"""Times without a clock: starts of the board that nobody anchored, true time lost and found again, and slewing."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.clock import Clock
from gateway.journal import Journal
from gateway.message import TIME_REPAIRED, Block, ClockState, decode_block
from gateway.station import Station
from tests.support.virtual_time import run_virtually

START = 1_795_219_200_000
EVERY = 10_000


class Board:
    """A gateway's journal on a board whose boot clock begins anew with each start; `true` is UTC ms."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.true, self.boots = folder, START, 0
        self.moments: dict[int, int] = {}
        self.blocks: list[Block] = []

    async def run(self, polls: int, *, down: int, synced_after: int | None = None) -> None:
        """Start after a time without power, poll, learn the time after so many polls (None: never), lose power."""
        self.true += down
        self.boots += 1
        began, state = self.true, list[ClockState](["unsynced"])
        boot = f"boot-{self.boots}"
        journal = await Journal.open(
            self.folder, gw="gw", mirror=None, boot=boot, clock_state=lambda: state[0],
            wall=lambda: self.true if state[0] == "synced" else self.true - began,
        )  # fmt: skip
        for poll in range(polls):
            if poll == synced_after:
                state[0] = "synced"
                await journal.repair(boot, began)
            seq = journal.add("m", self.true if state[0] == "synced" else None, self.true - began, 0, {"power_w": poll})
            self.moments[seq] = self.true
            self.true += EVERY
        await journal.flush()
        for block in tuple(journal.pending()):
            payload = await journal.load(block)
            assert payload is not None
            self.blocks.append(decode_block(payload))
            journal.stored(block)
        await journal.close()


async def test_starts_that_nobody_anchored_lie_between_their_neighbours(tmp_path: Path) -> None:
    """T3: two starts without a clock arrive untimed, in order, each in a bracket as wide as the time without power."""
    board = Board(tmp_path)
    for polls, down, synced in ((5, 0, 0), (6, 60_000, None), (4, 300_000, None), (7, 120_000, 3)):
        await board.run(polls, down=down, synced_after=synced)
    readings = {row.seq: row for block in board.blocks for row in block.readings}
    untimed = {row.seq: row for block in board.blocks for row in block.untimed}
    assert readings.keys() | untimed.keys() == board.moments.keys()
    assert not readings.keys() & untimed.keys()
    assert {seq: row.ts for seq, row in readings.items()} == {seq: board.moments[seq] for seq in readings}
    assert [row.boot for _, row in sorted(untimed.items())] == ["boot-2"] * 6 + ["boot-3"] * 4
    assert [bool(row.q & TIME_REPAIRED) for _, row in sorted(readings.items())] == [False] * 5 + [True] * 3 + [
        False
    ] * 4
    moments = [board.moments[seq] for seq in sorted(untimed)]
    assert moments == sorted(moments)
    # What anybody may conclude: after the reading before, before the one after, and mono tells how far within a start.
    before, after = max(readings[seq].ts for seq in (1, 5)), min(readings[seq].ts for seq in readings if seq > 5)
    rows = [untimed[seq] for seq in sorted(untimed)]
    passed = [b.mono - a.mono if a.boot == b.boot else 0 for a, b in pairwise(rows)]
    slack = after - before - sum(passed)
    for n, row in enumerate(rows):
        earliest = before + sum(passed[:n])
        assert earliest <= board.moments[row.seq] <= earliest + slack
    assert slack <= 60_000 + 300_000 + 120_000 + 3 * EVERY


def test_the_wait_for_true_time_begins_when_it_is_lost() -> None:
    """T13: a clock given up after days is waited for as long as one that was never set, before readings go untimed."""
    done: list[tuple[str, int]] = []
    offset: list[int | None] = [None]

    async def story() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def note(what: str) -> int:
            done.append((what, round(loop.time() - began)))
            return 0

        class Journal:
            held = property(lambda _: offset[0] is None or len(done) % 2)
            repair = staticmethod(lambda *_: note("repair"))
            release = staticmethod(lambda: note("release"))

        clock = Watched(lambda: offset[0])
        here: Any = SimpleNamespace(
            clock=clock, journal=Journal(), flash=SimpleNamespace(look=lambda _: None),
            config=SimpleNamespace(clock=SimpleNamespace(wait=900.0)),
        )  # fmt: skip
        pulse: Any = SimpleNamespace(alive=lambda: None)
        task = asyncio.create_task(Station._watch_clock(here, pulse))
        for known, lasts in ((None, 1000), (START, 9000), (None, 1000), (START, 100)):
            offset[0] = known
            await asyncio.sleep(lasts)
        task.cancel()

    run_virtually(story())
    assert [what for what, _ in done] == ["release", "repair", "release", "repair"]
    assert [at for _, at in done] == pytest.approx([901, 1000, 10_901, 11_000], abs=2)


class Watched:
    """A clock of which only the offset is asked."""

    boot_id = "boot-1"

    def __init__(self, offset: Callable[[], int | None]) -> None:
        self._offset = offset

    @property
    def offset(self) -> int | None:
        """UTC minus boot clock, or None."""
        return self._offset()


@pytest.mark.parametrize("ppm", [-500, -100, 100, 500])
def test_slewing_stretches_no_interval(ppm: int) -> None:
    """T4: at the most that a clock is slewed, six hours of polls are intervals true to a thousandth, none 0 or 2."""
    boot = [1_000_000]
    clock = Clock("system", lambda: START + boot[0] * (1_000_000 + ppm) // 1_000_000, lambda: boot[0], boot_id="b")
    stamps = []
    for _ in range(2160):
        stamps.append(clock.stamp(boot[0]))
        boot[0] += EVERY
    lengths = [b - a for a, b in pairwise(stamp for stamp in stamps if stamp is not None)]
    assert len(lengths) == 2159
    assert max(abs(length - EVERY) for length in lengths) <= EVERY / 1000
    assert clock.steps_back == 0


async def test_a_second_s_step_at_first_sync_is_in_no_interval(tmp_path: Path) -> None:
    """T4: what was read before has the offset of the moment after the step, so intervals are what they were."""
    board = Board(tmp_path)
    await board.run(20, down=0, synced_after=10)
    stamps = sorted(row.ts for block in board.blocks for row in block.readings)
    assert {b - a for a, b in pairwise(stamps)} == {EVERY}
    assert len(stamps) == 20
