"""What the alert engine remembers: written with the blocks it knows, and what comes after is there to be replayed."""

import sqlite3
from contextlib import closing
from typing import Any

from gateway.message import decode_block


async def test_a_state_names_the_newest_block_it_knows(bench: Any) -> None:
    """Blocks above it hold exactly what was added after it."""
    journal = await bench.open()
    before = bench.fill(journal, 10)
    journal.keep({"m-0": b"one", "m-1": b"two"}, all=True)
    await journal.flush()
    after = bench.fill(journal, 7)
    await journal.flush()
    states = await journal.states()
    assert {meter: data for meter, (_, data) in states.items()} == {"m-0": b"one", "m-1": b"two"}
    known = {block for block, _ in states.values()}
    assert len(known) == 1
    blocks = [decode_block(payload) async for _, payload in journal.after(known.pop())]
    assert [row.seq for block in blocks for row in block.readings] == after
    assert before[-1] < after[0]
    await journal.close()


async def test_a_state_without_its_block_is_never_there(bench: Any) -> None:
    """While the disk has not taken the block, it has not taken the state either; a crash gives the older one."""
    journal = await bench.open()
    journal.keep({"m-0": b"old"})
    await journal.flush()
    bench.fill(journal, 5)
    journal.keep({"m-0": b"new"})
    await bench.crash(journal)
    journal = await bench.open()
    assert (await journal.states())["m-0"][1] == b"old"
    assert [row.seq for block in await bench.blocks(journal) for row in block.readings] == [1, 2, 3, 4, 5]
    await journal.close()


async def test_the_end_writes_it_too(bench: Any) -> None:
    """A state given just before the journal closes is there at the next start."""
    journal = await bench.open()
    bench.fill(journal, 5)
    journal.keep({"m-0": b"last"})
    await journal.close()
    journal = await bench.open()
    block, state = (await journal.states())["m-0"]
    assert state == b"last"
    assert [number async for number, _ in journal.after(block)] == []
    await journal.close()


async def test_one_meter_s_state_leaves_the_others(bench: Any) -> None:
    """An alert writes its own meter's state; a full set deletes meters that are no more."""
    journal = await bench.open()
    journal.keep({"a": b"1", "b": b"1"}, all=True)
    await journal.flush()
    journal.keep({"b": b"2"})
    await journal.flush()
    assert {meter: data for meter, (_, data) in (await journal.states()).items()} == {"a": b"1", "b": b"2"}
    journal.keep({"b": b"3"}, all=True)
    await journal.flush()
    assert list(await journal.states()) == ["b"]
    await journal.close()


async def test_blocks_no_state_knows_are_never_evicted(bench: Any) -> None:
    """A full journal lets go of what the oldest state knows, and of nothing newer."""
    journal = await bench.open(quota=80_000)
    for _ in range(60):
        bench.fill(journal, 60)
        await journal.flush()
    journal.keep({"m-0": b"state"})
    await journal.flush()
    known = (await journal.states())["m-0"][0]
    later = []
    for _ in range(60):
        later += bench.fill(journal, 60)
        await journal.flush()
    assert journal.stats().losses["evicted"]
    replayed = [decode_block(payload) async for _, payload in journal.after(known)]
    assert sorted(row.seq for block in replayed for row in block.readings) == later
    await journal.close()


async def test_a_damaged_state_is_no_state(bench: Any) -> None:
    """What fails its checksum is left out; the engine then starts from the blocks there are."""
    journal = await bench.open()
    journal.keep({"a": b"whole", "b": b"whole"})
    await journal.close()
    with closing(sqlite3.connect(bench.file)) as db, db:
        db.execute("UPDATE state SET bytes = x'00' WHERE meter = 'a'")
    journal = await bench.open()
    assert list(await journal.states()) == ["b"]
    await journal.close()
