"""Who hears what, and when: tables of cases, and what holds whatever happens."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alerts.event import AlertEvent, Severity
from gateway.alerts.rules.gateway_offline import GatewayOffline, GatewaysOffline, LateReadings
from gateway.notify.kinds import KIND, Frequency, Kind
from gateway.notify.router import (
    CAP_DAY,
    CAP_WEEK,
    DIGEST,
    HOLD,
    Contact,
    Planned,
    Story,
    after_quiet,
    fallback,
    next_repeat,
    route,
)
from gateway.notify.schedule import coming

RIYADH = ZoneInfo("Asia/Riyadh")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=RIYADH)
NIGHT = datetime(2026, 11, 22, 23, 0, tzinfo=RIYADH)
MORNING = datetime(2026, 11, 23, 7, 0, tzinfo=RIYADH)

PHONE, MAIL, HOOK = Contact("phone"), Contact("mail"), Contact("hook", machine=True)
ALL = [HOOK, PHONE, MAIL]

USED_UP = tuple(("phone", NOON - timedelta(hours=hours)) for hours in range(1, 4))
"""As many messages today as there may be."""

Event = Callable[..., AlertEvent]


def ms(moment: datetime) -> int:
    """Give UTC ms."""
    return int(moment.timestamp() * 1000)


def plan(event: AlertEvent, story: Story = Story(), now: datetime = NOON) -> list[tuple[str, datetime]]:  # noqa: B008
    """Route to everybody, as (channel, due)."""
    return [(planned.channel, planned.due) for planned in route(event, ALL, story, now)]


@pytest.mark.parametrize("now", [NOON, NIGHT])
def test_what_is_critical_goes_to_everybody_at_once(now: datetime, event: Event) -> None:
    """Day and night, muted or not, caps used up or not."""
    story = Story(muted=True, interruptions=USED_UP)
    assert plan(event(at=ms(now)), story, now) == [("hook", now), ("phone", now), ("mail", now)]


def test_a_warning_goes_to_the_first_person_that_takes_it(event: Event) -> None:
    """One channel, not all; the machine besides."""
    warning = event(severity="warning", at=ms(NOON))
    assert plan(warning) == [("hook", NOON), ("phone", NOON)]
    choosy = [Contact("phone", "critical"), MAIL]
    assert [planned.channel for planned in route(warning, choosy, Story(), NOON)] == ["mail"]


def test_a_warning_waits_for_the_morning(event: Event) -> None:
    """Quiet hours hold it until they end; a machine does not sleep."""
    assert plan(event(severity="warning", at=ms(NIGHT)), now=NIGHT) == [("hook", NIGHT), ("phone", MORNING)]


def test_information_waits_for_the_digest_unless_wanted(event: Event) -> None:
    """Only a channel that asks for information gets it."""
    info = event(severity="info", at=ms(NOON))
    assert plan(info) == [("hook", NOON), (DIGEST, NOON)]
    assert [planned.channel for planned in route(info, [Contact("phone", "info")], Story(), NOON)] == ["phone"]


def test_what_is_muted_waits_for_the_digest(event: Event) -> None:
    """A warning of a muted kind disturbs nobody."""
    assert plan(event(severity="warning", at=ms(NOON)), Story(muted=True))[1:] == [(DIGEST, NOON)]


@pytest.mark.parametrize("state", ["cleared", "expired"])
def test_the_end_is_told_where_the_beginning_was(state: str, event: Event) -> None:
    """On each channel that told, whatever the caps say, and on no other."""
    end = event(state=state, seq=2, at=ms(NOON), severity="warning")
    story = Story(told=frozenset({"mail"}), worst="warning", interruptions=USED_UP, muted=True)
    assert plan(end, story) == [("hook", NOON), ("mail", NOON)]
    assert plan(end) == [("hook", NOON), (DIGEST, NOON)]


def test_a_greeting_ends_without_a_word(event: Event) -> None:
    """Only machines hear that a first day is over."""
    over = replace(event(state="cleared", severity="info", at=ms(NOON)), rule="welcome")
    assert plan(over, Story(told=frozenset({"phone"}))) == [("hook", NOON)]


def test_the_end_of_a_warning_wakes_nobody(event: Event) -> None:
    """That of a critical alert comes at once, for somebody may be awake over it."""
    end = event(state="cleared", seq=2, at=ms(NIGHT), severity="warning")
    told = frozenset({"phone"})
    assert plan(end, Story(told, "warning"), NIGHT)[1:] == [("phone", MORNING)]
    assert plan(end, Story(told, "critical"), NIGHT)[1:] == [("phone", NIGHT)]


def test_an_update_after_acknowledging_is_told_only_when_it_is_worse(event: Event) -> None:
    """Who has seen a warning is told when it becomes critical, and not that it is still one."""
    story = Story(frozenset({"phone"}), "warning", acknowledged=True)
    assert plan(event(state="updated", seq=2, severity="warning", at=ms(NOON)), story) == [("hook", NOON)]
    assert len(plan(event(state="updated", seq=2, at=ms(NOON)), story)) == 3


def test_what_comes_late_says_so_and_waits_a_minute(event: Event) -> None:
    """The end may be in the backlog's next block; when it came first, both go to the digest."""
    old = event(at=ms(NOON - timedelta(hours=1)))
    planned = route(old, ALL, Story(), NOON)
    assert planned[1:] == [Planned("phone", NOON + HOLD, late=True), Planned("mail", NOON + HOLD, late=True)]
    assert route(old, [PHONE], Story(over=True), NOON) == [Planned(DIGEST, NOON, late=True)]


