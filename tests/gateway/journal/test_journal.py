"""What a caller of the journal sees: windows, blocks, acknowledgements, waiting, numbers."""

import asyncio
import contextlib
import time
from decimal import Decimal
from typing import Any

import pytest

from gateway.journal import InUse, Journal
from gateway.message import BLOCK_LIMIT, Loss, decode_block, inflate


async def test_a_block_says_what_was_added(bench: Any) -> None:
    """Readings, events and losses of one window come out of its blocks as they went in."""
    journal = await bench.open()
    journal.add("m-1", bench.now, 5, 0, {"power_w": 1.5}, {"mt": 7, "status": ["leak"]})
    journal.add("m-1", bench.now + 1, 6, 1, {"power_w": 2})
    journal.lost(Loss.model_validate({"reason": "bus_down", "count": 3}))
    journal.add_event(b'{"rule":"overload"}')
    await journal.flush()
    first, second = await bench.blocks(journal)
    assert (first.gw, first.stream, first.block, first.closed, first.clock) == (
        "gw-1", journal.stream, 1, bench.now, "synced",
    )  # fmt: skip
    assert first.readings[0].model_dump() == {
        "seq": 1, "ts": bench.now, "meter": "m-1", "q": 0, "v": {"power_w": 1.5}, "mt": 7, "status": ["leak"],
    }  # fmt: skip
    assert first.events == [{"rule": "overload"}]
    assert [loss.reason for loss in first.losses] == ["bus_down"]
    assert [row.seq for row in second.readings] == [2]
    await journal.close()


async def test_the_first_reading_of_a_quarter_is_class_0(bench: Any) -> None:
    """Each meter's first reading of a quarter-hour lies in the lower block, all others in the higher one."""
    journal = await bench.open()
    for meter in ("a", "b"):
        for at in (0, 1, 899_999, 900_000, 900_001):
            journal.add(meter, bench.now + at, 0, 0, {"power_w": at})
    await journal.flush()
    billing, rest = await bench.blocks(journal)
    assert [(row.meter, row.v["power_w"]) for row in billing.readings] == [
        ("a", 0), ("a", 900_000), ("b", 0), ("b", 900_000),
    ]  # fmt: skip
    assert len(rest.readings) == 6
    await journal.close()


async def test_a_window_closes_at_64_kb(bench: Any) -> None:
    """A block is closed when its JSON reaches the limit, and is not much larger."""
    journal = await bench.open(window=60)
    task = asyncio.create_task(journal.run())
    bench.fill(journal, 2000)
    await asyncio.wait_for(journal.wait(), 5)
    sizes = [len(inflate(await journal.load(block) or b"")) for block in tuple(journal.pending())]
    assert BLOCK_LIMIT <= max(sizes) < BLOCK_LIMIT + 1000
    await stop(task)
    await journal.close()


async def test_run_closes_windows_in_time_and_events_at_once(bench: Any) -> None:
    """The window's length bounds the wait for a reading; an event does not wait."""
    journal = await bench.open(window=0.05)
    task = asyncio.create_task(journal.run())
    bench.fill(journal, 1)
    await asyncio.wait_for(journal.wait(), 5)
    assert tuple(journal.pending()) == (1,)
    await stop(task)
    journal._length = 60
    task = asyncio.create_task(journal.run())
    await asyncio.sleep(0)
    journal.add_event(b"{}")
    await asyncio.wait_for(journal.wait(), 5)
    assert tuple(journal.pending()) == (1, 2)
    await stop(task)
    await journal.close()


async def test_stored_frees_once_and_names_what_was_rejected(bench: Any) -> None:
    """A stored block is gone from the pending ones for good; rejected readings travel as ledger rows."""
    journal = await bench.open()
    seqs = bench.fill(journal, 3)
    await journal.flush()
    assert journal.stored(2, [(seqs[2], "type_conflict")])
    assert not journal.stored(2)
    assert not journal.stored(99)
    await journal.flush()
    assert tuple(journal.pending()) == (1, 3)
    (loss,) = (await bench.blocks(journal))[1].losses
    assert (loss.reason, loss.first, loss.last, loss.count) == ("type_conflict", 3, 3, 1)
    await journal.close()
    journal = await bench.open()
    assert tuple(journal.pending()) == (1, 3)
    assert journal.stats().losses == {"type_conflict": 1}
    await journal.close()


async def test_the_bytes_of_a_block_never_change(bench: Any) -> None:
    """From memory, from the file and after a restart a block is the same bytes."""
    journal = await bench.open()
    bench.fill(journal, 50)
    await journal.flush()
    before = [await journal.load(block) for block in (1, 2)]
    await journal.close()
    journal = await bench.open()
    assert [await journal.load(block) for block in (1, 2)] == before
    await journal.close()


