"""Digests: their facts, their words in both languages, their moment, and that each comes once."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest

from gateway.alerts.event import AlertEvent, alert_id
from gateway.check.ledger import Ledger
from gateway.check.sheet import Sheet, Track
from gateway.check.slots import Slot, days_before
from gateway.hubdb import HubDatabase
from gateway.i18n import LANGUAGES
from gateway.message import MeterInfo
from gateway.moves import Moves
from gateway.notify.answers import Answers
from gateway.notify.digest import TIPS, Digest, Use, saved_of, tip_of
from gateway.notify.digest_words import words_of
from gateway.notify.digests import Digests
from gateway.notify.outbox import Outbox
from gateway.notify.planning import Customer
from gateway.notify.router import Contact
from gateway.notify.schedule import coming, daily_readers, moment_of, readers, week_began
from gateway.notify.texts.digest import TIPS as TIP_TEXTS
from gateway.notify.week import figures_of, use_of
from tests.gateway.notify.moments import MS, NOW

RIYADH = ZoneInfo("Asia/Riyadh")
DAY = 86_400_000
SUNDAY = datetime(2026, 11, 22, tzinfo=RIYADH)
MIDNIGHT = int(SUNDAY.timestamp() * 1000)
GULF, EUROPE = frozenset({4, 5}), frozenset({5, 6})
FULL = Digest(
    MIDNIGHT - 7 * DAY,
    MIDNIGHT,
    uses=(
        Use("البيت", "energy_import_wh", 212_400.0, 268_000.0, whole=True, cost="43.95", currency="SAR"),
        Use("Water", "water_volume_l", 3_120.0, 3_100.0, whole=True),
        Use("Gas", "gas_volume_l", 5_000.0),
    ),
    tip="night_water",
    figures={"night_l": 12.0},
    saved="البيت",
)


def shown(text: str) -> str:
    """Show isolates as brackets."""
    return text.replace("\u2068", "[").replace("\u2069", "]")


def test_a_week_in_english(event: Callable[..., AlertEvent]) -> None:
    """Each meter against its usual, its cost, the alerts, what was achieved, and a tip with the home's own figure."""
    digest = replace(FULL, alerts=(event(),), names={"gw_main": "Home"})
    words = words_of(digest, "en", NOW, "https://nabd.example/")
    assert words.title == "Your week"
    assert shown(words.text).startswith(
        "[البيت]: [212.4] kWh, [21] % less than usual. That cost about SAR [44]. [Water]: [3.1] m³, as usual. "
        "[Gas]: [5] m³. There was [1] alert: Overload: [Home] ([18:29]). "
        "A thrifty week at [البيت]: [21] % less than usual. Well done! Tip: [12] litres of water"
    )
    assert words.page is not None
    assert words.acknowledge is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 11, 99, 100])
def test_every_digest_is_translated_filled_and_isolated(
    count: int, language: str, event: Callable[..., AlertEvent]
) -> None:
    """No brace is left, in Arabic no Latin word and no digit outside an isolate, in each plural form."""
    for tip in TIPS:
        alerts = tuple(event(id=alert_id("overload", "gw_main", n)) for n in range(count))
        figures = {trigger.figure: float(count) for trigger in TIPS.values()}
        for daily in (False, True):
            digest = replace(FULL, alerts=alerts, names={"gw_main": "البيت"}, tip=tip, figures=figures, daily=daily)
            words = words_of(digest, language, NOW, "")
            assert not set("{}") & set(words.title + words.text + words.html)
            if language == "ar":
                assert not re.search(
                    "[0-9A-Za-z]", re.sub("\u2068[^\u2068\u2069]*\u2069", "", words.title + words.text)
                )


def test_an_empty_week_is_said_to_be_one() -> None:
    """Rather nothing known than zero."""
    assert words_of(Digest(0, 1), "en", NOW, "").text == "There are no readings of this time. There was no alert."


def test_facts_survive_their_journey(event: Callable[..., AlertEvent]) -> None:
    """What is written into the outbox is what is read from it."""
    digest = replace(FULL, alerts=(event(),), names={"gw_main": "Home"})
    assert Digest.from_dict(orjson.loads(orjson.dumps(digest.to_dict()))) == digest


