"""The hub's round: days judged when they are over, again while readings may come late, versions kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.check.daily import HOUR_MS, Days
from gateway.check.ledger import Ledger
from gateway.check.sheet import Sheet
from gateway.hubdb import EnrolledMeter, HubDatabase
from gateway.message import MeterInfo
from gateway.store.contract import Row, StoreError, TryAgain

DAY = 1_767_225_600_000
DAY_MS = 86_400_000
KEY = "energy_import_wh"


@dataclass
class Bench:
    """A hub with one meter, a clock by hand, and a store of rows."""

    ledger: Ledger
    now: int = DAY + DAY_MS
    model: str = "a model"
    rows: dict[int, float] = field(default_factory=dict)
    asked: list[tuple[int, int]] = field(default_factory=list)
    away: bool = False

    async def meters(self, tenant: str) -> list[EnrolledMeter]:
        """Give the meter of the one tenant."""
        info = MeterInfo(
            id="m", name="m", commodity="electricity", model=self.model, every=900, quantities={KEY: {"unit": "Wh"}}
        )
        return [EnrolledMeter("m", "gw", "electricity", info)] if tenant == "home" else []

    async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
        """Give rows by time."""
        assert (tenant, meter) == ("home", "m")
        if self.away:
            raise StoreError("the store is away", "start it")
        self.asked.append((start, end))
        return [
            Row("home", "gw", "m", ts, 1, 1, 0, {KEY: v}) for ts, v in sorted(self.rows.items()) if start <= ts < end
        ]

    def read(self, begin: int, end: int) -> None:
        """Read 100 Wh each quarter of an hour."""
        self.rows |= {ts: 1000.0 + (ts - DAY) / 9000 for ts in range(begin, end, 900_000)}

    @property
    def days(self) -> Days:
        """Begin as after a start."""
        return Days(self, self, self.ledger, lambda: ("home", "other"), ZoneInfo("UTC"), lambda: self.now)

    async def words(self, day: int) -> set[str]:
        """Give the words of a day's newest sheet."""
        sheet = await self.ledger.newest("home", "m", day)
        assert sheet is not None
        return {remark.flag for remark in sheet.remarks}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Open a hub database with the ledger's tables."""
    database = HubDatabase(tmp_path / "hub.db")
    await database.open()
    ledger = Ledger(database.file)
    await ledger.open()
    await ledger.open()
    yield Bench(ledger)
    await database.close()


async def test_a_day_is_judged_once_an_hour_after_it_ended(bench: Bench) -> None:
    """Not before, and not again, whoever asks."""
    bench.read(DAY - HOUR_MS, DAY + DAY_MS + 2 * HOUR_MS)
    bench.now = DAY + DAY_MS + HOUR_MS - 1
    await bench.days.look()
    assert await bench.ledger.newest("home", "m", DAY) is None
    bench.now += 1
    for _ in range(3):
        await bench.days.look()
    sheet = await bench.ledger.newest("home", "m", DAY)
    assert sheet is not None
    assert sheet.complete
    assert sheet.remarks == ()
    assert sheet.totals == {KEY: 9600}
    assert len(await bench.ledger.versions("home", "m", DAY)) == 1
    assert all(end - start <= HOUR_MS for start, end in bench.asked)


async def later(bench: Bench, mend: Callable[[], None]) -> None:
    """Judge a day with a hole of five hours, let something happen, and judge the next day."""
    bench.read(DAY - HOUR_MS, DAY + 2 * DAY_MS + 2 * HOUR_MS)
    hole = range(DAY + 10 * HOUR_MS, DAY + 15 * HOUR_MS, 900_000)
    for ts in hole:
        del bench.rows[ts]
    bench.now = DAY + DAY_MS + HOUR_MS
    await bench.days.look()
    assert await bench.words(DAY) == {"gap"}
    mend()
    bench.now += DAY_MS
    await bench.days.look()


async def test_a_day_that_could_not_be_heard_comes_again_before_the_next(bench: Bench) -> None:
    """Rules hear each day in its order, whatever their disk says meanwhile; why they do not is told."""
    bench.read(DAY - HOUR_MS, DAY + 3 * DAY_MS)
    heard: list[int] = []
    full = True

    async def hear(_tenant: str, _meter: EnrolledMeter, sheet: Sheet) -> TryAgain | None:
        if full and sheet.start > DAY:
            return TryAgain("the disk is full", after=5.0)
        heard.append(sheet.start)
        return None

    days = bench.days
    days.judged_day = hear
    for n in (1, 2, 3):
        bench.now = DAY + n * DAY_MS + HOUR_MS
        await days.look()
    assert (heard, days.error) == ([DAY], "the disk is full")
    assert list(await bench.ledger.days("home", "m", DAY)) == [DAY]
    full = False
    await days.look()
    assert heard == [DAY, DAY + DAY_MS, DAY + 2 * DAY_MS]


async def test_e2_what_came_late_is_a_new_version_and_the_old_one_stays(bench: Bench) -> None:
    """The backlog arrives within the week: unknown and estimated slots become actual ones."""
    await later(bench, lambda: bench.read(DAY + 10 * HOUR_MS, DAY + 15 * HOUR_MS))
    old, new = await bench.ledger.versions("home", "m", DAY)
    assert (old.complete, new.complete) == (False, True)
    assert await bench.words(DAY) == set()


async def test_what_says_the_same_is_no_new_version(bench: Bench) -> None:
    """Nothing came: the day was judged again, and stands as it did."""
    await later(bench, lambda: None)
    assert len(await bench.ledger.versions("home", "m", DAY)) == 1
    assert await bench.ledger.newest("home", "m", DAY + DAY_MS) is not None


async def test_v15_a_meter_is_who_it_was_on_its_first_day(bench: Bench) -> None:
    """Another model at the same place is flagged until an installer takes it over."""
    await later(bench, lambda: setattr(bench, "model", "another model"))
    assert "idchg" in await bench.words(DAY + DAY_MS)
    await bench.ledger.commission(
        "home", "m", DAY + 2 * DAY_MS, b'{"model":"another model","units":{"energy_import_wh":"Wh"},"serial":""}'
    )
    bench.read(DAY + 2 * DAY_MS, DAY + 3 * DAY_MS + 2 * HOUR_MS)
    bench.now += DAY_MS
    await bench.days.look()
    assert await bench.words(DAY + 2 * DAY_MS) == set()


async def test_a_store_that_is_away_is_named_and_asked_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The round goes on; what could not be judged is judged at the next look."""
    bench.read(DAY - HOUR_MS, DAY + DAY_MS + 2 * HOUR_MS)
    bench.now = DAY + DAY_MS + HOUR_MS
    bench.away = True
    days = bench.days
    monkeypatch.setattr("gateway.check.daily.EVERY", 0.001)
    task = asyncio.create_task(days.run())
    async with asyncio.timeout(10):
        while "away" not in days.error:
            await asyncio.sleep(0.001)
        bench.away = False
        while days.error or await bench.ledger.newest("home", "m", DAY) is None:
            await asyncio.sleep(0.001)
    task.cancel()
    assert await bench.words(DAY) == set()
