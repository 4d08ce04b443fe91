"""A gateway that was away for hours: the meter's load profile reaches the store, flagged, each row once.

A simulated DLMS meter over TCP, its driver, the edge's own parts and a real store; only the wall clock is the test's.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from drivers import profiles
from drivers.contract import Bus, Meter
from drivers.dlms.driver import open_bus
from gateway.alerts.alerting import Alerting
from gateway.alerts.engine import Engine
from gateway.backfill import Backfill, last_readings
from gateway.check import Limits
from gateway.clock import Clock
from gateway.feeder import Feeder
from gateway.hubdb import HubDatabase
from gateway.intake import Intake, Known
from gateway.journal import Journal
from gateway.live import LiveBook, LiveMeter
from gateway.message import LOAD_PROFILE, Topics
from gateway.poll import Poller
from gateway.store.contract import Row
from gateway.store.sqlite import SQLiteStore
from simulator.scenario import Scenario
from simulator.serve import running

QUARTER, HOUR = 900_000, 3_600_000
METER = "gw_main"
SCENARIO = Scenario.model_validate(
    {
        "household": [{"name": "flat"}],
        "line": [{"name": "meters", "kind": "tcp"}],
        "meter": [{"name": "main", "line": "meters", "profile": "dlms", "household": "flat"}],
    }
)


@dataclass
class World:
    """The time that meter and gateway share, set off from the true one by so many ms, and where the meter is."""

    folder: Path
    off: int = 0
    where: str = ""
    shown: list[int] = field(default_factory=list)

    def now(self) -> int:
        """Give UTC in ms."""
        return time.time_ns() // 1_000_000 + self.off


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A home with a DLMS meter."""
    world = World(tmp_path)
    world.off = (QUARTER // 2 - world.now()) % QUARTER  # no quarter of an hour ends while the test runs
    async with running(SCENARIO, tmp_path / "wires", clock=lambda: world.now() / 1000) as lines:
        world.where = lines["meters"].where
        yield world


@dataclass
class Gateway:
    """One start of a gateway with its parts."""

    poller: Poller
    backfill: Backfill
    journal: Journal
    book: LiveBook

    async def until_read(self, rows: int) -> None:
        """Wait for two live readings, and for so many rows of the past."""
        async with asyncio.timeout(20):
            while self.poller.turns[0].read < 2 or self.backfill.backfilled < rows:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def gateway(world: World) -> AsyncIterator[Gateway]:
    """Open the parts as the edge does, and poll."""
    clock = Clock(trust="system", wall=world.now)
    journal = await Journal.open(
        world.folder / "journal", gw="gw", mirror=world.folder, wall=world.now, clock_state=lambda: clock.state,
        boot=clock.boot_id, window=0.5,
    )  # fmt: skip
    try:
        alerting = await Alerting.open(
            Engine({METER: ()}), journal, lambda: clock.stamp(clock.boot_ms()), {METER: Limits()}
        )
        book = LiveBook()
        book.know(LiveMeter(METER, "main", "electricity", "a model", 0.2))
        intake = Intake(
            clock, alerting.checker, journal, book, lambda _m, ts, *_: world.shown.append(ts), alerting.hear
        )
        intake.meters[METER] = Known(0.2, Limits())
        backfill = Backfill(
            lambda: clock.offset, world.folder / "backfill.json", journal.flush,
            last_readings(alerting.checker.snapshot()),
        )  # fmt: skip
        driver = open_bus(Bus("net", world.where, state=world.folder), clock.boot_ms)
        meter = Meter(METER, profiles.load("dlms"), deadline=5.0)
        poller = Poller("net", driver, [(meter, 0.2)], intake.take, backfill=backfill)
        tasks = [asyncio.create_task(part.run()) for part in (poller, journal, backfill)]
        try:
            yield Gateway(poller, backfill, journal, book)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            alerting.keep()
    finally:
        await journal.close()


async def stored(world: World) -> list[Row]:
    """Let the journal feed a store, and give what it then has of the meter."""
    store, database = SQLiteStore(world.folder / "readings.sqlite"), HubDatabase(world.folder / "hub.sqlite")
    await store.open()
    await database.open()
    try:
        async with gateway(world) as here:
            await here.until_read(0)
            await here.journal.flush()
            await Feeder(here.journal, store, Topics("home", "gw"), database).feed()
        assert store.conflicts == 0, "two readings wanted one place"
        return await store.query("home", METER, 0, world.now() + HOUR)
    finally:
        await database.close()
        await store.close()


async def test_a_gateway_that_was_off_has_the_meters_rows_of_that_time(world: World) -> None:
    """Five hours away, then once more for one: 20 rows and 4, in order between the live ones, and shown to nobody."""
    async with gateway(world) as here:
        await here.until_read(0)
    world.off += 5 * HOUR
    async with gateway(world) as here:
        await here.until_read(20)
        assert here.book.meters()[0].ts > world.now() - HOUR
        assert not here.book.meters()[0].q & LOAD_PROFILE
    world.off += HOUR
    async with gateway(world) as here:
        await here.until_read(4)
    rows = await stored(world)
    assert {row.q for row in rows} == {0, LOAD_PROFILE}
    past = [row.ts for row in rows if row.q == LOAD_PROFILE]
    live = [row.ts for row in rows if not row.q]
    since = min(live) // QUARTER * QUARTER
    assert past == [since + number * QUARTER for number in range(1, 25)]
    assert not set(past) & set(world.shown)
    registers = [float(row.v["energy_import_wh"]) for row in rows]
    assert registers == sorted(registers), "the register rises through live rows and those of the past"
    assert max(b - a for a, b in pairwise(row.ts for row in rows)) <= QUARTER
