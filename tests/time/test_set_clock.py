"""A real edge while its wall clock is wrong, set, slewed, or while all its time stands still.

What a reading's time should be is known from the meter, which notes when it gave each numbered answer.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from statistics import median

from gateway.message import TIME_REPAIRED, Block, ReadingRow
from tests.support.faked_clock import FakedEdge

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def readings(blocks: Iterable[Block]) -> list[ReadingRow]:
    """Give every reading once, by number; the same number twice must be the same reading."""
    rows = {row.seq: row for block in blocks for row in block.readings}
    assert all(rows[row.seq] == row for block in blocks for row in block.readings)
    assert sorted(rows) == list(range(1, len(rows) + 1))
    return [rows[seq] for seq in sorted(rows)]


def errors(edge: FakedEdge, rows: Iterable[ReadingRow]) -> list[float]:
    """Give how many ms each reading's time is after the moment its meter gave it."""
    return [row.ts - edge.answers.given[0][int(row.v["energy_import_wh"])] for row in rows]


async def assert_all_read(edge: FakedEdge, rows: Iterable[ReadingRow]) -> None:
    """Assert that each answer is one reading, but for those that the edge itself says came too late."""
    counts = [int(row.v["energy_import_wh"]) for row in rows]
    assert counts == sorted(set(counts))
    (bus,) = (await edge.status())["buses"]
    assert edge.answers[0] - len(counts) <= bus["meters"][0]["failed"] + 1  # one may be under way at the end


def assert_true(off: Iterable[float]) -> None:
    """Assert that times are true: to 100 ms, and to a second where a busy machine brought an answer late."""
    sizes = [abs(error) for error in off]
    assert median(sizes) <= 100
    assert max(sizes) <= 1000


async def test_readings_of_1970_get_their_true_time(edge_with: Callable[..., FakedEdge]) -> None:
    """T1: nothing goes out before the clock is set; then all is true to 100 ms, with its number, marked as repaired."""
    edge = edge_with(trust="auto", every="100ms")
    await edge.start(f"-{int(time.time())}")
    await edge.until_read(25)
    assert (await edge.status())["clock"] == "unsynced"
    assert edge.blocks() == []
    assert not [sent for sent in edge.broker.published if "/live/" in sent.topic]
    edge.set_wall("+0")
    held = edge.answers[0]
    edge.synchronise()
    await edge.until_read(25)
    status = await edge.status()
    assert status["clock"] in {"synced", "holdover"}
    assert status["clock_error_ms"] <= 100  # what may have drifted since, rounded up
    rows = readings(await edge.drained())
    assert_true(errors(edge, rows))
    await assert_all_read(edge, rows)
    assert all(row.q & TIME_REPAIRED for row in rows if int(row.v["energy_import_wh"]) < held)
    assert not any(row.q & TIME_REPAIRED for row in rows[-10:])


async def test_a_clock_that_is_set_stops_and_doubles_nothing(edge_with: Callable[..., FakedEdge]) -> None:
    """T2, T4, T7: slewed, a second ahead, an hour back, thirty days ahead, and right again; all in a zone of its own.

    Polling goes on at its pace, every answer is one reading, no time comes twice, and each is that of its own clock.
    """
    edge = edge_with()
    started = time.monotonic()
    offsets: list[tuple[str, int]] = [
        ("+0 x1.0005", 0), ("+1", 1000), ("-1h", -HOUR_MS), ("+30d", 30 * DAY_MS), ("+0", 0),
    ]  # fmt: skip
    await edge.start("+0")
    for offset, _ in offsets:
        edge.set_wall(offset)
        await edge.until_read(6)
    busy = sum(int(ticks) for ticks in Path(f"/proc/{edge.pid}/stat").read_text().split()[13:15])
    blocks = await edge.drained()
    rows = readings(blocks)
    passed = time.monotonic() - started
    assert busy / os.sysconf("SC_CLK_TCK") < max(3.0, passed / 2)
    assert len({row.ts for row in rows}) == len(rows)
    assert len(rows) <= passed / 0.25 + 2
    await assert_all_read(edge, rows)
    known = [0, *(off for _, off in offsets)]
    nearest = [min(known, key=lambda off, error=error: abs(error - off)) for error in errors(edge, rows)]  # type: ignore[misc]
    assert_true(error - off for error, off in zip(errors(edge, rows), nearest, strict=True))
    assert list(dict.fromkeys(nearest)) == [0, 1000, -HOUR_MS, 30 * DAY_MS]
    assert nearest[-1] == 0
    assert not any(block.losses or block.untimed for block in blocks)


async def test_a_pause_of_everything_is_one_gap(edge_with: Callable[..., FakedEdge]) -> None:
    """T5: stopped for many intervals, the edge goes on with at most one poll out of turn, and counts the rest."""
    edge = edge_with(every="100ms")
    await edge.start("+0")
    await edge.until_read(10)
    os.kill(edge.pid, signal.SIGSTOP)
    await asyncio.sleep(3)
    before = edge.answers[0]
    os.kill(edge.pid, signal.SIGCONT)
    resumed = time.time() * 1000
    await edge.until_read(15)
    (bus,) = (await edge.status())["buses"]
    rows = readings(await edge.drained())
    gaps = [b.ts - a.ts for a, b in pairwise(rows) if b.ts - a.ts > 2500]
    assert len(gaps) == 1
    soon = [count for count, at in edge.answers.given[0].items() if count > before and at < resumed + 500]
    assert len(soon) <= 5 + 2
    assert bus["meters"][0]["missed"] >= 25
    assert bus["meters"][0]["failed"] <= 1
