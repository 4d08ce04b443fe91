"""From an alert to what the page says of it: the words of its message, its course as a picture, the answer it got."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from gateway.alerts.event import AlertEvent
from gateway.i18n import N_
from gateway.notify.costs import Priced
from gateway.notify.render import Occasion, render
from gateway.web.alertbook import Alert, AlertBook
from gateway.web.chart import course
from gateway.web.rights import Visitor
from gateway.web.words import Words

Price = Callable[[str, AlertEvent], Priced | None]
"""Prices a tenant's alert."""
SEVERITIES = {"critical": N_("Urgent"), "warning": N_("Warning"), "info": N_("Information")}
ANSWERS = {
    "acknowledge": N_("You have seen this. It stays here until it is over."),
    "mute": N_("No messages of this kind for a week. The page still shows them."),
    "useful": N_("You found this useful."),
    "not_useful": N_("You found this not useful: this alert now asks for more before it comes again."),
    "normal": N_("This is normal for you: this alert now asks for more before it comes again."),
    "fixed": N_("You fixed it. You hear from us when the meter shows that it is over."),
    "call_me": N_("We will call you about this."),
}


def _hours(event: AlertEvent) -> float:
    return event.evidence.get("hours") or 1.0


_PIECES: Mapping[str, Callable[[AlertEvent], float]] = {
    "high_usage": _hours,
    "high_water_day": _hours,
    "water_burst": lambda _: 60.0,
}
"""Rules whose points are pieces of their baseline, and how many: hours of a sum, minutes of an hour's flow."""


@dataclass(frozen=True, slots=True)
class AlertCard:
    """One alert on the page; `kind` is its severity in words, `answer` what it was answered."""

    id: str
    severity: str
    kind: Markup
    title: str
    text: str
    age: Markup
    chart: Markup | None
    answer: Markup | None


@dataclass(frozen=True, slots=True)
class Alerts:
    """The alerts part of the page: those open, and those over since a day at most."""

    open: list[AlertCard]
    over: list[AlertCard]


def alerts_of(
    book: AlertBook,
    visitor: Visitor,
    names: Mapping[str, str],
    now: int,
    zone: str,
    words: Words,
    price: Price = lambda _tenant, _event: None,
) -> Alerts:
    """Say what the page says of the alerts of a home; `names` gives a meter's name by its id, `now` is UTC ms."""
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(zone))

    def card(alert: Alert) -> AlertCard:
        event = visitor.view(alert.event)
        name = names.get(event.meter, event.meter)
        said = render(Occasion(event, name, words.language, local, priced=price(alert.tenant, event)))
        return AlertCard(
            event.id,
            event.severity,
            words.say(SEVERITIES[event.severity]),
            said.title,
            said.text,
            words.ago(event.raised if event.open else event.at, now),
            course_of(event, words),
            words.say(ANSWERS[alert.answer]) if alert.answer else None,
        )

    return Alerts([card(alert) for alert in book.open(visitor)], [card(alert) for alert in book.over(visitor)])


def course_of(event: AlertEvent, words: Words) -> Markup | None:
    """Draw what was measured up to an alert, and what it is held against, both in one unit."""
    if len(event.points) < 2:  # noqa: PLR2004  a line has two ends
        return None
    pieces = _PIECES[event.rule](event) if event.rule in _PIECES else 1.0
    held = None if event.baseline is None else event.baseline / pieces
    return course(event.points, held, str(words.say("Its course up to the alert").striptags()))
