"""Hours and days for the rules about money: a plan of round numbers, and an engine that hears what is used."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import orjson

from gateway.alerts.calendar import HOUR_MS, Calendar
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent
from gateway.alerts.rule import Rule
from gateway.check import Interval
from gateway.tariff.model import Fee, Monthly, Plan, Rate, Rounding, Tariff, Tax, Words

METER = "gw-1_main"
CALENDAR = Calendar("UTC", ramadan=False)
DAY_MS = 24 * HOUR_MS
NAME = Words("Energy", "طاقة")
ALWAYS = Rate(NAME, (Decimal("0.10"),))


def tariff(
    name: str = "round",
    *,
    rates: tuple[Rate, ...] = (ALWAYS,),
    tiers: tuple[int, ...] = (),
    fee: str = "0",
    vat: str = "0",
    until: date = date(2099, 12, 31),
    zone: str = "UTC",
) -> Tariff:
    """Make a tariff of electricity, a bill a month; a kWh costs ten halalas unless said otherwise."""
    return Tariff(
        name, Words(name, name), "electricity", "SAR", "kWh", zone, "made up", date(2020, 1, 1), until, Monthly(1),
        tuple(map(Decimal, tiers)), rates, Rounding(Decimal("0.01"), "line"), (Fee(NAME, Decimal(fee)),),
        (Tax(NAME, Decimal(vat)),),
    )  # fmt: skip


def plan(**about: object) -> Plan:
    """Make a plan of such a tariff."""
    return Plan(tariff(**about))  # type: ignore[arg-type]


def ms(text: str) -> int:
    """Give a moment in UTC ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def hours(since: str, days: Iterable[float], key: str = "energy_import_wh") -> Iterator[Interval]:
    """Use so many Wh a day, each evenly over its hours; a negative day is unknown."""
    for n, amount in enumerate(days):
        start = ms(since) + n * DAY_MS
        for at in range(start, start + DAY_MS, HOUR_MS) if amount >= 0 else ():
            yield Interval(METER, key, at, at + HOUR_MS, amount / 24, "good")


def told(rule: Rule, intervals: Iterable[Interval], *, restarting: bool = False) -> list[AlertEvent]:
    """Let a rule hear intervals; `restarting` writes all that is remembered down after each day, and reads it again."""
    engine, events = Engine({METER: [rule]}, CALENDAR), list[AlertEvent]()
    for interval in intervals:
        events += engine.hear(METER, interval.end, 0, {}, [interval])
        if restarting and interval.end % DAY_MS == 0:
            snapshot = orjson.loads(orjson.dumps(engine.snapshot(METER)))
            engine = Engine({METER: [rule]}, CALENDAR)
            assert engine.restore(METER, snapshot) == []
            assert len(orjson.dumps(snapshot["rules"])) < 2048
    return events


def story(events: Iterable[AlertEvent]) -> list[tuple[str, str, str]]:
    """Tell of each event its day, state and severity."""
    return [(f"{datetime.fromtimestamp(event.at / 1000, UTC):%m-%d}", event.state, event.severity) for event in events]