async def test_nothing_happens_nothing_is_written(bench: Any) -> None:
    """An idle journal makes no blocks and no commits."""
    journal = await bench.open()
    commits = journal.stats().commits
    await journal.flush()
    assert (journal.stats().commits, journal.stats().next_block) == (commits, 1)
    await journal.close()


async def test_news_reaches_every_consumer(bench: Any) -> None:
    """Two consumers wait with their own counts and both wake; a block before the first call wakes at once."""
    journal = await bench.open()
    bench.fill(journal, 1)
    await journal.flush()
    first, second = await journal.news(0), await journal.news(0)
    waiting = [asyncio.create_task(journal.news(seen)) for seen in (first, second)]
    await asyncio.sleep(0)
    bench.fill(journal, 1)
    await journal.flush()
    assert await asyncio.gather(*waiting) == [first + 1, second + 1]
    await journal.close()


async def test_a_second_instance_is_refused(bench: Any) -> None:
    """The folder belongs to one process; the other is told so at once and the first goes on."""
    journal = await bench.open()
    started = time.monotonic()
    with pytest.raises(InUse, match="in use"):
        await bench.open()
    assert time.monotonic() - started < 2
    bench.fill(journal, 1)
    await journal.flush()
    await journal.close()
    await (await bench.open()).close()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2**64, str(2**64)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (2**64 - 1, 2**64 - 1),
        (Decimal("12345678901234567.8901"), "12345678901234567.8901"),
        ("\ud800", "?"),
    ],
)
async def test_no_value_is_too_large(bench: Any, value: Any, shown: Any) -> None:
    """Integers beyond 64 bits and decimals travel exactly, as strings where JSON needs it."""
    journal = await bench.open()
    journal.add("m-1", bench.now, 0, 0, {"energy_import_wh": value, "power_w": float("nan"), "ok": 1})
    await journal.flush()
    (block,) = await bench.blocks(journal)
    assert block.readings[0].v == {"energy_import_wh": shown, "ok": 1}
    await journal.close()


@pytest.mark.parametrize("start", [2**53 - 2, 2**63 - 2])
async def test_numbers_may_be_as_large_as_they_like(bench: Any, start: int) -> None:
    """Sequence numbers beyond what a float or SQLite holds raise nothing and stay exact over a restart."""
    journal = await bench.open()
    journal.next_seq = start
    seqs = bench.fill(journal, 5)
    await journal.close()
    journal = await bench.open()
    assert list(await bench.readings(journal)) == seqs == list(range(start, start + 5))
    assert bench.fill(journal, 1) == [start + 5]
    await journal.close()


async def test_a_cancelled_flush_tears_nothing(bench: Any) -> None:
    """A caller that gives up during the commit leaves memory and file in step."""
    journal = await bench.open()
    seqs = bench.fill(journal, 10)
    task = asyncio.create_task(journal.flush())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await stop(task)
    await journal.flush()
    assert sorted(await bench.readings(journal)) == seqs
    await journal.close()


async def test_closed_in_order_leaves_no_mirror_and_no_loss(bench: Any) -> None:
    """After `close` all is in the file: numbers go on without a gap, whatever boot comes next."""
    journal = await bench.open()
    bench.fill(journal, 3)
    await journal.close()
    assert list(bench.mirror.iterdir()) == []
    bench.boot = "boot-2"
    journal = await bench.open()
    assert bench.fill(journal, 1) == [4]
    assert journal.stats().losses == {}
    await journal.close()


async def test_hot_path_and_memory_are_what_they_should_be(bench: Any) -> None:
    """Adding twenty values costs well below a tenth of a millisecond even on a busy machine."""
    journal = await bench.open()
    values = {f"v{n}": 230.1 + n for n in range(20)}
    best = min(_time_adds(journal, values) for _ in range(5))
    assert best < 100e-6
    await journal.close()


def _time_adds(journal: Journal, values: dict[str, float]) -> float:
    started = time.perf_counter()
    for n in range(200):
        journal.add("m-1", n, n, 0, values)
    return (time.perf_counter() - started) / 200


async def test_files_are_private(bench: Any) -> None:
    """Database, log, lock and mirror can be read by their user alone."""
    journal = await bench.open()
    bench.fill(journal, 1)
    await journal.flush()
    files = [*bench.folder.iterdir(), *bench.mirror.iterdir()]
    assert len(files) >= 4
    assert {file.stat().st_mode & 0o077 for file in files} == {0}
    await journal.close()


async def test_payload_is_checked_against_its_own_number(bench: Any) -> None:
    """What the uplink sends decodes, and names the block it was asked for."""
    journal = await bench.open()
    bench.fill(journal, 20)
    await journal.flush()
    for block in tuple(journal.pending()):
        assert decode_block(await journal.load(block) or b"").block == block
    await journal.close()


async def stop(task: "asyncio.Task[None]") -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
