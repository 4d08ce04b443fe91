"""Readings without a time: held, repaired, released, and what becomes of them over a restart."""

from typing import Any

from gateway.message import TIME_REPAIRED


def hold(journal: Any, count: int) -> list[int]:
    """Add readings while the clock is unsynced, one a second on the boot clock."""
    return [journal.add("m-1", None, 1000 * n, 1, {"power_w": n}, {"status": ["leak"]}) for n in range(count)]


async def test_held_readings_wait_and_are_repaired_once(bench: Any) -> None:
    """Nothing is sent before the anchor; then the same numbers go out with ts = mono + offset and their bit."""
    bench.state = "unsynced"
    journal = await bench.open()
    seqs = hold(journal, 5)
    await journal.flush()
    assert (len(journal.pending()), journal.stats().held) == (0, 5)
    bench.state = "synced"
    assert await journal.repair("boot-9", 0) == 0
    assert await journal.repair("boot-1", bench.now) == 5
    assert await journal.repair("boot-1", bench.now) == 0
    rows = [row for block in await bench.blocks(journal) for row in block.readings]
    assert sorted((row.seq, row.ts, row.q, row.v["power_w"], row.status[0]) for row in rows) == [
        (seq, bench.now + 1000 * n, 1 | TIME_REPAIRED, n, "leak") for n, seq in enumerate(seqs)
    ]
    assert journal.stats().held == 0
    await journal.close()


async def test_repair_includes_the_open_window(bench: Any) -> None:
    """Readings of the very window in which the clock synced are not forgotten."""
    bench.state = "unsynced"
    journal = await bench.open()
    seqs = hold(journal, 2)
    assert await journal.repair("boot-1", bench.now) == 2
    assert sorted(await bench.readings(journal)) == seqs
    await journal.close()


async def test_released_readings_go_untimed_and_are_repaired_later(bench: Any) -> None:
    """After the wait they go out without a time; the anchor still brings them once more, with it."""
    bench.state = "unsynced"
    journal = await bench.open()
    seqs = hold(journal, 3)
    assert await journal.release() == 3
    assert await journal.release() == 0
    rows = [row for block in await bench.blocks(journal) for row in block.untimed]
    assert sorted((row.seq, row.boot, row.mono) for row in rows) == [
        (seq, "boot-1", 1000 * n) for n, seq in enumerate(seqs)
    ]
    for block in tuple(journal.pending()):
        journal.stored(block)
    assert journal.held == journal.stats().held == 3
    assert await journal.repair("boot-1", bench.now) == 3
    assert sorted(await bench.readings(journal)) == seqs
    await journal.close()


async def test_after_a_release_the_rest_follows_by_itself(bench: Any) -> None:
    """Once the wait is over, later unsynced readings do not wait again."""
    import asyncio
    import contextlib

    bench.state = "unsynced"
    journal = await bench.open(window=0.02)
    await journal.release()
    task = asyncio.create_task(journal.run())
    (seq,) = hold(journal, 1)
    await asyncio.wait_for(journal.wait(), 5)
    assert list(await bench.readings(journal)) == [seq]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await journal.close()


async def test_held_readings_survive_a_kill(bench: Any) -> None:
    """Committed or only mirrored, they are still held by the same boot and can be repaired."""
    bench.state = "unsynced"
    journal = await bench.open()
    seqs = hold(journal, 2)
    await journal.flush()
    seqs += hold(journal, 2)
    await bench.crash(journal)
    journal = await bench.open()
    assert journal.stats().held == 4
    assert await journal.repair("boot-1", bench.now) == 4
    assert sorted(await bench.readings(journal)) == seqs
    await journal.close()


async def test_a_boot_that_was_never_anchored_stays_untimed(bench: Any) -> None:
    """After the next boot its readings go out untimed for good, in order, and a later anchor does not touch them."""
    bench.state = "unsynced"
    journal = await bench.open()
    seqs = hold(journal, 3)
    await journal.flush()
    await bench.crash(journal, power=True)
    journal = await bench.open()
    rows = [row for block in await bench.blocks(journal) for row in block.untimed]
    assert sorted(row.seq for row in rows) == seqs
    assert {row.boot for row in rows} == {"boot-1"}
    assert await journal.repair("boot-2", bench.now) == 0
    assert journal.stats().held == 0
    await journal.close()


async def test_released_then_rebooted_is_not_sent_again(bench: Any) -> None:
    """What went untimed already is not sent a second time by the next boot."""
    bench.state = "unsynced"
    journal = await bench.open()
    hold(journal, 3)
    await journal.release()
    await journal.close()
    bench.boot = "boot-2"
    journal = await bench.open()
    rows = [row for block in await bench.blocks(journal) for row in block.untimed]
    assert len(rows) == 3
    await journal.close()