def test_a_tip_needs_its_figure_and_a_rest() -> None:
    """The most worthwhile one that fits and was not told for two months; every tip has words."""
    every = {"night_l": 6.0, "base_w": 200.0, "evening_percent": 50.0}
    assert tip_of(every, {}, MS) == "night_water"
    assert tip_of(every, {"night_water": MS - 59 * DAY}, MS) == "base_load"
    assert tip_of(every, {"night_water": MS - 60 * DAY}, MS) == "night_water"
    assert tip_of({"night_l": 4.0}, {}, MS) == ""
    assert tip_of({}, {}, MS) == ""
    assert set(TIPS) == set(TIP_TEXTS)


THRIFTY = Use("Home", "energy_import_wh", 80.0, 100.0, whole=True)


@pytest.mark.parametrize(
    ("use", "rule", "last", "away", "saved"),
    [
        (THRIFTY, "overload", None, False, "Home"),
        (replace(THRIFTY, amount=90.0), "overload", None, False, ""),
        (replace(THRIFTY, amount=0.0), "overload", None, False, ""),
        (replace(THRIFTY, whole=False), "overload", None, False, ""),
        (replace(THRIFTY, usual=None), "overload", None, False, ""),
        (THRIFTY, "zero_consumption", None, False, ""),
        (THRIFTY, "meter_offline", None, False, ""),
        (THRIFTY, "overload", None, True, ""),
        (THRIFTY, "overload", MS - 7 * DAY, False, ""),
        (THRIFTY, "overload", MS - 14 * DAY, False, "Home"),
    ],
)
def test_neither_absence_nor_fault_is_celebrated(
    use: Use, rule: str, last: int | None, away: bool, saved: str, event: Callable[..., AlertEvent]
) -> None:
    """A tenth less, measured whole, at home, and twice a month at the most."""
    assert saved_of([use], [event(rule=rule)], last, MS, away=away) == saved


@pytest.mark.parametrize(
    ("day", "weekend", "began"),
    [(22, GULF, 22), (21, GULF, 15), (28, GULF, 22), (22, EUROPE, 16), (23, EUROPE, 23), (29, EUROPE, 23)],
)
def test_a_week_begins_after_the_weekend(day: int, weekend: frozenset[int], began: int) -> None:
    """On Sunday where Friday and Saturday are free, on Monday elsewhere."""
    assert week_began(datetime(2026, 11, day, 13, tzinfo=RIYADH), weekend).day == began


def test_who_gets_a_digest() -> None:
    """The first person that did not decline, or everybody who asked; machines and the second contact never."""
    hook, phone, mail = Contact("hook", machine=True), Contact("phone"), Contact("mail")
    second, off = Contact("neighbour", second=True), Contact("sms", frequency={"digest": "off"})
    asked, daily = Contact("pad", frequency={"digest": "weekly"}), Contact("pad", frequency={"digest": "daily"})

    def names(*contacts: Contact) -> list[str]:
        return [contact.channel for contact in readers(contacts)]

    assert names(hook, second, off, phone, mail) == ["phone"]
    assert names(phone, asked) == ["pad"]
    assert names(phone, daily) == []
    assert names(off) == []
    assert [contact.channel for contact in daily_readers([phone, daily, off])] == ["pad"]
    assert daily_readers([Contact("x", frequency={"cost": "daily"})]) != []


def test_the_caps_know_the_digests_to_come() -> None:
    """At nine in the morning, after quiet hours that end later."""
    late = Contact("phone", quiet=(time(22), time(10)))
    assert moment_of(late, SUNDAY).hour == 10
    assert [at for _, at in coming([Contact("phone")], SUNDAY + timedelta(hours=8), GULF)] == [
        SUNDAY + timedelta(days=days, hours=9) for days in (0, 7, 14)
    ]


def sheet(start: int, litres: float | None, *, night: float = 0.0) -> Sheet:
    """Make a day of a water meter: so much in all, so much of it each quarter-hour of the night."""
    slots = tuple(
        Slot(
            at,
            at + 900_000,
            night if 4 <= n < 20 else (litres or 0) / 96,
            "actual" if litres is not None else "unknown",
        )
        for n, at in enumerate(range(start, start + DAY, 900_000))
    )
    return Sheet("water", start, start + DAY, {"water_volume_l": Track(slots)}, {"water_volume_l": litres})


def week(litres: float | None, days: int = 7) -> list[Sheet]:
    """Make a week of such days."""
    return [sheet(MIDNIGHT - (7 - day) * DAY, litres) for day in range(days)]


