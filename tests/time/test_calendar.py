"""Dates and local time: days of 23, 24.5 and 25 hours, zones that change, leap seconds, and dates nobody can mean."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, strategies

from drivers.contract import Number, Reading
from drivers.mbus.values import date_g, time_f
from drivers.p1.codec import Decoder, Telegram, encode, parse_time, parse_timestamp
from drivers.p1.profile import read_telegram
from drivers.profiles import available, load_file
from gateway.alerts.event import AlertEvent
from gateway.alerts.series import ReplayError, load_rows
from gateway.check import Checker, Interval, Limits
from gateway.clock import Clock, wall_ms
from gateway.intake import Intake, Known
from gateway.live import LiveBook, LiveMeter
from gateway.notify.router import CAP_DAY, DIGEST, Contact, Story, route
from gateway.store.contract import Row
from gateway.today import Today, hours_of

QUARTER, HOUR = 900_000, 3_600_000
KEY = "energy_import_wh"

CHANGES = [
    ("Europe/Berlin", (2027, 3, 28), 92),
    ("Europe/Berlin", (2027, 10, 31), 100),
    ("America/New_York", (2027, 3, 14), 92),
    ("America/New_York", (2027, 11, 7), 100),
    ("Australia/Lord_Howe", (2027, 10, 3), 94),
    ("Australia/Lord_Howe", (2027, 4, 4), 98),
]


def bounds(zone: str, day: tuple[int, int, int]) -> tuple[int, int]:
    """Give UTC ms of a date's beginning and end."""
    begin = datetime(*day)  # noqa: DTZ001  it gets its zone below, after the day is added on the wall clock
    both = (begin, begin + timedelta(days=1))
    first, last = (round(moment.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000) for moment in both)
    return first, last


class Gate:
    """The intake of one meter on clocks by hand, and what went through it."""

    def __init__(self, wall: int) -> None:
        self.wall, self.boot = wall, 1_000_000
        self.rows: list[tuple[int | None, Any]] = []
        self.intervals: list[Interval] = []
        clock = Clock("system", lambda: self.wall, lambda: self.boot, boot_id="b")
        self.book = LiveBook()
        self.book.know(LiveMeter("m", "m", "electricity", "M", 900.0))
        journal: Any = self
        self.intake = Intake(clock, Checker(), journal, self.book, None, self._hear)
        self.intake.meters["m"] = Known(900.0, Limits())

    def add(self, _: str, at: int | None, *rest: Any) -> int:
        """Stand in for the journal."""
        self.rows.append((at, rest[2]))
        return len(self.rows)

    def _hear(
        self, _: str, __: int, ___: int, ____: Mapping[str, Number], intervals: Sequence[Interval], _____: Sequence[str]
    ) -> None:
        self.intervals += intervals

    def passes(self, ms: int) -> None:
        """Let time go on."""
        self.wall += ms
        self.boot += ms

    def read(self, value: Number, **more: Any) -> int:
        """Take a reading and give its time."""
        self.intake.take(Reading("m", self.boot, {KEY: value}, **more))
        ts = self.rows[-1][0]
        assert ts is not None
        return ts


