"""Bills: how far off the projection of a month is on its days 5, 10, 15 and 20, beside what run-rate alone would say.

1. Homes in California, France and Britain, each a series of real hours (NABD_SERIES).
2. Each home's hours go one by one through what the hub remembers: the usual hour, the last week, the bill. After 14
   days of learning, each month is projected on the four days, and compared with what it came to.
3. Months with less than 95 % of their hours known are left out: what they came to is not known either.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from statistics import mean
from time import process_time

from benchmarks.rig import Figure
from gateway.alerts.calendar import Calendar
from gateway.alerts.usual import Usual, expected, learnt
from gateway.tariff import BillState, Plan, add, begin, load
from gateway.tariff.model import Monthly, Rate, Words
from gateway.tariff.projection import HOUR_MS, Projection, Week, lived, project

FOLDER = Path(os.environ.get("NABD_SERIES", Path(__file__).parents[2] / "shared" / "series"))
TARGETS = {5: 16.0, 10: 12.0, 15: 11.0, 20: 7.0}
DAY_MS = 24 * HOUR_MS
LEARNING_MS = 14 * DAY_MS
KNOWN = 0.95
PRICE = Words("Electricity", "كهرباء")

Hour = tuple[int, float]


def full() -> list[Figure]:
    """Project every month of every home; time one quarter-hour."""
    if not FOLDER.is_dir():
        print(f"  no series of homes: set NABD_SERIES to their folder, {FOLDER} is none")
        return [cost()]
    ours: dict[int, list[float]] = defaultdict(list)
    plain: dict[int, list[float]] = defaultdict(list)
    found = homes()
    print(f"  {len(found)} homes: {', '.join(found)}")
    for hours in found.values():
        for day, error, rate_error in Home().live(hours):
            ours[day].append(error)
            plain[day].append(rate_error)
    return [*(_figure(day, ours[day], plain[day]) for day in TARGETS), cost()]


def _figure(day: int, ours: list[float], plain: list[float]) -> Figure:
    error, rate = 100 * mean(ours), 100 * mean(plain)
    ninth = 100 * sorted(ours)[int(len(ours) * 0.9)]
    said = f"{error:.1f} % (run-rate {rate:.1f} %; one in ten above {ninth:.0f} %; {len(ours)} months)"
    return Figure(f"bill projected on day {day}, mean error", said, f"<= {TARGETS[day]:.0f} %", error <= TARGETS[day])


def homes() -> dict[str, list[Hour]]:
    """Read every home's hours: UTC ms and Wh; what is local in a file stays so, for habits follow the clock."""
    found: dict[str, list[Hour]] = defaultdict(list)
    for row in _rows("elec_ca_homes_hourly.csv"):
        for name in (name for name in row if name.endswith("_load") and row[name]):
            found[f"ca-{name[:3]}"].append((_ms(row["ts"]), 1000 * float(row[name])))
    for row in _rows("elec_fr_home_hourly_2007-2008.csv"):
        if int(row["n_min"]) == 60:
            found["fr"].append((_ms(row["ts"]), 1000 * float(row["kwh"])))
    for row in _rows("elecgas_uk_home_hourly_2020-2021.csv"):
        if row["elec_kwh"]:
            found["gb"].append((_ms(row["ts"]), 1000 * float(row["elec_kwh"])))
    return found


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC).timestamp() * 1000)


def plan(*, by_the_hour: bool = False) -> Plan:
    """Make a tariff of one price, so that money is use, or take the shipped one by the hour."""
    tariff = load("time_of_use_electricity")
    if by_the_hour:
        return Plan(tariff)
    price = Rate(PRICE, (Decimal(1),))
    whole = replace(tariff, zone="UTC", billing=Monthly(1), rates=(price,), fees=(), taxes=(), holidays=())
    return Plan(replace(whole, valid_from=date(2000, 1, 1), valid_until=date(2099, 1, 1)))


@dataclass
class Home:
    """What the hub remembers of one home."""

    plan: Plan = field(default_factory=plan)
    calendar: Calendar = field(default_factory=lambda: Calendar("UTC", ramadan=False))
    usual: Usual = field(default_factory=Usual)
    week: Week = field(default_factory=Week)

    def live(self, hours: list[Hour]) -> Iterator[tuple[int, float, float]]:
        """Take all hours; give day, error of the projection and of run-rate, as shares, once each month is known."""
        state, told = begin(self.plan, hours[0][0]), dict[int, tuple[float, float]]()
        for start, amount in hours:
            state, closed = add(self.plan, state, start, start + HOUR_MS, amount)
            for month in closed:
                yield from _errors(month, told)
                told.clear()
            self._learn(start, amount)
            passed = state.until - state.start
            if passed % DAY_MS == 0 and passed // DAY_MS in TARGETS and start - hours[0][0] >= LEARNING_MS:
                made = project(self.plan, state, self.usual_at, self.week.level)
                assert isinstance(made, Projection), made
                rate = float(state.total) / 1000 / state.covered * (state.end - state.start)
                told[passed // DAY_MS] = float(made.bill.total), rate
        if state.until == state.end:
            yield from _errors(state, told)

    def usual_at(self, start: int) -> float | None:
        """Give what is usual in an hour."""
        return expected(self.usual, self.calendar.place(start).slot)

    def _learn(self, start: int, amount: float) -> None:
        place = self.calendar.place(start)
        self.week = lived(self.week, place.day, amount, self.usual_at(start) or amount)
        self.usual = learnt(self.usual, place.slot, amount)


def _errors(month: BillState, told: dict[int, tuple[float, float]]) -> Iterator[tuple[int, float, float]]:
    truth = float(month.total) / 1000
    if truth > 0 and month.covered >= KNOWN * (month.end - month.start):
        for day, (ours, plain) in told.items():
            yield day, abs(ours - truth) / truth, abs(plain - truth) / truth


def cost(quarters: int = 20_000) -> Figure:
    """Time a quarter-hour through the tariff by the hour, the dearest one to follow."""
    timed = plan(by_the_hour=True)
    state = begin(timed, 1_767_225_600_000)
    first, began = state.start, process_time()
    for n in range(quarters):
        state, _ = add(timed, state, first + n * 900_000, first + (n + 1) * 900_000, 123.4)
    took = (process_time() - began) / quarters * 1e6
    return Figure("a quarter-hour through a tariff by the hour", f"{took:.1f} µs", "<= 20 µs", took <= 20)