def test_the_usual_needs_two_whole_weeks() -> None:
    """A week with a gap is held against nothing, and stands for nothing."""
    made = use_of("Water", "water_volume_l", week(100.0), [week(200.0), week(300.0), week(None), week(1.0, days=6)], 7)
    assert (made.amount, made.usual, made.whole) == (700.0, 1750.0, True)
    assert use_of("Water", "water_volume_l", week(100.0), [week(200.0)], 7).usual is None
    gap = use_of("Water", "water_volume_l", [*week(100.0, days=6), sheet(MIDNIGHT, None)], [week(200.0)] * 3, 7)
    assert (gap.amount, gap.usual, gap.whole) == (600.0, None, False)


def test_figures_are_medians_of_nights() -> None:
    """One night of guests makes no habit."""
    nights = [sheet(MIDNIGHT - (7 - day) * DAY, 100.0, night=5.0 if day == 3 else 0.5) for day in range(7)]
    assert figures_of("water_volume_l", nights, RIYADH) == {"night_l": 8.0}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[HubDatabase]:
    """Give a hub with five weeks of sheets of one water meter."""
    database = HubDatabase(tmp_path / "hub.sqlite")
    await database.open()
    info = MeterInfo(id="water", name="Villa", commodity="water", model="m", every=900, quantities={})
    await database.enrol("home", "gw", [info])
    ledger = Ledger(database.file)
    await ledger.open()
    for back in range(1, 36):
        await ledger.keep("home", sheet(days_before(MIDNIGHT, RIYADH, back), 80.0 if back <= 7 else 100.0, night=0.5))
    yield database
    await database.close()


def digests_of(hub: HubDatabase, at: datetime, **contacts: Contact) -> Digests:
    """Make the writer of digests at a moment, for a customer with these channels."""
    named = contacts or {"phone": Contact("phone")}
    return Digests(hub.file, {"home": Customer("home", RIYADH, tuple(named.values()))}, at.timestamp)


async def written(hub: HubDatabase, channel: str = "phone") -> list[Digest]:
    """Give the digests that wait for a channel."""
    waiting = await Outbox(hub.file, {}).due(channel, MIDNIGHT + 30 * DAY, 99)
    return [Digest.from_dict(part.digest) for part in waiting if part.digest is not None]


@pytest.mark.parametrize(("hours", "count"), [(8.9, 0), (9, 1), (20, 1), (33.1, 0)])
async def test_a_digest_comes_on_its_morning(hours: float, count: int, hub: HubDatabase) -> None:
    """Not before, and not when it is a day late."""
    await digests_of(hub, SUNDAY + timedelta(hours=hours)).look()
    assert len(await written(hub)) == count


async def test_it_is_written_once_and_says_what_the_sheets_say(hub: HubDatabase) -> None:
    """Whoever looks again, also after a restart, writes nothing more."""
    woken: list[int] = []
    for _ in range(2):
        digests = digests_of(hub, SUNDAY + timedelta(hours=9))
        digests.wake = lambda: woken.append(1)
        await digests.look()
        await digests.look()
    (digest,) = await written(hub)
    assert digest.uses == (Use("Villa", "water_volume_l", 560.0, 700.0, whole=True),)
    assert (digest.saved, digest.tip) == ("Villa", "night_water")
    assert woken == [1]


async def test_what_was_done_is_forgotten_in_time(hub: HubDatabase) -> None:
    """A hub that runs for years remembers the digests of the present day."""
    digests = digests_of(hub, SUNDAY)
    for day in range(30):
        digests._now = (SUNDAY + timedelta(days=day, hours=9)).timestamp
        await digests.look()
    assert len(digests._done) <= 1


async def test_a_tip_and_an_achievement_rest(hub: HubDatabase) -> None:
    """Two Sundays in a row: the second digest repeats neither."""
    await digests_of(hub, SUNDAY + timedelta(hours=9)).look()
    for day in range(7):
        await Ledger(hub.file).keep("home", sheet(days_before(MIDNIGHT, RIYADH, -day), 60.0, night=0.5))
    await digests_of(hub, SUNDAY + timedelta(days=7, hours=9)).look()
    first, second = await written(hub)
    assert (first.saved, first.tip) == ("Villa", "night_water")
    assert (second.saved, second.tip) == ("", "")


