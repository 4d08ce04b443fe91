"""An alert's own page in words: what happened and what to do, the numbers it rests on, and what was done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from gateway.alerts.event import AlertEvent
from gateway.i18n import N_
from gateway.notify.costs import Priced
from gateway.notify.facts import facts_of, facts_of_price
from gateway.notify.links import Action
from gateway.notify.render import LABELS, Occasion, render
from gateway.notify.speech import Html, Speech
from gateway.notify.story import Done, Step
from gateway.web.alertview import SEVERITIES, course_of
from gateway.web.words import Words

HERE = "page"
"""The channel of an answer that was given on the page itself."""
FACTS = {
    "since": N_("Began"),
    "raised": N_("Noticed"),
    "cleared": N_("Over"),
    "lasted": N_("Lasted"),
    "value": N_("Measured"),
    "baseline": N_("Held against"),
    "percent": N_("Share of that"),
    "above_wh": N_("More than usual"),
    "litres": N_("In all"),
    "month": N_("In a month"),
    "extra": N_("More in a month"),
    "cost_so_far": N_("Cost so far"),
    "cost_more": N_("Cost of the use above usual"),
    "cost_day": N_("Cost in a day"),
    "cost_month": N_("Cost in a month"),
    "phase": N_("Phase"),
}
"""The facts that are shown, in this order, with their labels."""
STEPS: dict[Done, str] = {
    "told": N_("told by {channel}"),
    "reminded": N_("reminded by {channel}"),
    "end told": N_("its end was told by {channel}"),
    "waits": N_("waits for {channel}"),
    "digest": N_("kept for the digest"),
    "given up": N_("{channel} could not be reached"),
    "called": N_("somebody called"),
    "acknowledge": N_("seen, by {channel}"),
    "mute": N_("muted, by {channel}"),
    "useful": N_("found useful, by {channel}"),
    "not_useful": N_("found not useful, by {channel}"),
    "normal": N_("said to be normal, by {channel}"),
    "fixed": N_("said to be fixed, by {channel}"),
    "call_me": N_("a call was asked for, by {channel}"),
}
BUTTONS: tuple[Action, ...] = ("useful", "not_useful", "normal", "fixed", "call_me")


@dataclass(frozen=True, slots=True)
class Button:
    """One answer: what it says and where its form goes."""

    label: Markup
    url: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an alert's page shows; `facts` and `steps` are pairs of label and text."""

    severity: str
    kind: Markup
    title: str
    text: str
    open: bool
    chart: Markup | None
    facts: Sequence[tuple[Markup, Markup]]
    steps: Sequence[tuple[Markup, Markup]]
    buttons: Sequence[Button]


def sheet_of(
    event: AlertEvent,
    name: str,
    steps: Sequence[Step],
    now: int,
    zone: str,
    words: Words,
    priced: Priced | None = None,
) -> Sheet:
    """Say all that is known of an alert, `now` is UTC ms."""
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(zone))
    said = render(Occasion(event, name, words.language, local, priced=priced))
    speech = Speech(words.language, Html(), local)
    facts = facts_of(event, name, speech) | (facts_of_price(priced, speech) if priced is not None else {})
    if not event.open:
        # What would become of it in a month is no news any more.
        facts.pop("month", None)
    said_already = {step.done for step in steps}
    done = [(speech.moment(step.at), _step(step, words)) for step in steps]
    return Sheet(
        event.severity,
        words.say(SEVERITIES[event.severity]),
        said.title,
        said.text,
        event.open,
        course_of(event, words),
        # The speech escaped what it set on its paper.
        [(words.say(label), Markup(facts[key])) for key, label in FACTS.items() if key in facts],  # noqa: S704
        [(Markup(at), text) for at, text in done],  # noqa: S704
        [
            Button(words.say(LABELS[action]), f"/alert/{event.id}/{action}?back=alert")
            for action in BUTTONS
            if action not in said_already
        ],
    )


def _step(step: Step, words: Words) -> Markup:
    here = words.say("this page") if step.channel == HERE else Markup("<bdi>{}</bdi>").format(step.channel)
    return words.say(STEPS[step.done], channel=here)
