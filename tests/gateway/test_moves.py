"""Somebody moves in: nothing of before is theirs to see, and the former customer is out (S31)."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.hubdb import HubDatabase
from gateway.message import MeterInfo
from gateway.moves import Moves
from gateway.notify.wishes import Wishes
from gateway.outlook import Outlook
from gateway.store.contract import TryAgain
from gateway.web.doorkeeper import Doorkeeper
from gateway.web.serve import Served
from tests.support.two_homes import ANNAS, DAY, METER, NOW, TwoHomes, signed, two_homes

TODAY, TOMORROW = "2026-11-21", "2026-11-22"
SUBSCRIPTION = (
    '{"endpoint":"https://updates.push.services.mozilla.com/wpush/v2/abc","keys":{"p256dh":'
    '"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",'
    '"auth":"BTBZMqHH6r4Tts7J_aSIgg"}}'
)


@pytest.fixture
async def homes(tmp_path: Path) -> AsyncIterator[TwoHomes]:
    """Give a hub's site with two homes."""
    async with two_homes(tmp_path) as made:
        yield made


def keeper(homes: TwoHomes) -> Doorkeeper:
    """Give what answers `nabd web`."""
    return Doorkeeper(lambda: Served("http://nabd.test/", homes.access), homes.desk)


async def move(homes: TwoHomes, day: str, tenant: str = "anna") -> dict[str, object]:
    """Say that somebody moved in, as the command does."""
    return dict(await keeper(homes).answers()["move_in"]({"tenant": tenant, "since": day}))


async def test_a_move_ends_the_former_customers_sessions_and_links(homes: TwoHomes) -> None:
    """Devices and links of one home end, those of others and the operator's do not."""
    async with homes.of("anna") as former, homes.of("bilal") as other, homes.browser() as operator:
        link = await keeper(homes).answers()["link"]({"tenant": "anna"})
        assert await move(homes, TODAY) == {"ended": 1, "channels": [ANNAS[2]]}
        assert (await former.get("/")).status_code == 401
        assert (await former.post(link["link"].removeprefix("http://nabd.test"))).status_code == 403
        assert (await other.get("/")).status_code == 200
        assert (await operator.get("/?home=anna")).status_code == 200


async def test_values_of_before_are_not_shown(homes: TwoHomes) -> None:
    """The meter is there, its last reading is not, until it is read again; the operator sees both."""
    await move(homes, TOMORROW)
    async with homes.of("anna") as newcomer, homes.browser() as operator, homes.of("bilal") as other:
        html = (await newcomer.get("/")).text
        assert ANNAS[0] in html
        assert ANNAS[1] not in html
        assert "No reading yet" in html
        assert ANNAS[1] in (await operator.get("/?home=anna")).text
        assert "No reading yet" not in (await other.get("/")).text
        homes.book.update(METER, NOW + DAY, 0, {"power_w": 1110.0}, "anna")
        assert ANNAS[1] in (await newcomer.get("/")).text


async def test_a_day_of_before_is_not_shown(homes: TwoHomes) -> None:
    """What was counted today is shown from the first whole day on."""
    for energy in (5_000_000.0, 5_003_000.0):
        homes.book.update(METER, NOW - 10_000 + int(energy) % 5_000_000, 0, {"energy_import_wh": energy}, "anna")
        await homes.today.look()
    async with homes.of("anna") as former:
        assert "Today" in (await former.get("/")).text
    await move(homes, TOMORROW)
    homes.book.update(METER, NOW + DAY, 0, {"energy_import_wh": 5_004_000.0}, "anna")
    async with homes.of("anna") as newcomer, homes.browser() as operator:
        assert "Today" not in (await newcomer.get("/")).text
        assert "Today" in (await operator.get("/?home=anna")).text
    await move(homes, TODAY)
    async with homes.of("anna") as newcomer:
        assert "Today" in (await newcomer.get("/")).text


async def test_a_bill_of_before_is_not_shown(homes: TwoHomes) -> None:
    """Of a billing period that began before the move, only today's cost is the newcomer's."""
    homes.money["anna"] = Outlook("SAR", Decimal("1.25"), Decimal("77.50"), since=NOW - 20 * DAY)
    homes.book.update(METER, NOW, 0, {"energy_import_wh": 5_000_000.0}, "anna")
    await homes.today.look()
    await move(homes, TODAY)
    async with homes.of("anna") as newcomer, homes.browser() as operator:
        html = (await newcomer.get("/")).text
        assert "1.25" in html
        assert "77.50" not in html
        assert "77.50" in (await operator.get("/?home=anna")).text
        homes.money["anna"] = Outlook("SAR", Decimal("1.25"), Decimal("2.50"), since=NOW)
        assert "2.50" in (await newcomer.get("/")).text