def test_a_critical_alert_is_repeated_twice(event: Event) -> None:
    """15 minutes and 2 hours after it was first told; a warning or an end never is."""
    first = next_repeat(event(), 0, NOON)
    assert first == NOON + timedelta(minutes=15)
    assert next_repeat(event(), 1, first) == NOON + timedelta(hours=2)
    assert next_repeat(event(), 2, NOON) is None
    assert next_repeat(event(severity="warning"), 0, NOON) is None
    assert next_repeat(event(state="cleared"), 0, NOON) is None


def test_the_next_person_takes_over(event: Event) -> None:
    """In the order of the file, who wants it, and nobody twice; never a machine."""
    warning = event(severity="warning")
    contacts = [HOOK, PHONE, Contact("late", "critical"), MAIL]
    assert fallback(warning, contacts, frozenset({"phone"})) == "mail"
    assert fallback(warning, contacts, frozenset({"phone", "mail"})) is None


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        ((22, 7), "21:59", "21:59"), ((22, 7), "22:00", "+07:00"), ((22, 7), "23:59", "+07:00"),
        ((22, 7), "00:00", "07:00"), ((22, 7), "06:59", "07:00"), ((22, 7), "07:00", "07:00"),
        ((4, 10), "03:59", "03:59"), ((4, 10), "04:00", "10:00"), ((4, 10), "10:00", "10:00"),
        (None, "23:00", "23:00"),
    ],
)  # fmt: skip
def test_quiet_hours_end(quiet: tuple[int, int] | None, at: str, until: str) -> None:
    """Over midnight or not; the first minute is quiet and the last one no more."""
    contact = Contact("phone", quiet=(time(quiet[0]), time(quiet[1])) if quiet else None)
    day = date(2026, 11, 22)
    now = datetime.combine(day, time.fromisoformat(at), RIYADH)
    expected = datetime.combine(day + timedelta(days=until[0] == "+"), time.fromisoformat(until.lstrip("+")), RIYADH)
    assert after_quiet(contact, now) == expected


COST, LEAK = "bill_projection", "water_leak"


