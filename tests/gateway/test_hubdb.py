"""The hub database: idempotent records, exact gaps, enrolment, bounded dead letters."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.hubdb import BlockRecord, DeadLetter, Enrolled, HubDatabase, Recorded
from gateway.message import Loss, MeterInfo, UntimedRow
from gateway.store.contract import StoreError

STREAM = 0x9F2C3A41B07D
BLOCK = BlockRecord("t", "gw-1", STREAM, 1, 1795219200000)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[HubDatabase]:
    """Give an open hub database that keeps three dead letters."""
    opened = HubDatabase(tmp_path / "hub.db", dead_letters=3)
    await opened.open()
    yield opened
    await opened.close()


def loss(first: int | None, last: int | None, reason: str = "evicted") -> Loss:
    """Make a loss row."""
    return Loss.model_validate({"reason": reason, "first": first, "last": last, "from": 1, "to": 2})


def meter(name: str, commodity: str = "water") -> MeterInfo:
    """Make a meter of a birth document."""
    quantities = {"water_volume_l": {"unit": "l"}}
    return MeterInfo(id=name, name="Küche", commodity=commodity, model="x", every=10, quantities=quantities)


def letter(n: int, **changes: object) -> DeadLetter:
    """Make a dead letter that differs by `n`."""
    made = DeadLetter("undecodable", "nabd/v1/t/gw-1/data", b"9f2c3a41b07d:%d" % n, b"payload", at=n)
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_block_recorded_twice_is_recorded_once(hub: HubDatabase) -> None:
    """Losses, events and untimed readings of a block sent again are the same rows."""
    untimed = UntimedRow(seq=3, boot="b", mono=5, meter="m", q=0, v={"power_w": 1})
    block = replace(
        BLOCK, seqs=[1, 2, 3], losses=[loss(4, 9), loss(None, None)], untimed=[untimed], events=[b'{"a":1}', b'{"a":1}']
    )
    assert await hub.write([block]) == Recorded(0)
    assert await hub.write([block, block]) == Recorded(6)
    assert [(row.tenant, row.gw, row.first, row.since) for row in await hub.losses("t")] == [
        ("t", "gw-1", 4, 1), ("t", "gw-1", None, 1),
    ]  # fmt: skip
    assert await hub.losses() == await hub.losses("t")
    assert await hub.losses("u") == []
    assert await hub.untimed("t", STREAM) == [untimed]
    assert [(event.gw, event.body) for event in await hub.events()] == [("gw-1", {"a": 1})] * 2


async def test_events_are_read_from_a_cursor(hub: HubDatabase) -> None:
    """Ids grow, so a reader remembers the last one it has dealt with."""
    await hub.write([replace(BLOCK, block=n, events=[b'{"n":%d}' % n]) for n in range(5)])
    first = await hub.events(limit=2)
    rest = await hub.events(after=first[-1].id)
    assert [event.body["n"] for event in [*first, *rest]] == [0, 1, 2, 3, 4]


async def test_missing_is_what_neither_store_nor_ledger_has(hub: HubDatabase) -> None:
    """Gaps below the highest stored number count, but for those a loss names."""
    await hub.write(
        [replace(BLOCK, seqs=[3, 4, 5, 10, 20]), replace(BLOCK, block=2, losses=[loss(7, 9), loss(12, 14)])]
    )
    assert await hub.missing("t", STREAM) == [(1, 2), (6, 6), (11, 11), (15, 19)]
    await hub.write([replace(BLOCK, block=3, seqs=[1, 2, 6, 11, *range(15, 20)])])
    assert await hub.missing("t", STREAM) == []
    assert await hub.missing("u", STREAM) == []
    assert await hub.missing("t", 1) == []


async def test_two_gateways_with_one_stream_do_not_fill_each_others_gaps(hub: HubDatabase) -> None:
    """A cloned card, or a gateway that claims another's stream, hides no loss."""
    await hub.write([replace(BLOCK, seqs=[1, 2, 5]), replace(BLOCK, gw="gw-2", seqs=[1, 2, 3, 4])])
    assert await hub.missing("t", STREAM) == [(3, 4)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 40), unique=True), min_size=1),
    st.lists(st.tuples(st.integers(1, 45), st.integers(1, 45))),
)
async def test_missing_is_exact(blocks: Sequence[Sequence[int]], losses: Sequence[tuple[int, int]]) -> None:
    """Whatever arrives, in any order and as often as it likes, the gaps and duplicates are those of sets."""
    with TemporaryDirectory() as folder:
        hub = HubDatabase(Path(folder) / "hub.db")
        await hub.open()
        seen: set[int] = set()
        for n, seqs in enumerate(blocks):
            recorded = await hub.write([replace(BLOCK, block=n, seqs=seqs)])
            assert recorded == Recorded(len(seen & set(seqs)))
            seen |= set(seqs)
        await hub.write([replace(BLOCK, block=1000, losses=[loss(first, last) for first, last in losses])])
        explained = {number for first, last in losses for number in range(first, last + 1)}
        missing = {number for first, last in await hub.missing("t", STREAM) for number in range(first, last + 1)}
        assert missing == set(range(1, max(seen, default=0) + 1)) - seen - explained
        await hub.close()


