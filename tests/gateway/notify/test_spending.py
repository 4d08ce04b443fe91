"""What a digest says of money: the week's cost to the halala, the likely bill, or not a word."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from gateway.alerts.engine import Engine
from gateway.alerts.rules.bill_projection import BillProjection
from gateway.alerts.settings import MeterSettings
from gateway.check.ledger import Ledger
from gateway.check.sheet import Sheet, Track
from gateway.check.slots import Slot, edges_of
from gateway.hubdb import HubDatabase
from gateway.message import MeterInfo
from gateway.notify.costs import Costs
from gateway.notify.digest import Digest
from gateway.notify.digest_words import words_of
from gateway.notify.digests import Digests
from gateway.notify.outbox import Outbox
from gateway.notify.planning import Customer
from gateway.notify.router import Contact
from gateway.notify.spending import Spending, cost_of_days
from gateway.tariff.model import Plan, Rate
from tests.support.money import CALENDAR, METER, NAME, hours, ms, plan

KEY = "energy_import_wh"
ZONE = ZoneInfo("UTC")
DAY = 86_400_000
JANUARY = ms("2026-01-01")
TIERS = plan(tiers=(100,), rates=(Rate(NAME, (Decimal("0.10"), Decimal("0.20"))),))
"""Ten halalas up to 100 kWh a month, twenty beyond."""


def sheet(day: int, wh: float | None = 10_000.0, *, known: int = 96, total: float | None = None) -> Sheet:
    """Make a day that counts evenly; of its 96 quarters the first `known` are known."""
    edges = edges_of(day, ZONE)
    slots = [
        Slot(a, b, None if wh is None or n >= known else wh / 96, "actual" if wh is not None else "unknown")
        for n, (a, b) in enumerate(pairwise(edges))
    ]
    totals = {KEY: wh if total is None else total}
    return Sheet(METER, day, edges[-1], {KEY: Track(tuple(slots))}, totals)


def days(count: int, since: int = JANUARY) -> list[Sheet]:
    """Make days of 10 kWh."""
    return [sheet(since + n * DAY) for n in range(count)]


def test_a_week_is_priced_in_the_tiers_it_lay_in() -> None:
    """Days 8 to 14 of 10 kWh: 30 kWh below the hundredth, 40 beyond."""
    assert halalas(cost_of_days(TIERS, days(14), KEY, JANUARY + 7 * DAY)) == Decimal("11.00")
    assert halalas(cost_of_days(TIERS, days(7), KEY, JANUARY)) == Decimal("7.00")


def test_a_new_period_begins_in_the_first_tier_within_the_week() -> None:
    """Four days of January at twenty halalas, three of February at ten."""
    since = ms("2026-01-28")
    assert halalas(cost_of_days(TIERS, days(34), KEY, since)) == Decimal("11.00")


def test_what_is_not_sure_is_not_told() -> None:
    """Slots that do not add up, a period that is half unknown where tiers matter, a tariff that ended, nothing used."""
    since = JANUARY + 7 * DAY
    gap = [*days(13), sheet(JANUARY + 13 * DAY, known=40)]
    assert cost_of_days(TIERS, gap, KEY, since) is None
    assert cost_of_days(TIERS, days(10, JANUARY + 4 * DAY), KEY, since) is None
    assert cost_of_days(plan(until=date(2026, 1, 10)), days(14), KEY, since) is None
    assert cost_of_days(TIERS, [sheet(day.start, 0.0) for day in days(14)], KEY, since) is None
    assert cost_of_days(TIERS, [], KEY, since) is None


def test_one_price_needs_no_period() -> None:
    """A home that was connected within the month is told what its week cost."""
    assert halalas(cost_of_days(plan(), days(10, JANUARY + 4 * DAY), KEY, JANUARY + 7 * DAY)) == Decimal("7.00")


def halalas(cost: Decimal | None) -> Decimal | None:
    """Round as a bill does: a quarter of an hour's share of a day is no whole number."""
    return None if cost is None else cost.quantize(Decimal("0.01"))


