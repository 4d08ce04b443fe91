"""What a meter counted today: hours of real days, gaps, dips, restarts."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from gateway.live import LiveBook, LiveMeter
from gateway.message import SUSPECT
from gateway.store.contract import Row, StoreError
from gateway.today import Today, Use, hours_of

HOUR = 3_600_000
KEY = "energy_import_wh"


def ms(text: str, zone: str = "UTC") -> int:
    """Give the UTC ms of a local time."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp() * 1000)


MIDNIGHT = ms("2026-11-21T00:00", "Asia/Riyadh")

METER = LiveMeter("m", "m", "electricity", "M", 10.0)
"""Names the meter that is asked for."""


class House:
    """A meter whose register a test moves, a store that remembers what it is told, and a clock."""

    def __init__(self, past: Sequence[Row] = (), *, broken: bool = False) -> None:
        """Stand at midnight in Riyadh."""
        self.now = MIDNIGHT
        self.rows, self.broken, self.asked = list(past), broken, 0
        self.book = LiveBook()
        self.book.know(LiveMeter("m", "m", "electricity", "M", 10.0))
        self.today = self.start()

    def start(self) -> Today:
        """Start the program anew."""
        self.today = Today(self.book, self, "Asia/Riyadh", lambda: self.now, "home")
        return self.today

    async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
        """Stand in for the store."""
        assert (tenant, meter) == ("home", "m")
        self.asked += 1
        if self.broken:
            raise StoreError("store down", "wait")
        return [row for row in self.rows if start <= row.ts < end]

    def at(self, hours: float, value: object, q: int = 0) -> None:
        """Read the meter so many hours after midnight."""
        self.now = MIDNIGHT + round(hours * HOUR)
        self.book.update("m", self.now, q, {KEY: value})  # type: ignore[dict-item]
        asyncio.run(self.today.look())

    def use(self) -> Use:
        """Give the day's use."""
        day = self.today.day(METER)
        assert day is not None
        return day.uses[KEY]


def row(hours: float, value: float, q: int = 0) -> Row:
    """Make a stored reading."""
    return Row("home", "gw", "m", MIDNIGHT + round(hours * HOUR), 1, 1, q, {KEY: value}, "electricity")


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-11-21T12:00", "Asia/Riyadh", 24),
        ("2026-03-29T12:00", "Europe/Berlin", 23),
        ("2026-10-25T12:00", "Europe/Berlin", 25),
        ("2026-11-21T00:00", "Asia/Kathmandu", 24),
        ("2026-04-24T09:00", "Africa/Cairo", 23),
    ],
)
def test_a_day_has_its_own_hours(day: str, zone: str, hours: int) -> None:
    """Summer time makes short and long days, and some zones lie half an hour aside."""
    edges = hours_of(ms(day, zone), ZoneInfo(zone))
    assert len(edges) == hours + 1
    assert edges[0] <= ms(day, zone) < edges[-1]
    # In Cairo that day begins at one o'clock, an hour that both sides of the change call midnight's.
    assert datetime.fromtimestamp(edges[-1] / 1000, ZoneInfo(zone)).hour == 0


def test_hours_add_up_to_the_day() -> None:
    """Each hour shows what the register rose by within it."""
    house = House()
    for step in range(3 * 60 + 1):
        house.at(step / 60, 1000 + step * 10)
    use = house.use()
    assert use.total == 1800
    assert use.hours[:4] == (600, 600, 600, None)


def test_an_hourly_register_fills_the_hour_before() -> None:
    """A gas meter behind a P1 port tells at three what it counted since two."""
    house = House()
    for hour, value in enumerate((100, 150, 150, 175)):
        house.at(hour, value)
    assert house.use().hours[:4] == (50, 0, 25, None)


def test_use_across_an_hour_is_shared_out() -> None:
    """A meter that speaks at seven minutes past belongs to both hours in part."""
    house = House()
    house.at(0.5, 0)
    house.at(1.25, 300)
    assert house.use().hours[:3] == (200, 100, None)


def test_a_gap_belongs_to_the_day_but_to_no_hour() -> None:
    """Hours nobody saw are unknown, not zero, and not one high bar."""
    house = House()
    for hours, value in ((0, 0), (1, 100), (6, 900), (7, 1000)):
        house.at(hours, value)
    use = house.use()
    assert use.total == 1000
    assert use.hours[:8] == (100, None, None, None, None, None, 100, None)


def test_yesterday_does_not_count() -> None:
    """At midnight the day begins anew; an interval across it counts from midnight on, a long gap not at all."""
    house = House()
    house.at(-0.5, 0)
    house.at(0.5, 100)
    assert house.use().total == 50
    house = House()
    house.at(-5, 0)
    house.at(1, 900)
    house.at(2, 950)
    assert house.use().total == 50