async def test_a_meter_belongs_to_the_first_that_announces_it(hub: HubDatabase) -> None:
    """Later claims are refused and change nothing; what is no longer announced is free."""
    assert await hub.enrol("t", "gw-1", [meter("a"), meter("b")]) == Enrolled()
    assert await hub.enrol("t", "gw-2", [meter("b", "gas"), meter("c")]) == Enrolled(refused=("b",))
    assert [(row.meter, row.gw, row.commodity) for row in await hub.meters("t")] == [
        ("a", "gw-1", "water"), ("b", "gw-1", "water"), ("c", "gw-2", "water"),
    ]  # fmt: skip
    assert (await hub.meters("t"))[0].info == meter("a")
    await hub.enrol("t", "gw-1", [meter("a", "gas")])
    assert hub.owner("t", "b") is None
    assert await hub.enrol("t", "gw-2", [meter("b"), meter("c")]) == Enrolled()
    assert (hub.owner("t", "a"), hub.owner("t", "b"), hub.owner("u", "a")) == ("gw-1", "gw-2", None)
    assert (await hub.meters("t"))[0].commodity == "gas"


async def test_owners_are_known_again_after_a_start(hub: HubDatabase) -> None:
    """Enrolment is on disk."""
    await hub.enrol("t", "gw-1", [meter("a")])
    await hub.close()
    await hub.open()
    assert hub.owner("t", "a") == "gw-1"


async def test_a_letter_delivered_again_is_one_row(hub: HubDatabase) -> None:
    """The same correlation for the same reason is counted, not repeated."""
    await hub.write([], [letter(1), letter(1, at=9), letter(1, reason="meter_conflict")])
    found = await hub.dead_letters()
    assert [(row.reason, row.count, row.at) for row in found] == [("undecodable", 2, 9), ("meter_conflict", 1, 1)]


async def test_letters_without_a_name_are_told_apart_by_payload(hub: HubDatabase) -> None:
    """Rubbish has no correlation; the same rubbish again is still one row."""
    nameless = letter(1, correlation=None, payload=b"x" * 999)
    await hub.write([], [nameless, nameless, replace(nameless, payload=b"y" * 999)])
    assert [(row.correlation, row.count) for row in await hub.dead_letters()] == [(None, 2), (None, 1)]


async def test_letters_are_bounded_in_size_and_number(hub: HubDatabase) -> None:
    """The oldest go, and are counted; nothing a sender controls grows without end."""
    await hub.write([], [letter(n) for n in range(4)])
    await hub.write([], [letter(9, payload=b"x" * 100_000, topic="t" * 9999, correlation=b"c" * 9999)])
    found = await hub.dead_letters()
    assert [row.at for row in found] == [2, 3, 9]
    assert await hub.dropped_letters() == 2
    assert (len(found[2].payload), len(found[2].topic), len(found[2].correlation or b"")) == (65536, 256, 64)


async def test_all_or_nothing(hub: HubDatabase) -> None:
    """A batch that cannot be written whole leaves no trace of itself."""
    with pytest.raises(OverflowError):
        await hub.write([replace(BLOCK, seqs=[1], events=[b"{}"]), replace(BLOCK, block=1 << 70, events=[b"{}"])])
    assert await hub.events() == []
    assert await hub.write([replace(BLOCK, seqs=[1])]) == Recorded(0)


async def test_a_newer_schema_is_refused(hub: HubDatabase) -> None:
    """A hub that was downgraded says so instead of writing into tables it does not know."""
    await hub._database.read(lambda c: c.execute("PRAGMA user_version = 7"))
    await hub.close()
    with pytest.raises(StoreError, match="schema 7"):
        await hub.open()
