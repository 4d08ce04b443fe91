"""Rules at the hub: days become events beside those of gateways, once each, whatever is heard again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gateway.alerts.calendar import Calendar
from gateway.alerts.event import AlertEvent
from gateway.alerts.settings import MeterSettings
from gateway.check.sheet import Sheet, Track
from gateway.check.slots import Slot
from gateway.config.alerts import AlertsTable
from gateway.hubdb import EnrolledMeter, HubDatabase
from gateway.message import MeterInfo
from gateway.notify.costs import bill_in
from gateway.tariff.model import Plan
from gateway.watch import Watch, learn_anew
from tests.support.money import tariff

DAY_MS = 86_400_000
START = 1_795_219_200_000 // DAY_MS * DAY_MS
METER = EnrolledMeter(
    "gw-1_main",
    "gw-1",
    "electricity",
    MeterInfo(id="gw-1_main", name="main", commodity="electricity", model="?", every=900, quantities={}),
)


def sheet(day: int, watts: float, grade: str = "actual") -> Sheet:
    """Make a day on which so much runs day and night."""
    edges = range(START + day * DAY_MS, START + (day + 1) * DAY_MS + 1, 900_000)
    slots = tuple(Slot(a, b, watts / 4, grade) for a, b in pairwise(edges))  # type: ignore[arg-type]
    tracks = {"energy_import_wh": Track(slots)}
    return Sheet("gw-1_main", edges[0], edges[-1], tracks, {"energy_import_wh": 24 * watts})


def half(day: int) -> Sheet:
    """Make a day of which every second slot was measured."""
    whole = sheet(day, 100.0)
    slots = [
        slot if n % 2 else slot._replace(grade="unknown", amount=None)
        for n, slot in enumerate(whole.tracks["energy_import_wh"].slots)
    ]
    return replace(whole, tracks={"energy_import_wh": Track(tuple(slots))})


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[HubDatabase]:
    """Give a hub database."""
    made = HubDatabase(tmp_path / "hub.sqlite")
    await made.open()
    yield made
    await made.close()


async def hear(database: HubDatabase, sheets: list[Sheet]) -> list[AlertEvent]:
    """Let a new watch hear sheets; a hub that was started again is no different."""
    watch, told = Watch(database.file, AlertsTable(), Calendar()), []
    watch.listeners.append(lambda _, event: told.append(event))
    for one in sheets:
        assert await watch.hear("home", METER, one) is None
    return told


async def test_a_base_load_that_grows_is_told_and_over(database: HubDatabase) -> None:
    """Five weeks at 200 W, three weeks at 500 W, then 200 W again."""
    watts = [200.0] * 36 + [500.0] * 14 + [200.0] * 10
    told = await hear(database, [sheet(day, level) for day, level in enumerate(watts)])
    assert [(event.rule, event.state, event.severity) for event in told] == [
        ("baseload_increase", "raised", "info"),
        ("baseload_increase", "cleared", "info"),
    ]
    stored = await database.events()
    assert [(row.gw, row.body["key"]) for row in stored] == [("gw-1", event.key) for event in told]


async def test_whoever_moves_in_has_a_usual_of_their_own(database: HubDatabase) -> None:
    """What the former customer's weeks taught is forgotten for this tenant, and for no other."""
    days = [sheet(day, level) for day, level in enumerate([200.0] * 36 + [500.0] * 14)]
    assert not await hear(database, days[:36])
    await database.file.write(lambda c: learn_anew(c, "other"))
    before = await Watch(database.file, AlertsTable(), Calendar()).remembered("home", METER.meter)
    assert "baseload_increase" in before["rules"]
    await database.file.write(lambda c: learn_anew(c, "home"))
    assert not await hear(database, days[36:])


async def test_an_alert_that_is_open_while_somebody_moves_in_ends_as_any(database: HubDatabase) -> None:
    """It was told, so its end is told."""
    watts = [200.0] * 36 + [500.0] * 14 + [200.0] * 10
    days = [sheet(day, level) for day, level in enumerate(watts)]
    assert [event.state for event in await hear(database, days[:50])] == ["raised"]
    await database.file.write(lambda c: learn_anew(c, "home"))
    assert [event.state for event in await hear(database, days[50:])] == ["cleared"]