@pytest.mark.parametrize(("zone", "day", "quarters"), CHANGES)
async def test_a_day_of_any_length_adds_up(zone: str, day: tuple[int, int, int], quarters: int) -> None:
    """T6: as many quarter-hours as that day has, and their sum is what the register rose by, to the watt-hour."""
    begin, end = bounds(zone, day)
    gate = Gate(begin)

    class Nothing:
        """A store without a past."""

        async def query(self, tenant: str, meter: str, start: int, end: int) -> list[Row]:
            """Find nothing."""
            del tenant, meter, start, end
            return []

    today = Today(gate.book, Nothing(), zone, lambda: gate.wall)
    register, shown = 5000, None
    gate.read(register)
    await today.look()
    while gate.wall < end:
        shown = today.day(gate.book.meters()[0])
        gate.passes(QUARTER)
        register += 100 + gate.wall // QUARTER % 7
        gate.read(register)
        if gate.wall < end:
            await today.look()
    assert len(gate.intervals) == quarters
    assert {interval.end - interval.start for interval in gate.intervals} == {QUARTER}
    assert sum(interval.amount or 0 for interval in gate.intervals) == register - 5000
    assert shown is not None
    use = shown.uses[KEY]
    assert use.total == sum(interval.amount or 0 for interval in gate.intervals[:-1])
    assert sum(hour or 0 for hour in use.hours) == pytest.approx(use.total)
    assert len({ts for ts, _ in gate.rows}) == quarters + 1
    assert len(hours_of(begin, ZoneInfo(zone))) - 1 == -(-quarters // 4)


@pytest.mark.parametrize(("zone", "day", "quarters"), CHANGES[:2])
def test_a_meter_s_local_time_names_each_quarter_once(zone: str, day: tuple[int, int, int], quarters: int) -> None:
    """T6: with its S or W the repeated hour has times of its own; without it the gateway's time is taken."""
    begin, end = bounds(zone, day)
    gate = Gate(begin)
    with_letter: list[int | None] = []
    without: list[int] = []
    for moment in range(begin, end, QUARTER):
        local = datetime.fromtimestamp(moment / 1000, ZoneInfo(zone))
        text = f"{local:%y%m%d%H%M%S}"
        with_letter.append(parse_timestamp(text + ("S" if local.dst() else "W")))
        without.append(gate.read(len(without), captured=parse_timestamp(text)))
        gate.passes(QUARTER)
    assert with_letter == without == list(range(begin, end, QUARTER))
    assert len(without) == quarters


@pytest.mark.parametrize(("zone", "day", "quarters"), CHANGES)
def test_a_cap_a_day_counts_the_days_of_the_place(zone: str, day: tuple[int, int, int], quarters: int) -> None:
    """T6: at any quarter of that day the cap is that of its date, in the repeated hour too, and midnight ends it."""
    begin, end = bounds(zone, day)
    contact = Contact("c", quiet=None)
    first = datetime.fromtimestamp(begin / 1000, ZoneInfo(zone))
    # By another channel, for what comes soon after one of the same channel joins it.
    story = Story(interruptions=tuple(("d", first + timedelta(minutes=n)) for n in range(CAP_DAY)))
    spoken = []
    for moment in range(begin, end + 4 * QUARTER, QUARTER):
        event = AlertEvent(
            id="0" * 16, seq=1, rule="r", meter="m", state="raised", severity="warning", raised=moment, at=moment
        )
        (planned,) = route(event, [contact], story, datetime.fromtimestamp(moment / 1000, ZoneInfo(zone)))
        spoken.append(planned.channel)
    assert spoken == [DIGEST] * quarters + ["c"] * 4


@pytest.fixture
def zone_of_the_program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a callable that changes the zone of this very program while it runs."""

    def change(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield change
    monkeypatch.undo()
    time.tzset()


def test_a_zone_changed_at_run_time_changes_no_stored_time(zone_of_the_program: Any) -> None:
    """T7: UTC comes from the system's seconds alone, whatever the zone is called, and zone data are only for people."""
    gate = Gate(1_795_219_200_000)
    times = []
    for zone in ("UTC", "Asia/Riyadh", "Australia/Lord_Howe", "America/New_York", "Nowhere/None"):
        zone_of_the_program(zone)
        assert abs(wall_ms() - datetime.now(UTC).timestamp() * 1000) < 1000
        times.append(gate.read(1))
        times.append(gate.read(1, captured=parse_timestamp("261121120000W")))
        gate.passes(10_000)
        gate.read(2)
        gate.passes(QUARTER)
    stamps = [ts for ts, _ in gate.rows if ts is not None and ts != parse_timestamp("261121120000W")]
    assert stamps == sorted(stamps)
    assert max(b - a for a, b in pairwise(stamps)) == QUARTER


@pytest.mark.parametrize("pace", [100, 1000, 10_000])
def test_a_second_that_comes_twice_keeps_the_order(pace: int) -> None:
    """T8: 23:59:59 twice on the wall clock: every reading has a time of its own, none before the one before it."""
    midnight = 1_798_761_600_000
    gate = Gate(midnight - 10_000)
    times: list[int] = []
    leapt = False
    for n in range(300):
        if gate.wall >= midnight and not leapt:
            leapt = True
            gate.wall -= 1000
        times.append(gate.read(n))
        assert abs(times[-1] - gate.wall) <= 1000
        gate.passes(pace)
    assert leapt
    assert len(set(times)) == len(times)
    assert times == sorted(times)


@pytest.mark.parametrize("stamp", ["261231235960W", "261231235959W", "000101000000W", "700101000000W", "999999999999S"])
def test_a_telegram_is_taken_whatever_its_clock_says(stamp: str) -> None:
    """T8, T10: a sixtieth second and an unset clock cost no telegram, and none of its values."""
    (telegram,) = Decoder().feed(encode("XYZ5A", [f"0-0:1.0.0({stamp})", "1-0:1.8.1(000004.426*kWh)"]))
    assert isinstance(telegram, Telegram)
    said = read_telegram(load_file(available()["dsmr-p1"]).layout, telegram)
    assert [float(value) for value in said.values.values()] == [4426]
    shown = parse_timestamp(stamp)
    assert shown is None or abs(shown - 1_798_757_999_000) <= 1000


digits = strategies.integers(0, 999_999_999_999).map(lambda number: f"{number:012d}")
real = strategies.datetimes(datetime(2007, 1, 1), datetime(2069, 12, 31))  # noqa: DTZ001  these times are local


@given(digits | real.map(lambda moment: f"{moment:%y%m%d%H%M%S}"), strategies.sampled_from(["", "S", "W", "X"]))
@example("280229120000", "W")
@example("270229120000", "W")
@example("380119031408", "W")
@example("000101000001", "W")
def test_a_p1_time_is_what_it_says_or_nothing(text: str, letter: str) -> None:
    """T9: a date that is read is written the same, 29 February and 2038 among them; any other is no date at all."""
    moment = parse_time(text + letter)
    if moment is None:
        return
    assert (f"{moment:%y%m%d%H%M%S}" == text) or text.endswith("60")
    assert 2007 <= moment.year < 2070
    utc = parse_timestamp(text + letter)
    assert (utc is None) == (letter == "")
    if utc is not None:
        assert datetime.fromtimestamp(utc / 1000, UTC) + timedelta(hours=1 + (letter == "S")) == moment.replace(
            tzinfo=UTC
        )


def test_days_of_note_are_read() -> None:
    """T9: the leap day, the end of 32-bit seconds, the first and last years of the window."""
    assert parse_timestamp("280229120000W") == 1_835_434_800_000
    assert parse_timestamp("380119041408W") == 2_147_483_648_000
    assert parse_timestamp("270229120000W") is None
    assert parse_timestamp("070101000000W") is not None
    assert parse_timestamp("061231235959W") is None


@given(strategies.binary(min_size=2, max_size=2))
def test_a_date_on_the_m_bus_is_what_it_says_or_nothing(data: bytes) -> None:
    """T9: two bytes that are read are the day, month and two-digit year that they hold."""
    day, month = data[0] & 31, data[1] & 15
    year = data[0] >> 5 | (data[1] >> 4) << 3
    found = date_g(data)
    if found is None:  # years above 99 say "every year", or nothing
        assert year > 99 or not any(_is_date(century + year, month, day) for century in (1900, 2000))
    else:
        assert (found.year % 100, found.month, found.day) == (year % 100, month, day)
        assert 1981 <= found.year <= 2080


@given(strategies.binary(min_size=4, max_size=4))
def test_a_time_on_the_m_bus_is_what_it_says_or_nothing(data: bytes) -> None:
    """T9: four bytes marked as invalid, or beyond a clock, are no time."""
    found = time_f(data)
    if found is not None:
        assert not data[0] & 128
        assert (found.minute, found.hour, found.day, found.month) == (
            data[0] & 63, data[1] & 31, data[2] & 31, data[3] & 15,
        )  # fmt: skip


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        return bool(date(year, month, day))
    except ValueError:
        return False


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file to write a series to, over and over."""
    return tmp_path_factory.mktemp("times") / "series.csv"


@given(text=strategies.text("0123456789-:TZ+. ", max_size=25))
@example(text="2016-12-31T23:59:60Z")
@example(text="2027-02-29T00:00:00")
@example(text="0001-01-01T00:00:00+23:59")
@example(text="9999-12-31T23:59:59-23:59")
def test_a_time_in_a_file_is_read_or_its_line_named(series: Path, text: str) -> None:
    """T8, T9: whatever stands there, a replay begins with UTC or ends with the line that is wrong."""
    series.write_text(f"time,meter,quantity,value\n{text},m,power,1\n", encoding="utf-8")
    try:
        (row,) = load_rows(series, "Europe/Berlin")
    except ReplayError as error:
        assert error.line == 2  # noqa: PT017  both ends are right, each in its way
    else:
        assert datetime.fromtimestamp(row.ts / 1000, UTC).year == pytest.approx(int(text[:4]), abs=1)


@pytest.mark.parametrize(("zone", "day", "quarters"), CHANGES)
def test_local_times_of_a_file_name_each_quarter_once(
    series: Path, zone: str, day: tuple[int, int, int], quarters: int
) -> None:
    """T6: in a file of local times the hour that comes twice is two hours, for each meter and quantity."""
    begin, end = bounds(zone, day)
    lines = ["time,meter,quantity,value"]
    for moment in range(begin, end, QUARTER):
        local = datetime.fromtimestamp(moment / 1000, ZoneInfo(zone)).replace(tzinfo=None)
        lines += [f"{local:%Y-%m-%dT%H:%M:%S},{meter},{key},1" for meter in "ab" for key in (KEY, "power_w")]
    series.write_text("\n".join(lines), encoding="utf-8")
    rows = load_rows(series, zone)
    assert len(rows) == 4 * quarters
    assert sorted({row.ts for row in rows}) == list(range(begin, end, QUARTER))
