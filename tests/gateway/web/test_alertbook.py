"""The alerts a page shows, whatever way and order their events come in."""

import re
from dataclasses import replace
from decimal import Decimal

import orjson
import pytest

from gateway.alerts.event import AlertEvent, State, alert_id, cloud_event
from gateway.message import Topics
from gateway.notify.costs import Priced
from gateway.notify.outbox import AlertState
from gateway.transport import Message
from gateway.web.alertbook import KEPT, AlertBook
from gateway.web.alertsheet import sheet_of
from gateway.web.alertview import alerts_of, course_of
from gateway.web.rights import Visitor
from gateway.web.words import Words

NOW = 1_795_219_210_000
HOUR = 3_600_000
HOME = Visitor("customer", "home")
TOPIC = Topics("home", "gw").of("event")


def event(
    seq: int = 1, state: State = "raised", *, raised: int = NOW, meter: str = "m", rule: str = "overload"
) -> AlertEvent:
    """Make a step of an alert."""
    return AlertEvent(
        id=alert_id(rule, meter, raised),
        seq=seq,
        rule=rule,
        meter=meter,
        state=state,
        severity="critical",
        raised=raised,
        at=raised + seq,
        cleared=raised + seq if state == "cleared" else None,
        value=29.0,
        baseline=25.0,
        unit="A",
        points=[(raised - 5000, 24.0), (raised, 29.0)],
    )


@pytest.fixture
def book() -> AlertBook:
    """Give an empty book."""
    return AlertBook(lambda: NOW)


def test_an_alert_is_open_until_it_is_over(book: AlertBook) -> None:
    """Raised, updated, cleared: the page follows."""
    book.take("home", event())
    book.take("home", event(2, "updated"))
    assert [alert.event.seq for alert in book.open(HOME)] == [2]
    book.take("home", event(3, "cleared"))
    assert list(book.open(HOME)) == []
    assert [alert.event.state for alert in book.over(HOME)] == ["cleared"]


def test_order_and_repetition_do_not_matter(book: AlertBook) -> None:
    """A late `raised` does not open again what is over."""
    for step in (event(3, "cleared"), event(1), event(2, "updated"), event(1)):
        book.take("home", step)
    assert list(book.open(HOME)) == []


def test_tenants_are_apart(book: AlertBook) -> None:
    """Two houses may name their alerts alike."""
    book.take("home", event())
    book.take("other", event(2, "cleared"))
    assert [alert.tenant for alert in book.open(HOME)] == ["home"]
    assert list(book.open(Visitor("operator", "other"))) == []
    assert [alert.tenant for alert in book.over(Visitor("operator", "other"))] == ["other"]


def test_of_two_alerts_with_one_id_each_finds_its_own(book: AlertBook) -> None:
    """Equal meter ids make equal alert ids: a customer gets theirs, an operator that of the home they look at."""
    for tenant in ("home", "other"):
        book.take(tenant, event())
    for visitor in (HOME, Visitor("customer", "other"), Visitor("operator", "home"), Visitor("operator", "other")):
        found = book.find(event().id, visitor)
        assert found is not None
        assert found.tenant == visitor.tenant
    assert book.find(event().id, Visitor("customer", "third")) is None


def test_one_tenants_storm_pushes_nobody_elses_alert_away(book: AlertBook) -> None:
    """The bound is each tenant's own."""
    book.take("home", event())
    for n in range(KEPT + 1):
        book.take("other", event(raised=NOW + n, meter=f"m{n}"))
    assert len(book.open(HOME)) == 1


def test_who_moved_in_sees_no_alert_of_before(book: AlertBook) -> None:
    """Neither the alert, nor the part of a newer one's course that was measured before."""
    book.take("home", event())
    book.take("home", event(meter="other", raised=NOW + 1000))
    newcomer = Visitor("customer", "home", NOW + 1)
    assert [alert.event.meter for alert in book.open(newcomer)] == ["other"]
    assert book.find(event().id, newcomer) is None
    assert [at for at, _ in newcomer.view(event(raised=NOW + 1000)).points] == [NOW + 1000]


def test_events_of_the_topic_are_heard(book: AlertBook) -> None:
    """A gateway's CloudEvent opens an alert under its tenant."""
    book.hear(Message(TOPIC, orjson.dumps(cloud_event(event(), "home", "gw"))))
    assert [alert.tenant for alert in book.open(HOME)] == ["home"]


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"data":[]}', b'{"data":{"v":1}}', b"\xff", b"null"])
def test_rubbish_is_counted_and_dropped(book: AlertBook, payload: bytes) -> None:
    """Nothing that arrives can stop the page."""
    book.hear(Message(TOPIC, payload))
    book.hear(Message("nonsense", b"{}"))
    assert (book.dropped, list(book.open(HOME))) == (2, [])


def test_what_is_over_is_forgotten_after_a_day(book: AlertBook) -> None:
    """The page is no archive."""
    book.take("home", event(2, "cleared", raised=NOW - 25 * HOUR))
    book.take("home", event(2, "cleared", raised=NOW - 23 * HOUR))
    assert len(book.over(HOME)) == 1