async def test_alerts_of_before_are_not_there(homes: TwoHomes) -> None:
    """Neither on the page, nor by address, nor by a link that the former customer was sent."""
    old, new = await homes.alert("anna", NOW - DAY), await homes.alert("anna", NOW - 1000)
    async with homes.of("anna") as former:
        assert (await former.get(f"/alert/{old.id}")).status_code == 200
    await move(homes, TODAY)
    async with homes.of("anna") as newcomer:
        html = (await newcomer.get("/")).text
        assert old.id not in html
        assert new.id in html
        assert (await newcomer.get(f"/alert/{old.id}")).status_code == 404
        assert (await newcomer.post(f"/alert/{old.id}/useful")).status_code == 404
        for answer in (await newcomer.get(signed("anna", old.id)), await newcomer.post(signed("anna", old.id))):
            assert answer.status_code == 404
        assert (await newcomer.get(signed("anna", new.id))).status_code == 200


async def test_what_the_former_customer_chose_is_forgotten(homes: TwoHomes) -> None:
    """Browsers, wishes, goals, away, mutes, moved thresholds and messages that wait; another customer's stay."""
    desk = homes.desk
    for tenant, phone in (("anna", "annas-phone"), ("bilal", "bilals-phone")):
        event = await homes.alert(tenant, rule="high_usage")
        async with homes.of(tenant) as browser:
            for action in ("normal", "mute", "call_me"):
                await browser.post(f"/alert/{event.id}/{action}")
        await homes.alert(tenant, NOW + 1000)
        assert await desk.subscribe(tenant, SUBSCRIPTION, "en", "http://nabd.test") is None
        assert await desk.wish(tenant, phone, Wishes(quiet="01:00-02:00")) == "done"
        await desk.set_away(tenant, away=True)
        await desk.set_goals(tenant, {METER: 1000.0})

    async def chosen(tenant: str) -> list[bool]:
        contacts = await desk.contacts(tenant)
        tables = "(SELECT count(*) FROM outbox WHERE tenant = ? AND state = 'waiting'), count(*) FROM mute"
        waits, muted = await homes.database.file.read(
            lambda c: c.execute(f"SELECT {tables} WHERE tenant = ?", (tenant, tenant)).fetchone()
        )
        return [
            bool(await desk.browsers(tenant)),
            any(contact.quiet is not None and contact.quiet[0].hour == 1 for contact in contacts),
            bool(await desk.goals(tenant)),
            await desk.away(tenant),
            bool(await desk.tuned(tenant)),
            any(call.tenant == tenant for call in await desk.calls()),
            bool(waits),
            bool(muted),
        ]

    assert await chosen("anna") == [True] * 8
    await move(homes, TODAY)
    assert await chosen("anna") == [False] * 8
    assert await chosen("bilal") == [True] * 8


@pytest.mark.parametrize("day", ["", "yesterday", "2026-13-01", "2026-11-01T00:00", "None"])
async def test_what_is_no_day_changes_nothing(homes: TwoHomes, day: str) -> None:
    """A typing mistake ends no session."""
    async with homes.of("anna") as browser:
        assert "error" in await move(homes, day)
        assert (await browser.get("/")).status_code == 200


async def test_a_move_that_a_disk_refuses_still_shuts_the_former_customer_out(
    homes: TwoHomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says what is wrong, to be typed again; meanwhile nobody of before looks in."""

    async def full(*_: object) -> TryAgain:
        return TryAgain("disk full")

    monkeypatch.setattr(Moves, "move_in", full)
    async with homes.of("anna") as former:
        assert await move(homes, TODAY) == {"error": "disk full"}
        assert (await former.get("/")).status_code == 401


async def test_a_move_outlives_a_restart_and_is_at_local_midnight(tmp_path: Path) -> None:
    """The day begins where the homes are."""
    database = HubDatabase(tmp_path / "hub.sqlite")
    await database.open()
    try:
        await database.enrol(
            "t", "gw", [MeterInfo(id="m", name="m", commodity="gas", model="", every=1, quantities={})]
        )
        first = Moves(database.file, ZoneInfo("Asia/Riyadh"))
        await first.open()
        assert first.since("t") == 0
        assert await first.move_in("t", "2026-11-01", NOW) is None
        again = Moves(database.file, ZoneInfo("Asia/Riyadh"))
        await again.open()
        assert again.since("t") == first.since("t") == 1_793_480_400_000
        assert again.since("other") == 0
    finally:
        await database.close()
