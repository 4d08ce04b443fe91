"""A full journal: what goes first, what the ledger says, and how large the file gets."""

from typing import Any

QUOTA = 80_000


async def churn(bench: Any, journal: Any, windows: int) -> list[int]:
    """Commit many windows of many readings."""
    seqs = []
    for _ in range(windows):
        seqs += bench.fill(journal, 60)
        await journal.flush()
    return seqs


async def test_every_evicted_reading_is_named_exactly(bench: Any, names: Any) -> None:
    """What is neither pending nor named was never added, nothing is both, and counts agree with runs."""
    journal = await bench.open(quota=QUOTA)
    seqs = await churn(bench, journal, 120)
    left, losses = set(await bench.readings(journal)), bench.ledger()
    gone = names(losses, "evicted")
    assert gone
    assert left | gone == set(seqs)
    assert not left & gone
    assert sum(loss.count or 0 for loss in losses) == len(gone) == journal.stats().losses["evicted"]
    await journal.close()


async def test_ledger_rows_travel_even_when_their_block_is_evicted(bench: Any, names: Any) -> None:
    """The rows in pending blocks and those still waiting name every evicted reading."""
    journal = await bench.open(quota=QUOTA)
    seqs = await churn(bench, journal, 150)
    await journal.flush()
    left = set(await bench.readings(journal))
    told = names([loss for block in await bench.blocks(journal) for loss in block.losses], "evicted")
    waiting = names([entry.loss for entry in journal._committer.ledger._waiting], "evicted")
    assert left | told | waiting == set(seqs)
    await journal.close()


async def test_class_1_goes_before_class_0_and_the_oldest_first(bench: Any) -> None:
    """The first readings of each quarter-hour are all there while high-rate readings are gone, oldest first."""
    journal = await bench.open(quota=QUOTA)
    first: dict[int, int] = {}
    for _ in range(120):
        began = bench.now
        for n, seq in enumerate(bench.fill(journal, 60), 1):
            first.setdefault((began + 1000 * n) // 900_000, seq)
        await journal.flush()
    left = set(await bench.readings(journal))
    assert set(journal.stats().losses) == {"evicted"}
    assert set(first.values()) <= left
    rest = sorted(left - set(first.values()))
    assert rest[0] > 60
    assert set(range(rest[0], 120 * 60 + 1)) <= left
    await journal.close()


async def test_stored_blocks_go_before_unsent_ones(bench: Any) -> None:
    """As long as the store has any block, no unsent one is evicted, however much older it is."""
    journal = await bench.open(quota=QUOTA)
    bench.fill(journal, 60)
    await journal.flush()
    unsent = tuple(journal.pending())
    for _ in range(120):
        bench.fill(journal, 60)
        await journal.flush()
        for block in tuple(journal.pending())[len(unsent) :]:
            journal.stored(block)
    assert tuple(journal.pending()) == unsent
    assert journal.stats().losses == {}
    assert journal.stats().file_size + journal.stats().log_size > QUOTA
    await journal.close()


async def test_the_file_stays_bounded(bench: Any) -> None:
    """Freed pages are used again: ten times the quota written leaves a file of the quota's size."""
    journal = await bench.open(quota=QUOTA)
    await churn(bench, journal, 300)
    await journal.close()
    assert bench.file.stat().st_size < QUOTA * 1.25


async def test_stored_blocks_are_kept_for_replay_then_deleted(bench: Any) -> None:
    """A stored block can be loaded until `keep` is over; then the next expiry deletes it, unsent ones never."""
    journal = await bench.open(keep=60.0)
    bench.fill(journal, 10)
    await journal.flush()
    journal.stored(1)
    for _ in range(70):
        bench.fill(journal, 1)
        await journal.flush()
    journal._committer._cache.drop(1)
    bench.now += 3_600_000
    for _ in range(70):
        bench.fill(journal, 1)
        await journal.flush()
    assert await journal.load(1) is None
    assert 2 in journal.pending()
    assert await journal.load(2) is not None
    assert journal.stats().losses == {}
    await journal.close()


async def test_an_unsynced_clock_expires_nothing(bench: Any) -> None:
    """Age means nothing while the clock is unknown."""
    journal = await bench.open(keep=60.0)
    bench.fill(journal, 1)
    await journal.flush()
    journal.stored(1)
    bench.state = "unsynced"
    bench.now += 10**10
    for _ in range(140):
        bench.fill(journal, 1)
        await journal.flush()
    assert await journal.load(1) is not None
    await journal.close()


async def test_held_readings_are_bounded_too(bench: Any, names: Any) -> None:
    """A clock that never syncs cannot fill the disk either; what goes is named."""
    bench.state = "unsynced"
    journal = await bench.open(quota=40_000)
    seqs = set()
    for n in range(100):
        seqs |= {journal.add("m-1", None, n, 0, {"power_w": n * 1.1}) for _ in range(60)}
        await journal.flush()
    assert names(bench.ledger(), "evicted")
    assert 0 < await journal.repair("boot-1", bench.now) < len(seqs)
    left, gone = set(await bench.readings(journal)), names(bench.ledger(), "evicted")
    assert left | gone == seqs
    assert not left & gone
    assert journal.stats().held == 0
    await journal.close()