def test_the_book_is_bounded_and_keeps_what_is_open(book: AlertBook) -> None:
    """A storm of closed alerts does not push an open one off the page."""
    book.take("home", event())
    for n in range(2 * KEPT):
        book.take("home", event(2, "cleared", raised=NOW + n, meter=f"m{n}"))
    assert len(book.over(HOME)) == KEPT - 1
    assert len(book.open(HOME)) == 1


def test_the_page_says_what_the_message_says(book: AlertBook) -> None:
    """Title, numbers, course and, once given, the answer; in both languages."""
    book.take("home", event())
    english = alerts_of(book, HOME, {"m": "House"}, NOW, "UTC", Words("en")).open[0]
    assert "House" in english.title
    assert "29" in english.text
    assert english.chart is not None
    assert "<polyline" in english.chart
    assert english.answer is None
    book.answered("home", event().id, "acknowledge")
    arabic = alerts_of(book, HOME, {"m": "المنزل"}, NOW, "Asia/Riyadh", Words("ar")).open[0]
    assert "المنزل" in arabic.title
    assert arabic.answer is not None


def test_a_card_and_a_page_say_what_it_costs(book: AlertBook) -> None:
    """As the message does, the page with every span besides; without a price there is no word of money."""
    leak = event(rule="water_leak")
    book.take("home", leak)
    price = Priced("SAR", Decimal("44.83"), "month", besides={"day": Decimal("1.49"), "so far": Decimal("0.62")})
    asked: list[str] = []

    def prices(tenant: str, told: AlertEvent) -> Priced:
        asked.append(f"{tenant} {told.rule}")
        return price

    for language, cost, day in (("en", "about SAR 45 a month", "SAR 1.49"), ("ar", "45 ر.س", "1.49 ر.س")):
        words = Words(language)
        (card,) = alerts_of(book, HOME, {"m": "House"}, NOW, "UTC", words, prices).open
        assert cost in plain(card.text)
        sheet = sheet_of(leak, "House", [], NOW, "UTC", words, price)
        assert cost in plain(sheet.text)
        assert [plain(text) for _, text in sheet.facts if "1.49" in text] == [day]
        assert len(sheet.facts) == len(sheet_of(leak, "House", [], NOW, "UTC", words).facts) + 3
        (silent,) = alerts_of(book, HOME, {"m": "House"}, NOW, "UTC", words).open
        assert cost not in plain(silent.text)
    assert asked == ["home water_leak"] * 2


def plain(text: str) -> str:
    """Leave out what only sets numbers apart."""
    return re.sub("[\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}]|</?bdi[^>]*>", "", text)


@pytest.mark.parametrize(
    ("rule", "baseline", "evidence"),
    [("high_usage", 75.0, {"hours": 3.0}), ("high_water_day", 600.0, {"hours": 24.0}), ("water_burst", 1500.0, {})],
)
def test_what_it_is_held_against_is_drawn_in_the_unit_of_the_course(
    rule: str, baseline: float, evidence: dict[str, float]
) -> None:
    """A sum of hours beside hours, and an hour's flow beside that of minutes, would lie off the picture."""
    drawn = replace(event(rule=rule), baseline=baseline, evidence=evidence)
    plainly = replace(event(), baseline=25.0)
    assert course_of(drawn, Words("en")) == course_of(plainly, Words("en"))


def test_an_unknown_kind_of_alert_is_shown_too(book: AlertBook) -> None:
    """A newer gateway may raise what this hub has no words for."""
    book.take("home", event(rule="something_new"))
    assert alerts_of(book, HOME, {}, NOW, "UTC", Words("en")).open[0].title


def test_a_restart_forgets_no_open_alert(book: AlertBook) -> None:
    """What the outbox kept is shown again, with the answer it got."""
    seen, unseen = event(), event(meter="other")
    book.restore([AlertState("home", "gw", seen, acknowledged=NOW, by="phone"), AlertState("home", "gw", unseen)])
    answers = {alert.event.meter: alert.answer for alert in book.open(HOME)}
    assert answers == {"m": "acknowledge", "other": None}


def test_every_change_of_a_tenants_alerts_has_a_number_of_its_own(book: AlertBook) -> None:
    """Raised, updated, answered, dropped for newer ones: whoever compares numbers misses none, and sees no other's."""
    seen = {book.changes("home")}
    book.take("home", event())
    seen.add(book.changes("home"))
    book.take("home", event(2, "updated"))
    seen.add(book.changes("home"))
    book.take("home", event(2, "updated"))
    book.take("elsewhere", event())
    book.answered("elsewhere", event().id, "acknowledge")
    assert book.changes("home") in seen
    book.answered("home", event().id, "acknowledge")
    seen.add(book.changes("home"))
    for number in range(1, KEPT + 1):
        book.take("home", event(raised=NOW + number * HOUR))
        seen.add(book.changes("home"))
    assert len(seen) == 4 + KEPT