async def test_days_heard_again_say_nothing_new(database: HubDatabase) -> None:
    """A later version of a day, and a hub started anew after each day, change nothing."""
    watts = [200.0] * 36 + [500.0] * 14
    days = [sheet(day, level) for day, level in enumerate(watts)]
    told = []
    for n, one in enumerate(days):
        told += await hear(database, [one, *days[max(0, n - 3) : n], one])
    assert [event.state for event in told] == ["raised"]
    assert len(await database.events()) == 1


async def test_estimates_are_no_use(database: HubDatabase) -> None:
    """What nobody measured raises nothing."""
    watts = [200.0] * 36 + [500.0] * 14
    assert not await hear(database, [sheet(day, level, "estimated") for day, level in enumerate(watts)])


async def test_bills_are_judged_and_remembered(database: HubDatabase) -> None:
    """A budget that runs out is told once, whatever the hub does in between; its bill can be asked for."""
    plan = Plan(tariff())

    def watch() -> Watch:
        about = MeterSettings(bill_limit=15.0)
        return Watch(database.file, AlertsTable(), Calendar(), lambda *_: about, lambda *_: plan)

    assert await watch().remembered("home", METER.meter) == {}
    days = [sheet(day, 1000.0) for day in range(8)]
    for one in days:
        assert await watch().hear("home", METER, one) is None
        assert await watch().hear("home", METER, one) is None
    stored = [row.body for row in await database.events()]
    assert [(row["rule"], row["state"], row["value"]) for row in stored] == [
        ("budget", "raised", 14.4), ("budget", "updated", 16.8)
    ]  # fmt: skip
    made = bill_in(plan, await watch().remembered("home", METER.meter))
    assert made is not None
    assert made.until == days[-1].end


async def test_days_not_in_order_are_told_unless_the_gateway_was_away(database: HubDatabase) -> None:
    """An incomplete day is told once and ends with a whole one; readings that are still to come are not missed."""
    days = [sheet(0, 100.0), sheet(1, 100.0), sheet(2, 100.0, "unknown"), sheet(3, 100.0), sheet(4, 100.0)]
    half = [slot if n % 2 else slot._replace(grade="unknown", amount=None) for n, slot in enumerate(
        days[1].tracks["energy_import_wh"].slots)]  # fmt: skip
    days[1] = replace(days[1], tracks={"energy_import_wh": Track(tuple(half))})
    told = await hear(database, days)
    assert [(event.rule, event.state, event.value, event.at) for event in told] == [
        ("data_quality", "raised", 50.0, days[1].end), ("data_quality", "cleared", 50.0, days[3].end)
    ]  # fmt: skip

    asked = []

    def absent(*question: object) -> bool:
        asked.append(question)
        return True

    watch = Watch(database.file, AlertsTable(), Calendar(), absent=absent)
    late = replace(days[1], start=days[4].end, end=days[4].end + DAY_MS)
    assert await watch.hear("home", METER, late) is None
    assert asked == [("home", "gw-1", late.start, late.end)]
    assert len(await database.events()) == 2


async def test_rules_work_outside_of_the_transaction(database: HubDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for them; a day that another hub heard meanwhile is heard on top of what that one wrote, once."""
    days = [sheet(0, 100.0), half(1)]
    other = Watch(database.file, AlertsTable(), Calendar())
    thread = asyncio.to_thread
    inside: list[bool] = []

    async def slowly(work: Callable[..., Any], *given: Any) -> Any:
        judged = await thread(work, *given)
        inside.append(await database.file.read(lambda c: c.in_transaction))
        if len(inside) == 1:
            for one in days:
                assert await other.hear("home", METER, one) is None
        return judged

    monkeypatch.setattr("gateway.watch.asyncio.to_thread", slowly)
    assert await hear(database, days) == []
    assert inside == [False] * 3
    assert len(await database.events()) == 1


async def test_what_an_older_version_remembered_ends_nothing(
    database: HubDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """A state that cannot be read any more is begun anew, and the log says so."""
    await hear(database, [sheet(0, 100.0)])
    for body in (
        b"no JSON",
        b"{}",
        b'{"v":99,"last":1,"rules":{}}',
        b'{"last":1,"rules":{"baseload_increase":[[1,2],[1]]}}',
    ):
        await database.file.write(lambda c, body=body: c.execute("UPDATE watched SET state = ?", (body,)).rowcount)  # type: ignore[misc]
        number = len(caplog.records) + 1
        assert await hear(database, [sheet(number, 100.0)]) == []
        assert len(caplog.records) == number
        assert (await Watch(database.file, AlertsTable(), Calendar()).remembered("home", METER.meter))["rules"]
