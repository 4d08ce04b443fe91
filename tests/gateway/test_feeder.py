"""One house: the journal feeds the store, which alone frees its blocks."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.feeder import Feeder
from gateway.message import LOAD_PROFILE, Topics, encode_block, encode_reading
from gateway.store.contract import Row, Stored, TryAgain, Verdict
from tests.support.virtual_time import run_virtually

STREAM = "0123456789ab"


def block(number: int, *seqs: int) -> bytes:
    """Make a block with a reading a minute."""
    readings = [encode_reading(seq, {"ts": seq * 60_000}, "gw_m", 0, {"power_w": seq}) for seq in seqs]
    return encode_block("gw", STREAM, number, 1, "synced", readings=readings)


@dataclass
class FakeJournal:
    """Blocks by number."""

    blocks: dict[int, bytes]
    stream: str = STREAM
    rejected: list[tuple[int, str]] = field(default_factory=list)
    flushed: int = 0

    def pending(self) -> list[int]:
        """What is not stored."""
        return list(self.blocks)

    async def load(self, number: int) -> bytes | None:
        """Give a block."""
        return self.blocks.get(number)

    async def wait(self) -> None:
        """Nothing new."""

    async def flush(self) -> None:
        """Commit the open window."""
        self.flushed += 1

    def stored(self, number: int, rejected: Iterable[tuple[int, str]] = ()) -> bool:
        """Free a block."""
        self.rejected += rejected
        return self.blocks.pop(number, None) is not None


@dataclass
class FakeStore:
    """Answers as scripted, then takes everything."""

    script: list[Verdict] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    async def write(self, rows: Sequence[Row]) -> Verdict:
        """Take a batch, or not."""
        verdict = self.script.pop(0) if self.script else Stored()
        if isinstance(verdict, Stored):
            self.rows += rows
        return verdict


@dataclass
class FakeHubDatabase:
    """Keeps records; refuses as often as scripted."""

    refuse: int = 0
    records: list[Any] = field(default_factory=list)

    async def write(self, records: list[Any], _letters: list[Any]) -> Any:
        """Take records, or not."""
        if self.refuse:
            self.refuse -= 1
            return TryAgain("locked")
        self.records += records
        return None


def feed(journal: FakeJournal, fake: FakeStore, *, keep_raw: bool = True, hubdb: Any = None) -> Feeder:
    """Feed once on virtual time."""

    async def run() -> Feeder:
        store: Any = fake  # only `write` is asked for here
        database: Any = hubdb or FakeHubDatabase()
        feeder = Feeder(journal, store, Topics("home", "gw"), database, keep_raw=keep_raw)
        await feeder.feed()
        return feeder

    return run_virtually(run())


def test_every_block_reaches_the_store_and_is_freed() -> None:
    """All readings of all pending blocks, once each."""
    journal, store = FakeJournal({1: block(1, 1, 2), 2: block(2, 3)}), FakeStore()
    feeder = feed(journal, store)
    assert [row.seq for row in store.rows] == [1, 2, 3]
    assert journal.blocks == {}
    assert feeder.stored == 3


def test_a_store_that_is_away_is_waited_for() -> None:
    """Nothing is freed before the store has it."""
    journal, store = FakeJournal({1: block(1, 1)}), FakeStore([TryAgain("locked"), TryAgain("locked", after=30)])
    feed(journal, store)
    assert [row.seq for row in store.rows] == [1]
    assert journal.blocks == {}


def test_what_the_store_rejects_is_told_to_the_ledger() -> None:
    """A rejected reading is a loss with a reason, not a silence."""
    journal, store = FakeJournal({1: block(1, 1, 2)}), FakeStore([Stored(rejected=((1, "type_conflict"),))])
    feed(journal, store)
    assert journal.rejected == [(2, "type_conflict")]


def test_without_raw_readings_the_first_of_each_quarter_hour_is_kept() -> None:
    """Forty-five minutes of minutes become three readings or four."""
    journal, store = FakeJournal({1: block(1, *range(1, 46))}), FakeStore()
    feed(journal, store, keep_raw=False)
    assert [row.ts // 60_000 for row in store.rows] == [1, 15, 30, 45]


def test_rows_of_a_load_profile_are_kept_without_raw_readings_too() -> None:
    """They come late, when newer quarters are stored already."""
    rows = [encode_reading(seq, {"ts": seq * 900_000}, "gw_m", LOAD_PROFILE, {"power_w": seq}) for seq in (5, 6, 7)]
    past = encode_block("gw", STREAM, 2, 1, "synced", readings=rows)
    journal, store = FakeJournal({1: block(1, 150), 2: past}), FakeStore()
    feed(journal, store, keep_raw=False)
    assert [row.ts // 900_000 for row in store.rows] == [10, 5, 6, 7]


def test_an_unreadable_block_stays_and_is_named() -> None:
    """It may be mended or salvaged; the others go on."""
    journal, store = FakeJournal({1: b"rubbish", 2: block(2, 1)}), FakeStore()
    feeder = feed(journal, store)
    assert list(journal.blocks) == [1]
    assert list(feeder.unreadable) == [1]


def test_events_and_losses_reach_the_hub_database_before_the_block_is_freed() -> None:
    """The notifier tells from there, so it counts as storing."""
    event = b'{"v":1,"key":"0123456789abcdef-1"}'
    alarm = encode_block("gw", STREAM, 5, 1, "synced", events=[event])
    journal, hubdb = FakeJournal({5: alarm}), FakeHubDatabase(refuse=3)
    feed(journal, FakeStore(), hubdb=hubdb)
    assert [record.events for record in hubdb.records] == [[event]]
    assert journal.blocks == {}


def test_an_alert_is_fed_at_once() -> None:
    """Nobody waits a quarter of an hour to hear of a leak."""
    hubdb: Any = FakeHubDatabase()
    store: Any = FakeStore()

    async def run() -> None:
        journal = FakeJournal({})
        feeder = Feeder(journal, store, Topics("home", "gw"), hubdb)
        task = asyncio.create_task(feeder.run())
        await asyncio.sleep(10)
        journal.blocks[1] = block(1, 1)
        feeder.wake()
        await asyncio.sleep(1)
        assert journal.flushed == 1
        assert journal.blocks == {}
        task.cancel()

    run_virtually(run())
