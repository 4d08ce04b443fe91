"""The facts of an alert as one speech says them: what the places in a text's braces are filled with.

    meter, at, raised, since, cleared    who and when; `since` is when it began, before it was told
    value, baseline, percent, month      how much, against what, and what a flow makes in 30 days
    lasted, litres                       how long, from `since` to the end or until the event; how much in all
    every key of the evidence            by the unit its name ends in: peak_a, period_s

A fact nobody told is not there, and a sentence that needs it is not said.
"""

from gateway.alerts.event import AlertEvent
from gateway.notify.speech import Speech

_BEGINNINGS = ("since_ms", "last_ms", "silent_since_ms")
_TOTAL = "lost_l"
_UNITS = {"l_h": "l/h", "wh": "Wh", "w": "W", "a": "A", "v": "V", "l": "l", "s": "s"}
_MONTH_HOURS = 720


def facts_of(event: AlertEvent, name: str, speech: Speech) -> dict[str, str]:
    """Say every fact of an event; `name` is what people call the meter."""
    begun = next((int(event.evidence[key]) for key in _BEGINNINGS if key in event.evidence), None)
    since = event.raised if begun is None else begun
    facts = _evidence(event, speech)
    facts["meter"] = speech.name(name)
    facts["at"], facts["raised"], facts["since"] = (speech.moment(at) for at in (event.at, event.raised, since))
    if event.cleared is not None:
        facts["cleared"] = speech.moment(event.cleared)
    lasted = (event.at if event.cleared is None else event.cleared) - since
    # An alert is raised some time after what it is about began; without that moment nobody knows how long it lasted.
    if begun is not None and lasted > 0:
        facts["lasted"] = speech.span(lasted / 1000)
    if event.value is not None:
        facts["value"] = speech.amount(event.value, event.unit)
        if event.unit == "l/h":
            facts["month"] = speech.amount(event.value * _MONTH_HOURS, "l")
    if event.baseline:
        facts["baseline"] = speech.amount(event.baseline, event.unit)
        if event.value is not None:
            facts["percent"] = speech.amount(100 * event.value / event.baseline, "%")
    return facts


def _evidence(event: AlertEvent, speech: Speech) -> dict[str, str]:
    facts: dict[str, str] = {}
    for key, number in event.evidence.items():
        ending = next((ending for ending in _UNITS if key.endswith(f"_{ending}")), None)
        if ending is not None:
            facts[key] = speech.amount(number, _UNITS[ending])
    return facts | {"litres": facts[_TOTAL]} if _TOTAL in facts else facts
