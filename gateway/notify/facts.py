"""The facts of an alert as one speech says them: what the places in a text's braces are filled with.

    meter, at, raised, since, cleared    who and when; `since` is when it began, before it was told
    value, baseline, percent             how much, against what; a value that has neither unit nor quantity is none
    month, minute, extra                 what a flow makes in 30 days and in a minute, what a rise makes in 30 days
    lasted, litres                       how long, from `since` to the end or until the event; how much in all
    phase, emergency                     L1 to L3; the number to call
    cost, price, next_price, offer       what it costs, what a unit does in this tier and the next; another tariff
    cost_so_far, cost_day, …             what it costs by span, for the alert's own page
    every key of the evidence            by the unit its name ends in: peak_a, period_s, ends_ms (a moment), low_money

A fact nobody told is not there, and a sentence that needs it is not said.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from gateway.alerts.event import AlertEvent
from gateway.notify.costs import Priced, Span
from gateway.notify.speech import Speech, clean
from gateway.notify.texts.cost import PRICES

_BEGINNINGS = ("since_ms", "last_ms", "silent_since_ms")
_TOTAL = "lost_l"
_UNITS = {
    "l_min": ("l/min", 1), "l_h": ("l/h", 1), "wh": ("Wh", 1), "w": ("W", 1), "a": ("A", 1), "v": ("V", 1),
    "l": ("l", 1), "s": ("s", 1), "hours": ("h", 1), "days": ("s", 86400), "today": ("times", 1),
}  # fmt: skip
"""By the end of a key: the unit to say it in, and by how much to multiply it for that."""
_UNLEARNT = ("usual_hours", "longest_s")
"""Keys of what a home was seen to do so far: 0 says that nothing was seen yet."""
_MONEY = "_money"
"""Ends the keys of sums in the event's own unit, which is a currency then."""
_GUESSES = frozenset({"bill_projection"})
"""Rules whose value is a sum that nobody knows to the hundredth."""
_GUESSED = frozenset({"low_money", "high_money", "usual_money"})
"""And keys of such sums."""
_ABOUT_FROM = 10
"""From so much money on nobody counts hundredths of what is said with "about"."""
_COST_OF: Mapping[Span, str] = {
    "month": "cost_month", "day": "cost_day", "more": "cost_more", "so far": "cost_so_far",
}  # fmt: skip
_MONTH_HOURS = 720
_LATEST = 1 << 42
_TITLE_LIMIT = 60
"""Characters of a tariff's title, as many as of a message's."""
_PHASE = re.compile(r"_(l[123])_")


def facts_of(event: AlertEvent, name: str, speech: Speech, emergency: str = "") -> dict[str, str]:
    """Say every fact of an event; `name` is what people call the meter, `emergency` the number to call."""
    moments = {key: int(at) for key, at in event.evidence.items() if key.endswith("_ms") and 0 <= at < _LATEST}
    begun = next((moments[key] for key in _BEGINNINGS if key in moments), None)
    since = event.raised if begun is None else begun
    facts = _evidence(event, speech) | {key: speech.moment(at) for key, at in moments.items()}
    facts["meter"] = speech.name(name)
    facts["at"], facts["raised"], facts["since"] = (speech.moment(at) for at in (event.at, event.raised, since))
    if event.cleared is not None:
        facts["cleared"] = speech.moment(event.cleared)
    lasted = (event.at if event.cleared is None else event.cleared) - since
    # An alert is raised some time after what it is about began; without that moment nobody knows how long it lasted.
    if begun is not None and lasted > 0:
        facts["lasted"] = speech.span(lasted / 1000)
    if phase := _PHASE.search(event.quantity):
        facts["phase"] = speech.paper.number(phase[1].upper())
    if emergency:
        facts["emergency"] = speech.paper.number(emergency)
    return facts | _amounts(event, speech)


def _amounts(event: AlertEvent, speech: Speech) -> dict[str, str]:
    """Say the value, what it is held against, and what follows from them."""
    facts: dict[str, str] = {}
    if event.value is not None and (event.unit or event.quantity):
        if event.rule in _GUESSES:
            facts["value"] = about(Decimal(str(event.value)), event.unit, speech)
        else:
            facts["value"] = speech.amount(event.value, event.unit, event.baseline or 0)
        if event.unit == "l/h":
            facts["month"] = speech.amount(event.value * _MONTH_HOURS, "l")
            facts["minute"] = speech.amount(event.value / 60, "l/min")
    if event.baseline:
        facts["baseline"] = speech.amount(event.baseline, event.unit, event.value or 0)
        if event.value is not None:
            facts["percent"] = speech.amount(100 * event.value / event.baseline, "%")
    if rise := event.evidence.get("rise_w"):
        facts["extra"] = speech.amount(rise * _MONTH_HOURS, "Wh")
    return facts


def _evidence(event: AlertEvent, speech: Speech) -> dict[str, str]:
    facts: dict[str, str] = {}
    for key, number in event.evidence.items():
        ending = next((ending for ending in _UNITS if key == ending or key.endswith(f"_{ending}")), None)
        if key in _GUESSED:
            facts[key] = about(Decimal(str(number)), event.unit, speech)
        elif key.endswith(_MONEY):
            facts[key] = speech.amount(number, event.unit)
        elif ending is not None and (number or key not in _UNLEARNT):
            unit, times = _UNITS[ending]
            facts[key] = speech.amount(number * times, unit)
    return facts | {"litres": facts[_TOTAL]} if _TOTAL in facts else facts


def about(value: Decimal, currency: str, speech: Speech) -> str:
    """Say a sum as finely as it is known."""
    return speech.amount(round(value) if value >= _ABOUT_FROM else value, currency)


def facts_of_price(priced: Priced, speech: Speech) -> dict[str, str]:
    """Say what is known of an event's money."""
    facts: dict[str, str] = {}
    if priced.cost is not None:
        facts["cost"] = facts[_COST_OF[priced.span]] = about(priced.cost, priced.currency, speech)
    facts |= {_COST_OF[span]: about(cost, priced.currency, speech) for span, cost in priced.besides.items()}
    for name, price in (("price", priced.price), ("next_price", priced.next_price)):
        if price is not None and priced.unit in PRICES:
            facts[name] = speech.say(PRICES[priced.unit], money=speech.amount(price, priced.currency))
    if priced.offer is not None:
        title = priced.offer.ar if speech.language == "ar" else priced.offer.en
        facts["offer"] = speech.paper.words(clean(title, _TITLE_LIMIT))
    return facts
