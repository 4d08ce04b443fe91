"""Money for the pages: yesterday's bill, today's hours, the projection; to the halala, or not at all."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from gateway.alerts.calendar import HOUR_MS
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent, alert_id
from gateway.alerts.rules.bill_projection import BillProjection
from gateway.alerts.rules.billing import followed
from gateway.alerts.settings import MeterSettings
from gateway.alerts.usual import Usual
from gateway.live import LiveBook, LiveMeter
from gateway.notify.costs import Priced
from gateway.outlook import Outlook, Outlooks, spend
from gateway.tariff.model import Plan, Rate
from gateway.tariff.projection import Week
from gateway.tariff.state import begin
from gateway.today import Day, Use
from tests.support.money import CALENDAR, METER, NAME, hours, ms, plan

JANUARY = "2026-01-01"
KEY = "energy_import_wh"


def snapshot(plan: Plan, days: int) -> Mapping[str, Any]:
    """Let the hub's rule hear days at 10 kWh; give what stands in the database then."""
    engine = Engine({METER: [BillProjection(plan, CALENDAR)]}, CALENDAR)
    for interval in hours(JANUARY, [10_000.0] * days):
        engine.hear(METER, interval.end, 0, {}, [interval])
    found: Mapping[str, Any] = orjson.loads(orjson.dumps(engine.snapshot(METER)))
    return found


def today(start: str, *amounts: float | None) -> Day:
    """Make a day of which these hours are known."""
    begun = ms(start)
    row = (*amounts, *[None] * (24 - len(amounts)))
    edges = tuple(a for a, _ in pairwise(range(begun, begun + 25 * HOUR_MS, HOUR_MS)))
    return Day(edges, begun, {KEY: Use(sum(a or 0 for a in amounts), row)}, ZoneInfo("UTC"))


async def outlook(plan: Plan | None, remembered: Mapping[str, Any], day: Day | None) -> Outlook | None:
    """Look once."""
    book = LiveBook()
    book.know(LiveMeter(METER, "main", "electricity", "model", 10.0))

    async def asked(tenant: str, meter: str) -> Mapping[str, Any]:
        assert (tenant, meter) == ("home", METER)
        return remembered

    outlooks = Outlooks(
        book, lambda _: day, asked, lambda *_: plan, lambda *_: MeterSettings(), CALENDAR, "home"
    )  # fmt: skip
    await outlooks.look()
    return outlooks.of(book.meters()[0])


async def test_today_is_added_to_yesterdays_bill() -> None:
    """Nine days at 1 SAR, and 2.5 kWh this morning."""
    made = await outlook(plan(), snapshot(plan(), 9), today("2026-01-10", 1_000.0, None, 1_500.0))
    assert made == Outlook("SAR", Decimal("0.25"), Decimal("9.25"), since=ms(JANUARY))


async def test_once_learnt_the_period_has_a_projection() -> None:
    """Thirty-one days at 1 SAR, with a range around it."""
    made = await outlook(plan(), snapshot(plan(), 20), None)
    assert made is not None
    assert (made.today, made.so_far, made.likely) == (None, Decimal("20.00"), Decimal("31.00"))
    assert made.low is not None
    assert made.high is not None
    assert Decimal(20) < made.low < Decimal(31) < made.high


async def test_a_new_period_begins_at_nothing() -> None:
    """On the first of February the projection of January is no more."""
    made = await outlook(plan(), snapshot(plan(), 31), today("2026-02-01", 1_000.0))
    assert made == Outlook("SAR", Decimal("0.10"), Decimal("0.10"), since=ms("2026-02-01"))


@pytest.mark.parametrize(
    ("by", "remembered"),
    [
        (None, snapshot(plan(), 9)),
        (plan(), {}),
        (plan(until=date(2026, 1, 5)), snapshot(plan(), 9)),
        (plan(tiers=(300,), rates=(Rate(NAME, (Decimal(1), Decimal(2))),)), snapshot(plan(), 9)),
    ],
    ids=["no tariff", "nothing known", "out of date", "another tariff"],
)
async def test_what_is_not_sure_is_not_shown(by: Plan | None, remembered: Mapping[str, Any]) -> None:
    """A wrong number is worse than none."""
    assert await outlook(by, remembered, None) is None


def test_today_goes_over_tiers_and_hours() -> None:
    """One kWh is left in the first tier at 0.10, and the evening costs 0.40 and 0.80."""
    evening = Rate(NAME, (Decimal("0.40"), Decimal("0.80")), hours=((68, 80),))
    both = plan(rates=(evening, Rate(NAME, (Decimal("0.10"), Decimal("0.20")))), tiers=(1,))
    row = [0.0] * 17 + [2_000.0]
    cost, state = spend(both, begin(both, ms(JANUARY)), today(JANUARY, *row))
    assert cost == Decimal("1.20")  # 1 kWh at 0.40, 1 kWh at 0.80
    assert state.total == 2_000


def test_a_snapshot_gives_back_what_was_remembered() -> None:
    """Lists become what the rule holds."""
    row = snapshot(plan(), 3)["rules"][BillProjection.name][0][0]
    known = followed(row)
    assert [type(part) for part in known] == [tuple, Usual, Week, int, int]
    assert orjson.loads(orjson.dumps(plain_lists(known))) == row


def plain_lists(part: Any) -> Any:
    """Make lists of tuples, as a snapshot does."""
    return [plain_lists(item) for item in part] if isinstance(part, tuple) else part


async def test_alerts_are_priced_by_the_bill_of_the_last_look() -> None:
    """In the tier that is reached by now; not at all before the first look, where tiers matter."""
    tiers = plan(tiers=(50,), rates=(Rate(NAME, (Decimal(1), Decimal(2))),))
    book = LiveBook()
    book.know(LiveMeter(METER, "main", "electricity", "model", 10.0))

    async def asked(_tenant: str, _meter: str) -> Mapping[str, Any]:
        return snapshot(tiers, 9)  # 90 kWh

    high = AlertEvent(
        id=alert_id("high_usage", METER, 1), seq=1, rule="high_usage", meter=METER, state="raised", severity="info",
        raised=1, at=ms("2026-01-10T12:00"), quantity="energy_import_wh", evidence={"above_wh": 5_000.0},
    )  # fmt: skip
    outlooks = Outlooks(book, lambda _: None, asked, lambda *_: tiers, lambda *_: MeterSettings(), CALENDAR, "home")
    assert outlooks.price("home", high) is None
    await outlooks.look()
    assert outlooks.price("home", high) == Priced("SAR", Decimal(10), "more")
    assert outlooks.price("neighbour", high) is None
