"""The gaps themselves: no part of one is in another, each ends once, and a restart goes on with them."""

import asyncio
from pathlib import Path

from gateway.gaps import LONGEST_MS, NEAR_MS, Filling, Gap, Gaps, Silence

UTC = 1_795_219_200_000
MINUTE = 60_000


async def _nothing() -> None:
    """Nothing has to be brought into a journal."""


def gaps(folder: Path, offset: int | None = UTC) -> Gaps:
    """Make an empty set of gaps; `offset` is UTC minus boot clock."""
    return Gaps(lambda: offset, folder / "gaps.json", _nothing)


def spans(found: Gaps) -> list[tuple[int, int]]:
    """Give where gaps begin and end."""
    return [(filling.gap.since, filling.gap.until) for filling in found.open]


async def test_a_silence_waits_for_the_date(tmp_path: Path) -> None:
    """While nobody knows the UTC it stays a silence, which counts as open."""
    unknown = gaps(tmp_path, offset=None)
    unknown.note(Silence("m", 0, 0, 10 * MINUTE))
    unknown.place()
    assert (unknown.open, len(unknown)) == ([], 1)


async def test_no_part_is_asked_for_twice(tmp_path: Path) -> None:
    """Of two silences of one meter that overlap the second gap begins behind the first; another meter's is its own."""
    found = gaps(tmp_path)
    for meter, since, until in (("m", 0, 10), ("m", 5, 20), ("other", 5, 20)):
        found.note(Silence(meter, 0, since * MINUTE, until * MINUTE))
    found.place()
    first, second, other = spans(found)
    assert first == (UTC + NEAR_MS, UTC + 10 * MINUTE - NEAR_MS)
    assert second == (first[1] + 1, UTC + 20 * MINUTE - NEAR_MS)
    assert other == (UTC + 5 * MINUTE + NEAR_MS, second[1])
    assert len(found) == 3


async def test_what_is_too_old_is_counted_and_left_out(tmp_path: Path) -> None:
    """A silence of two months is asked for over its newest 31 days."""
    found = gaps(tmp_path)
    found.note(Silence("m", 0, 0, 2 * LONGEST_MS))
    found.place()
    ((since, until),) = spans(found)
    assert until - since == LONGEST_MS - 1
    assert found.unfilled == {"too_old": 1}


async def test_a_gap_ends_once(tmp_path: Path) -> None:
    """One whose meter went while it was being filled is counted for the meter, and not again for what came of it."""
    found = gaps(tmp_path)
    filling = Filling(Gap("m", UTC, UTC + MINUTE), 0.0)
    found.open.append(filling)
    found.forget("m")
    found.end(filling, "unread")
    assert (found.open, found.unfilled) == ([], {"meter_changed": 1})


async def test_the_file_follows_and_is_taken_up(tmp_path: Path) -> None:
    """What is open is open again after a restart; a gap that was shortened goes on from there."""
    found = gaps(tmp_path)
    keeping = asyncio.create_task(found.run())
    found.note(Silence("m", 0, 0, 10 * MINUTE))
    found.place()
    found.shorten(found.open[0], UTC + 4 * MINUTE)
    async with asyncio.timeout(10):
        while not (tmp_path / "gaps.json").exists():
            await asyncio.sleep(0.01)
    keeping.cancel()
    assert spans(gaps(tmp_path)) == [(UTC + 4 * MINUTE, UTC + 10 * MINUTE - NEAR_MS)]