def remembered(by: Plan, count: int) -> Mapping[str, Any]:
    """Give what the hub's rule knows after so many days of 10 kWh."""
    engine = Engine({METER: [BillProjection(by, CALENDAR)]}, CALENDAR)
    for interval in hours("2026-01-01", [10_000.0] * count):
        engine.hear(METER, interval.end, 0, {}, [interval])
    found: Mapping[str, Any] = orjson.loads(orjson.dumps(engine.snapshot(METER)))
    return found


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[HubDatabase]:
    """Give a hub with the first 25 days of January of one meter."""
    database = HubDatabase(tmp_path / "hub.sqlite")
    await database.open()
    await database.enrol("home", "gw", [
        MeterInfo(id=METER, name="House", commodity="electricity", model="m", every=900, quantities={})
    ])  # fmt: skip
    ledger = Ledger(database.file)
    await ledger.open()
    for one in days(25):
        await ledger.keep("home", one)
    yield database
    await database.close()


def costs(by: Plan | None, known: Mapping[str, Any]) -> Costs:
    """Make prices of one plan."""

    async def asked(tenant: str, meter: str) -> Mapping[str, Any]:
        assert (tenant, meter) == ("home", METER)
        return known

    plans = {"electricity": by}
    return Costs(asked, lambda name, _: plans.get(name), lambda *_: MeterSettings(), calendar=CALENDAR)


async def test_the_likely_bill_is_that_of_the_hubs_rules(hub: HubDatabase) -> None:
    """310 kWh in January: 100 at ten halalas and 210 at twenty, with a range around it."""
    known = costs(TIERS, remembered(TIERS, 25))
    spent = await Spending(known, Ledger(hub.file), "home", ZONE).of(METER, KEY, ms("2026-01-19"), ms("2026-01-26"))
    assert spent is not None
    assert (spent.currency, halalas(spent.cost), spent.likely) == ("SAR", Decimal("14.00"), Decimal("52.00"))
    assert spent.low is not None
    assert spent.high is not None
    assert Decimal(40) < spent.low < Decimal(52) < spent.high


async def test_no_bill_is_made_up(hub: HubDatabase) -> None:
    """Before the rules have learnt, of a period that is over, of a register that no tariff prices, without a tariff."""
    since, until = ms("2026-01-19"), ms("2026-01-26")

    async def likely(made: Costs, key: str = KEY) -> Any:
        spent = await Spending(made, Ledger(hub.file), "home", ZONE).of(METER, key, since, until)
        return spent and (halalas(spent.cost), spent.likely)

    assert await likely(costs(TIERS, {})) == (Decimal("14.00"), None)
    assert await likely(costs(TIERS, remembered(TIERS, 10))) == (Decimal("14.00"), None)
    assert await likely(costs(TIERS, remembered(TIERS, 40))) == (Decimal("14.00"), None)
    assert await likely(costs(TIERS, remembered(TIERS, 25)), "cooling_energy_wh") is None
    assert await likely(costs(None, remembered(TIERS, 25))) is None


async def written(hub: HubDatabase, made: Costs | None) -> Digest:
    """Write the digest of a Monday's morning; Monday is the first day of the week in UTC."""
    now = datetime(2026, 1, 26, 9, tzinfo=UTC) + timedelta(minutes=1)
    digests = Digests(hub.file, {"home": Customer("home", ZONE, (Contact("phone"),))}, now.timestamp)
    digests.costs = made
    await digests.look()
    (waiting,) = await Outbox(hub.file, {}).due("phone", round(now.timestamp() * 1000), 9)
    assert waiting.digest is not None
    return Digest.from_dict(waiting.digest)


async def test_the_digest_says_what_the_week_cost_in_both_languages(hub: HubDatabase) -> None:
    """And the bill that is coming; its numbers are set apart."""
    digest = await written(hub, costs(TIERS, remembered(TIERS, 25)))
    now = datetime(2026, 1, 26, 9, tzinfo=ZONE)
    english, arabic = (words_of(digest, language, now, "https://nabd.example/").text for language in ("en", "ar"))
    shown = english.replace("\N{FIRST STRONG ISOLATE}", "").replace("\N{POP DIRECTIONAL ISOLATE}", "")
    assert "That cost about SAR 14." in shown
    assert "The bill of this period will probably be about SAR 52, between SAR " in shown
    assert "\N{FIRST STRONG ISOLATE}52\N{POP DIRECTIONAL ISOLATE} ر.س" in arabic
    assert "SAR" not in arabic


async def test_without_a_tariff_the_digest_has_no_word_of_money(hub: HubDatabase) -> None:
    """Units only, as ever."""
    digest = await written(hub, None)
    assert digest.uses == tuple(replace(use, cost="", currency="", likely="", low="", high="") for use in digest.uses)
    assert "SAR" not in words_of(digest, "en", datetime(2026, 1, 26, 9, tzinfo=ZONE), "").text