def test_a_new_day_begins_with_nothing() -> None:
    """Whoever looks just after midnight sees no number of yesterday."""
    house = House()
    house.at(22.5, 0)
    house.at(23.5, 500)
    house.now = MIDNIGHT + 24 * HOUR
    assert house.today.day(METER) is None
    house.at(24.5, 600)
    assert house.use().total == 50


def test_a_dip_counts_for_nothing() -> None:
    """A register that reads zero once and recovers has used what it truly rose by."""
    house = House()
    for minute, value in enumerate((5000, 5001, 0, 5002, 5003)):
        house.at(minute / 60, value)
    assert house.use().total == 3


def test_a_new_meter_does_not_count_backwards_or_up() -> None:
    """After a swap the use goes on from the new register; the jump itself is nothing."""
    house = House()
    for minute, value in enumerate((5000, 5010, 7, 8, 9, 10, 15)):
        house.at(minute / 60, value)
    assert house.use().total == 18


def test_a_leap_no_connection_carries_is_not_shown() -> None:
    """A glitch upwards and back leaves no trace."""
    house = House()
    for minute, value in enumerate((5000, 5001, 9_000_000, 5002)):
        house.at(minute / 60, value)
    assert house.use().total == 2


def test_a_doubtful_reading_waits() -> None:
    """What the gateway's own check doubted is left out."""
    house = House()
    house.at(0, 5000)
    house.at(0.1, 5900, SUSPECT)
    house.at(0.2, 5004)
    assert house.use().total == 4


def test_the_store_gives_the_hours_before_a_start() -> None:
    """A restart in the afternoon shows the same day, from a few readings of the store."""
    before = House()
    rows = []
    for minute in range(15 * 60):
        value = 1000 + minute * 2
        rows.append(row(minute / 60, value))
        before.at(minute / 60, value)
    house = House(rows)
    house.at(15, 1000 + 15 * 120)
    assert house.use().total == 15 * 120
    assert house.use().hours[:14] == before.use().hours[:14]
    assert house.asked <= 25
    house.at(15.01, 1000 + 15 * 120 + 1)
    assert house.asked <= 25


def test_hours_the_store_does_not_have_stay_unknown() -> None:
    """The feeder was behind, or the house was dark: nothing is made up."""
    house = House([row(0.005, 100), row(1.005, 200), row(6.5, 700)])
    house.at(7.0, 750)
    use = house.use()
    assert use.total == 650
    assert use.hours[2:5] == (None, None, None)


def test_without_a_store_the_day_begins_now() -> None:
    """A store that is down costs the past hours, not the page, and says why."""
    house = House(broken=True)
    house.at(15, 1000)
    house.at(15.5, 1100)
    assert house.use().total == 100
    assert "store down" in house.today.error
    day = house.today.day(METER)
    assert day is not None
    assert day.since == MIDNIGHT + 15 * HOUR


@pytest.mark.parametrize("value", ["NaN", "1e400", "nonsense", "Infinity", "9" * 40])
def test_what_is_no_register_is_left_out(value: str) -> None:
    """A hostile live document makes no use and no crash."""
    house = House()
    house.at(1, value)
    assert house.today.day(METER) is None


def test_a_reading_of_the_future_is_left_out() -> None:
    """A document dated next year moves nothing."""
    house = House()
    house.book.update("m", 1 << 60, 0, {KEY: 5})
    asyncio.run(house.today.look())
    assert house.today.day(METER) is None


def test_exact_values_stay_exact() -> None:
    """A register beyond what a float holds comes as text, and small use of it is seen."""
    house = House()
    house.at(0, "9007199254740.9931")
    house.at(0.5, "9007199254741.9931")
    assert house.use().total == 1
    assert Decimal("9007199254741.9931") > 0


def test_a_clock_set_back_loses_nothing_of_the_day() -> None:
    """T2: an hour back at noon, each ten minutes a reading: by the evening the day shows all that the register rose."""
    house = House()
    for step in range(72):
        house.at(step / 6, step * 100)
    for step in range(72, 140):
        house.at(step / 6 - 1, step * 100)
    assert house.use().total == 13_900


def test_two_tenants_meters_of_one_id_count_apart() -> None:
    """Neither's register is taken for a leap of the other's."""
    book, now = LiveBook(), MIDNIGHT
    for tenant in ("home", "other"):
        book.know(LiveMeter("m", "m", "electricity", "M", 10.0, tenant=tenant))
    today = Today(book, None, "Asia/Riyadh", lambda: now)
    for step in range(4):
        now = MIDNIGHT + step * 60_000
        book.update("m", now, 0, {KEY: 1000 + step}, "home")
        book.update("m", now, 0, {KEY: 9000 + 10 * step}, "other")
        asyncio.run(today.look())
    totals = {meter.tenant: day.uses[KEY].total for meter in book.meters() if (day := today.day(meter))}
    assert totals == {"home": 3, "other": 30}
