"""The live page in one language: all of it for a first look, and part by part for whoever keeps watching.

A part is a piece of HTML with a name, the `id` of the element it fills. Parts leave out the text of ages, which tick in
the browser, so that a part differs only when something was read, raised or answered.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
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
from gateway.web.alertview import alerts_of
from gateway.web.rights import Visitor
from gateway.web.source import DaySource, LiveSource
from gateway.web.view import sections
from gateway.web.words import Words, isolated

TEMPLATES = Path(__file__).parent / "templates"
EVERY = 5
"""Seconds between two looks of a browser without script."""
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


class Screen:
    """The live page of one home in one language, as one visitor may see it."""

    def __init__(self, pages: Pages, sources: Sources, language: str, visitor: Visitor) -> None:
        self._pages, self._sources, self._language, self._visitor = pages, sources, language, visitor

    def page(self) -> str:
        """Render all of it."""
        return self._pages.render("live.html", self._language, every=EVERY, visitor=self._visitor, **self._values())

    def parts(self) -> dict[str, str]:
        """Render it part by part, by the id of the element each fills."""
        values = self._values() | {"visitor": self._visitor}
        parts = {name: self._part(f"{name}.html", values) for name in ("summary", "alerts")}
        for section in values["sections"]:
            for card in section.cards:
                parts[f"m-{card.id}"] = self._part("card.html", {"card": card})
        return parts

    def _part(self, template: str, values: dict[str, Any]) -> str:
        return _AGE.sub(r"\1", self._pages.render(template, self._language, **values))

    def _values(self) -> dict[str, Any]:
        sources, words, visitor = self._sources, self._pages.words[self._language], self._visitor
        meters = [_since(meter, visitor.since) for meter in sources.meters.of(visitor.tenant)]
        now = sources.now()
        shown = sections(meters, now, words, self._day, self._money)
        cards = [card for section in shown for card in section.cards]
        names = {meter.id: meter.name or meter.id for meter in meters}
        return {
            "now": now,
            "sections": shown,
            "meters": len(cards),
            "troubles": [
                words.say(text, **{name: isolated(part) for name, part in parts.items()})
                for text, parts in sources.troubles()
            ],
            "behind": sum(card.state != "fresh" for card in cards),
            "alerts": alerts_of(sources.alerts, visitor, names, now, sources.zone, words, sources.price)
            if sources.alerts
            else None,
        }

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