@pytest.mark.parametrize(
    ("frequency", "rule", "severity", "told"),
    [
        ({}, LEAK, "warning", "phone"),
        ({}, LEAK, "info", DIGEST),
        ({"leak": "now"}, LEAK, "info", "phone"),
        ({"leak": "bundled"}, LEAK, "info", "phone"),
        ({"leak": "daily"}, LEAK, "warning", DIGEST),
        ({"leak": "weekly"}, LEAK, "warning", DIGEST),
        ({"leak": "off"}, LEAK, "warning", DIGEST),
        ({"leak": "off"}, COST, "warning", "phone"),
        ({"cost": "off"}, COST, "warning", DIGEST),
        ({"leak": "off"}, LEAK, "critical", "phone"),
        ({"safety": "off"}, LEAK, "critical", "phone"),
        ({"operator": "weekly"}, "meter_offline", "warning", DIGEST),
        ({"usage": "now"}, "a_rule_of_tomorrow", "info", "phone"),
    ],
)
def test_the_matrix_of_kinds_and_frequencies(
    frequency: dict[Kind, Frequency], rule: str, severity: Severity, told: str, event: Event
) -> None:
    """Each kind as often as the reader wants it; what is critical is of kind safety, and never off everywhere."""
    contact = Contact("phone", frequency=frequency)
    planned = route(event(rule=rule, severity=severity, at=ms(NOON)), [contact], Story(), NOON)
    assert [plan.channel for plan in planned] == [told]


def test_kinds_may_go_to_different_channels(event: Event) -> None:
    """Costs by mail, leaks to the phone; safety off on one channel is told on the other."""
    contacts = [Contact("phone", frequency={"cost": "off"}), Contact("mail", frequency={"safety": "off"})]

    def told(rule: str, severity: Severity) -> list[str]:
        return [
            plan.channel for plan in route(event(rule=rule, severity=severity, at=ms(NOON)), contacts, Story(), NOON)
        ]

    assert told(COST, "warning") == ["mail"]
    assert told(LEAK, "warning") == ["phone"]
    assert told(LEAK, "critical") == ["phone"]


def test_what_follows_within_ten_minutes_goes_together(event: Event) -> None:
    """The first goes at once, the next ones as one message ten minutes later, without using up another cap."""
    minute = timedelta(minutes=1)
    told: list[tuple[str, datetime]] = []
    for after in (0, 2, 5, 9, 12, 31):
        now = NOON + after * minute
        planned = route(event(severity="warning", at=ms(now)), [PHONE], Story(interruptions=tuple(told)), now)
        told += [(plan.channel, plan.due) for plan in planned]
    assert [round((due - NOON) / minute) for _, due in told] == [0, 10, 10, 10, 20, 31]
    assert [channel for channel, _ in told] == ["phone"] * 5 + [DIGEST]


def test_now_waits_for_nothing(event: Event) -> None:
    """Who asks for it gets each by itself."""
    story = Story(interruptions=(("phone", NOON - timedelta(minutes=1)),))
    contact = Contact("phone", frequency={"leak": "now"})
    planned = route(event(rule=LEAK, severity="warning", at=ms(NOON)), [contact], story, NOON)
    assert [plan.due for plan in planned] == [NOON]


def test_the_second_contact_hears_what_nobody_answered(event: Event) -> None:
    """A quarter of an hour after the last reminder, once; warnings and updates never."""
    contacts = [PHONE, Contact("neighbour", second=True)]
    first, second = route(event(at=ms(NOON)), contacts, Story(), NOON)
    assert (first.channel, first.due, first.repeat) == ("phone", NOON, 0)
    assert (second.channel, second.due, second.repeat) == ("neighbour", NOON + timedelta(minutes=135), 3)
    again = route(event(state="updated", seq=2, at=ms(NOON)), contacts, Story(worst="critical"), NOON)
    assert [plan.channel for plan in again] == ["phone"]
    warning = event(severity="warning", at=ms(NOON))
    assert [plan.channel for plan in route(warning, contacts[1:], Story(), NOON)] == [DIGEST]
    assert [plan.due for plan in route(event(at=ms(NOON)), contacts[1:], Story(), NOON)] == [NOON]


def test_the_second_contact_takes_over_when_nobody_can_be_reached(event: Event) -> None:
    """Only then, and only for what is critical."""
    contacts = [PHONE, Contact("neighbour", second=True)]
    assert fallback(event(), contacts, frozenset({"phone"})) is None
    assert fallback(event(), contacts, frozenset({"phone"}), nobody=True) == "neighbour"
    assert fallback(event(severity="warning"), contacts, frozenset({"phone"}), nobody=True) is None


