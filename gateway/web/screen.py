"""The live page in one language: all of it for a first look, and part by part for whoever keeps watching.

A part is a piece of HTML with a name, the `id` of the element it fills. Parts leave out the text of ages, which tick in
the browser, so that a part differs only when something was read, raised or answered. So a part is rendered again only
when what it shows was touched, and each minute, since days, bills and prices follow a reading after a while.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.alerts.event import AlertEvent
from gateway.i18n import LANGUAGES, direction
from gateway.live import LiveMeter
from gateway.notify.costs import Priced
from gateway.outlook import Outlook
from gateway.today import Day
from gateway.troubles import Trouble
from gateway.web.alertbook import AlertBook
from gateway.web.alertview import Alerts, alerts_of
from gateway.web.rights import Visitor
from gateway.web.source import DaySource, LiveSource
from gateway.web.view import card, sections, state_of
from gateway.web.words import Words, isolated

TEMPLATES = Path(__file__).parent / "templates"
EVERY = 5
"""Seconds between two looks of a browser without script."""
RENEWED_MS = 60_000
"""After so long a part is rendered again though nothing of it seems to have changed."""
_AGE = re.compile(r"(<time[^>]*>).*?(?=</time>)")


@dataclass(frozen=True)
class Sources:
    """What there is to show; `now` gives UTC ms."""

    meters: LiveSource
    now: Callable[[], int]
    today: DaySource | None = None
    alerts: AlertBook | None = None
    zone: str = "UTC"
    troubles: Callable[[], Sequence[Trouble]] = tuple
    money: Callable[[LiveMeter], Outlook | None] = lambda _: None
    price: Callable[[str, AlertEvent], Priced | None] = lambda _tenant, _event: None

    def day(self, meter: LiveMeter) -> Day | None:
        """Give a meter's day, if anybody follows it."""
        return self.today.day(meter) if self.today is not None else None


@dataclass
class Pages:
    """Renders every page, escaped, in each language; `wide` says that there are more than the live page."""

    wide: bool = False
    words: dict[str, Words] = field(default_factory=lambda: {name: Words(name) for name in LANGUAGES})
    _made: Environment = field(init=False)

    def __post_init__(self) -> None:
        """Make the templates ready."""
        self._made = _environment()

    def render(self, template: str, language: str, **values: Any) -> str:
        """Fill a template in one language."""
        words = self.words[language]
        return self._made.get_template(template).render(
            say=words.say,
            plural=words.plural,
            language=language,
            direction=direction(language),
            languages=LANGUAGES,
            wide=self.wide,
            **{"address": "", "visitor": None, **values},
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """A part as it was rendered at a time in UTC ms; `shows` is compared to tell whether that still holds."""

    shows: object
    at: int
    html: str


class Screen:
    """The live page of one home in one language, as one visitor may see it."""

    def __init__(self, pages: Pages, sources: Sources, language: str, visitor: Visitor) -> None:
        self._pages, self._sources, self._language, self._visitor = pages, sources, language, visitor
        self._words = pages.words[language]
        self._kept: dict[str, _Part] = {}
        self._parts: Mapping[str, str] = {}

    def page(self) -> str:
        """Render all of it."""
        return self._pages.render("live.html", self._language, every=EVERY, visitor=self._visitor, **self._values())

    def parts(self, *, anew: bool = False) -> Mapping[str, str]:
        """Give it part by part, by the id of the element each fills: the very same mapping while nothing changed.

        `anew` renders every part, for whoever just got a whole page.
        """
        if anew:
            self._kept = {}
        sources, now, meters = self._sources, self._sources.now(), self._meters()
        states = [state_of(meter, now) for meter in meters]
        summary = self._summary(states)
        changes = sources.alerts.changes(self._visitor.tenant) if sources.alerts else 0
        kept = {
            "summary": self._part("summary", summary, now, lambda: summary),
            "alerts": self._part("alerts", changes, now, lambda: {"alerts": self._alerts(meters, now)}),
        }
        for meter, state in zip(meters, states, strict=True):
            shows = (state, meter.ts, meter.q, meter.values, meter.name, meter.commodity, meter.model)
            name = f"m-{meter.id}"
            kept[name] = self._part(name, shows, now, partial(self._card, meter, now))
        if kept != self._kept:
            self._kept, self._parts = kept, {name: part.html for name, part in kept.items()}
        return self._parts

    def _part(self, name: str, shows: object, now: int, values: Callable[[], Mapping[str, Any]]) -> _Part:
        """Render a part from `values`, unless what it shows is what it showed a moment ago."""
        old = self._kept.get(name)
        if old is not None and old.shows == shows and 0 <= now - old.at < RENEWED_MS:
            return old
        template = name if name in ("summary", "alerts") else "card"
        html = self._pages.render(f"{template}.html", self._language, **{"visitor": self._visitor, **values()})
        return _Part(shows, now, _AGE.sub(r"\1", html))

    def _values(self) -> dict[str, Any]:
        now, meters = self._sources.now(), self._meters()
        return {
            "now": now,
            "sections": sections(meters, now, self._words, self._day, self._money),
            "alerts": self._alerts(meters, now),
            **self._summary([state_of(meter, now) for meter in meters]),
        }

    def _meters(self) -> list[LiveMeter]:
        return [_since(meter, self._visitor.since) for meter in self._sources.meters.of(self._visitor.tenant)]

    def _summary(self, states: Sequence[str]) -> dict[str, Any]:
        troubles = [
            self._words.say(text, **{name: isolated(part) for name, part in parts.items()})
            for text, parts in self._sources.troubles()
        ]
        return {"troubles": troubles, "meters": len(states), "behind": sum(state != "fresh" for state in states)}

    def _alerts(self, meters: Sequence[LiveMeter], now: int) -> Alerts | None:
        sources = self._sources
        if sources.alerts is None:
            return None
        names = {meter.id: meter.name or meter.id for meter in meters}
        return alerts_of(sources.alerts, self._visitor, names, now, sources.zone, self._words, sources.price)

    def _card(self, meter: LiveMeter, now: int) -> dict[str, Any]:
        return {"card": card(meter, now, self._words, self._day(meter), self._money(meter))}

    def _day(self, meter: LiveMeter) -> Day | None:
        """Give a meter's day, unless somebody else lived here when it began."""
        day = self._sources.day(meter)
        return day if day is not None and day.hours[0] >= self._visitor.since else None

    def _money(self, meter: LiveMeter) -> Outlook | None:
        """Give a meter's money; of a billing period that began before the move only what today costs."""
        money = self._sources.money(meter)
        if money is None or money.since >= self._visitor.since:
            return money
        today = money.today if self._day(meter) is not None else None
        return Outlook(money.currency, today, None) if today is not None else None


def _since(meter: LiveMeter, since: int) -> LiveMeter:
    """Leave out a reading of before."""
    return meter if meter.ts >= since else replace(meter, ts=0, q=0, values={})


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["isolate"] = Markup("<bdi>{}</bdi>").format
    made.globals["command"] = Markup('<code dir="ltr">{}</code>').format
    return made