async def test_a_home_nobody_was_in_achieved_nothing(hub: HubDatabase) -> None:
    """But it gets its digest."""
    await Answers(hub.file).set_away("home", MS, away=True)
    await digests_of(hub, SUNDAY + timedelta(hours=9)).look()
    (digest,) = await written(hub)
    assert digest.saved == ""


@pytest.mark.parametrize(("day", "count"), [("2026-11-14", 1), ("2026-11-15", 1), ("2026-11-16", 0), ("2026-11-22", 0)])
async def test_who_moved_in_is_told_no_week_of_before(day: str, count: int, hub: HubDatabase) -> None:
    """A digest that begins before the move would tell what somebody else used."""
    moves = Moves(hub.file, RIYADH)
    await moves.open()
    await moves.move_in("other", "2026-11-22", MIDNIGHT)
    await moves.move_in("home", day, MIDNIGHT)
    await digests_of(hub, SUNDAY + timedelta(hours=9)).look()
    assert len(await written(hub)) == count


@pytest.mark.parametrize(("day", "usual"), [("2026-10-18", 700.0), ("2026-11-01", 700.0), ("2026-11-02", None)])
async def test_what_others_used_is_not_the_usual(day: str, usual: float | None, hub: HubDatabase) -> None:
    """Two weeks since the move are needed, as of any new home."""
    moves = Moves(hub.file, RIYADH)
    await moves.open()
    await moves.move_in("home", day, MIDNIGHT)
    await digests_of(hub, SUNDAY + timedelta(hours=9)).look()
    (digest,) = await written(hub)
    assert digest.uses[0].usual == usual


async def test_a_house_of_which_nothing_is_known_gets_none(tmp_path: Path) -> None:
    """A hub that began today has nothing to tell."""
    database = HubDatabase(tmp_path / "new.sqlite")
    await database.open()
    digests = digests_of(database, SUNDAY + timedelta(hours=9))
    task = asyncio.ensure_future(digests.run())
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await written(database) == []
    assert digests.error == ""
    await database.close()


async def test_kinds_wanted_daily_come_daily_when_there_are_any(
    hub: HubDatabase, event: Callable[..., AlertEvent]
) -> None:
    """Costs of the day before, and no other alert; the whole digest daily for who asks for that."""
    from gateway.hubdb import BlockRecord

    yesterday = MIDNIGHT - DAY // 2
    events = [
        event(id=alert_id(rule, "water", yesterday), rule=rule, meter="water", raised=yesterday, at=yesterday,
              severity="info")
        for rule in ("bill_projection", "high_usage")
    ]  # fmt: skip
    outbox = Outbox(hub.file, {})
    await hub.write([BlockRecord("home", "gw", 1, 1, yesterday, events=[one.encode() for one in events])])
    await outbox.plan(yesterday)
    contacts = {
        "phone": Contact("phone", frequency={"cost": "daily", "digest": "off"}),
        "mail": Contact("mail", frequency={"digest": "daily"}),
        "pad": Contact("pad", frequency={"leak": "daily", "digest": "off"}),
    }
    await digests_of(hub, SUNDAY + timedelta(hours=9), **contacts).look()
    (phone,) = await written(hub, "phone")
    assert ([one.rule for one in phone.alerts], phone.uses) == (["bill_projection"], ())
    (mail,) = await written(hub, "mail")
    assert (len(mail.alerts), [use.amount for use in mail.uses]) == (2, [80.0])
    assert await written(hub, "pad") == []


@pytest.mark.parametrize(("emergency", "told"), [("", 0), ("998", 1)])
async def test_gas_without_a_number_to_call_is_not_in_the_digest_either(
    emergency: str, told: int, hub: HubDatabase, event: Callable[..., AlertEvent]
) -> None:
    """A person is told of it with the number, or not at all."""
    from gateway.hubdb import BlockRecord

    at = MIDNIGHT - DAY // 2
    gas = event(id="0" * 16, rule="gas_continuous", meter="water", raised=at, at=at)
    await hub.write([BlockRecord("home", "gw", 1, 1, at, events=[gas.encode()])])
    customers = {"home": Customer("home", RIYADH, (Contact("phone"),), emergency)}
    await Outbox(hub.file, customers).plan(at)
    await Digests(hub.file, customers, (SUNDAY + timedelta(hours=9)).timestamp).look()
    (digest,) = await written(hub)
    assert len(digest.alerts) == told