@pytest.mark.parametrize(("day", "until"), [(date(2026, 2, 25), 10), (date(2026, 11, 22), 5)])
def test_ramadan_has_hours_of_its_own(day: date, until: int) -> None:
    """Quiet in the morning of the month of fasting, as always otherwise."""
    contact = Contact("phone", fasting=(time(4), time(10)))
    at = datetime.combine(day, time(5), RIYADH)
    assert after_quiet(contact, at).hour == (until if until == 10 else 7)


@given(
    minutes=st.lists(st.integers(0, 21 * 24 * 60), max_size=80),
    severities=st.lists(st.sampled_from(["info", "warning", "critical"]), min_size=80, max_size=80),
    zone=st.sampled_from(["Asia/Riyadh", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
)
def test_the_caps_hold_whatever_happens(minutes: list[int], severities: list[Severity], zone: str) -> None:
    """Three weeks of alerts at any moments: never more than 3 a local day or 7 in any 7 days that are not critical."""
    from gateway.alerts.event import alert_id

    where = ZoneInfo(zone)
    contacts = [Contact("phone", "info"), Contact("mail", "info", None)]
    start = datetime(2026, 3, 20, tzinfo=UTC)
    planned: list[tuple[str, datetime]] = []
    for number, (minute, severity) in enumerate(zip(sorted(minutes), severities, strict=False)):
        now = (start + timedelta(minutes=minute)).astimezone(where)
        event = AlertEvent(
            id=alert_id("x", "m", number), seq=1, rule="x", meter="m", state="raised", severity=severity,
            raised=ms(now), at=ms(now),
        )  # fmt: skip
        sent = [plan for plan in route(event, contacts, Story(interruptions=tuple(planned)), now) if plan.channel]
        if severity == "critical":
            assert len(sent) == 2
        else:
            planned += [(plan.channel, plan.due) for plan in sent]
            assert all(not time(22) <= plan.due.time() and plan.due.time() >= time(7) for plan in sent)
    days = [moment.astimezone(where).date() for _, moment in set(planned)]
    assert all(days.count(day) <= CAP_DAY for day in days)
    assert all(sum(0 <= (other - day).days < 7 for other in days) <= CAP_WEEK for day in days)


@given(minutes=st.lists(st.integers(0, 21 * 24 * 60), max_size=60), weekend=st.sampled_from([{4, 5}, {5, 6}]))
def test_the_caps_hold_with_the_digest_counted(minutes: list[int], weekend: set[int]) -> None:
    """Three weeks of warnings beside a weekly digest: never more than 3 a day or 7 in any 7 days, digests and all."""
    contacts = [Contact("phone")]
    start = datetime(2026, 11, 1, tzinfo=RIYADH)
    sent: set[tuple[str, datetime]] = set()
    for number, minute in enumerate(sorted(minutes)):
        now = start + timedelta(minutes=minute)
        event = AlertEvent(
            id=f"{number:016x}", seq=1, rule="water_leak", meter="m", state="raised", severity="warning",
            raised=ms(now), at=ms(now),
        )  # fmt: skip
        known = {*sent, *coming(contacts, now, weekend), *coming(contacts, now - timedelta(days=8), weekend)}
        sent |= {(plan.channel, plan.due) for plan in route(event, contacts, Story(interruptions=tuple(known)), now)}
    told = {one for one in sent if one[0] == "phone"}
    told |= {one for week in range(-1, 5) for one in coming(contacts, start + timedelta(days=7 * week), weekend)[:1]}
    days = [at.date() for _, at in told]
    assert all(days.count(day) <= CAP_DAY for day in days)
    assert all(sum(0 <= (other - day).days < 7 for other in days) <= CAP_WEEK for day in days)


def test_what_gateways_do_is_for_the_operator() -> None:
    """Nobody who wants to hear of their use at once is woken for a gateway."""
    assert {KIND.get(rule.name) for rule in (GatewayOffline, GatewaysOffline, LateReadings)} == {"operator"}
