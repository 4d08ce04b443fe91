"""From an alert's event to the words of one message in one language.

Every message says what happened, how much against normal, what to do and how to answer. It comes as a title (60
characters at most), a plain text for push, and a mail in plain text and in HTML. What meters and people named stands
cleaned, escaped and isolated in all of them. Text messages get what fits into two parts.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from string import Formatter
from typing import Literal

from gateway.alerts.event import AlertEvent
from gateway.i18n import N_, direction, words
from gateway.notify.costs import Priced
from gateway.notify.facts import facts_of, facts_of_price
from gateway.notify.links import ACTIONS, REPLIES, Action
from gateway.notify.router import UNANSWERED
from gateway.notify.sms import fit
from gateway.notify.speech import Html, Paper, Plain, Speech
from gateway.notify.texts import text_for
from gateway.notify.texts.cost import COST
from gateway.notify.units import plural

SHOWN = 5
"""Alerts of one message that are told each by itself: a list of more is not read on a phone."""
HOW_MANY = plural("{n} alert", "{n} alerts")
HOW_MANY_OVER = plural("{n} alert is over", "{n} alerts are over")
MORE = plural("And {n} other, on the live page.", "And {n} others, on the live page.")
LIVE_PAGE, OWN_PAGE = N_("Live page"), N_("More about this alert")
LABELS: dict[Action, str] = {
    "acknowledge": N_("I have seen it"),
    "mute": N_("No messages of this kind for a week"),
    "useful": N_("Useful"),
    "not_useful": N_("Not useful"),
    "normal": N_("Normal for me"),
    "fixed": N_("I fixed it"),
    "call_me": N_("Call me"),
}
"""What each answer's link or button says."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is told to whom: `name` is the meter's, `now` the reader's local time, `page` the live page's address.

    `links` are those of the answers, none where there is nothing to answer; `late` means it happened a while ago,
    `repeat` that it was told so many times before. `emergency` is the number to call when it smells of gas,
    `priced` what is known of the event's money, `own` the address of the alert's own page.
    """

    event: AlertEvent
    name: str
    language: str
    now: datetime
    page: str = ""
    links: Mapping[Action, str] = field(default_factory=dict)
    late: bool = False
    repeat: int = 0
    emergency: str = ""
    priced: Priced | None = None
    own: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A link a message carries: what it does, as its label says, and where; `action` is "" for a page to look at."""

    label: str
    url: str
    action: Action | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Words:
    """One message in one language: `text` for push, `plain` and `html` for mail, `sms` for two parts of a text message.

    `acknowledge`, `mute` and `page` are links of their own, `replies` the other answers.
    """

    language: str
    title: str
    text: str
    plain: str
    html: str
    acknowledge: Answer | None = None
    mute: Answer | None = None
    page: Answer | None = None
    replies: tuple[Answer, ...] = ()
    sms: str = ""


def render(occasion: Occasion) -> Words:
    """Put an occasion into words."""
    title, sentences, action = _sentences(occasion, Plain())
    _, marked, _ = _sentences(occasion, Html())
    answers = {
        action: Answer(words(occasion.language).gettext(LABELS[action]), occasion.links[action], action)
        for action in ACTIONS
        if action in occasion.links
    }
    return laid_out(
        occasion.language,
        title,
        sentences,
        marked,
        action=action,
        page=occasion.own or occasion.page,
        label=OWN_PAGE if occasion.own else LIVE_PAGE,
        acknowledge=answers.get("acknowledge"),
        mute=answers.get("mute"),
        replies=tuple(answers[action] for action in REPLIES if action in answers),
    )


def render_together(occasions: Sequence[Occasion]) -> Words:
    """Put several occasions of one reader into one message: a title for all, and of each what happened."""
    first = occasions[0]

    def said(paper: Paper) -> list[str]:
        shown = [_sentences(occasion, paper, short=True)[1] for occasion in occasions[:SHOWN]]
        speech = Speech(first.language, paper, first.now)
        left = len(occasions) - SHOWN
        rest = [speech.counted(*MORE, max(left, 1))]
        return [sentence for sentences in shown for sentence in sentences] + (rest if left > 0 else [])

    how_many = HOW_MANY if any(occasion.event.open for occasion in occasions) else HOW_MANY_OVER
    title = Speech(first.language, Plain(), first.now).counted(*how_many, len(occasions))
    return laid_out(first.language, title, said(Plain()), said(Html()), page=first.page)


def laid_out(
    language: str,
    title: str,
    sentences: list[str],
    marked: list[str],
    *,
    action: int = 0,
    page: str = "",
    label: str = LIVE_PAGE,
    acknowledge: Answer | None = None,
    mute: Answer | None = None,
    replies: tuple[Answer, ...] = (),
) -> Words:
    """Lay a message out in every form; `marked` are the sentences as HTML, `page` is where the link `label` leads.

    `action` is the number of the sentence that says what to do, for which a text message keeps room.
    """
    live = Answer(words(language).gettext(label), page) if page else None
    links = [answer for answer in (acknowledge, *replies, mute, live) if answer]
    return Words(
        language=language,
        title=title,
        text=" ".join(sentences),
        plain=_plain(sentences, links),
        html=_html(language, title, marked, links),
        acknowledge=acknowledge,
        mute=mute,
        page=live,
        replies=replies,
        sms=fit(sentences, action),
    )


def _sentences(occasion: Occasion, paper: Paper, *, short: bool = False) -> tuple[str, list[str], int]:
    """Say title and sentences on one paper, and which of them is what to do first; `short` only what happened."""
    event = occasion.event
    speech = Speech(occasion.language, paper, occasion.now)
    facts = facts_of(event, occasion.name, speech, occasion.emergency)
    priced = occasion.priced
    facts |= facts_of_price(priced, speech) if priced else {}
    text = text_for(event.rule, event.state, event.severity, event.quantity)
    title = _say(text.title, facts, speech)
    if occasion.repeat >= UNANSWERED:
        title = speech.say("Unanswered: {title}", title=title)
    elif occasion.repeat:
        title = speech.say("Reminder: {title}", title=title)
    chosen, action = [_fullest(text.happened, facts)], ""
    if not short:
        cost = COST[priced.span] if priced and "cost" in facts else ""
        chosen += [_fullest(text.urgent, facts), _fullest(text.compared, facts), cost, *text.advice]
        action = chosen[1] or text.advice[0]
    spoken = [sentence for sentence in chosen if sentence]
    said = [_say(sentence, facts, speech) for sentence in spoken]
    if occasion.late:
        said.insert(0, speech.say("This message comes late: it is about {at}.", at=facts["at"]))
    return title, said, spoken.index(action) + occasion.late if action else 0


def _fullest(choice: Iterable[str], facts: dict[str, str]) -> str:
    """Give the first sentence whose facts are all known, or none."""
    return next((sentence for sentence in choice if _places(sentence) <= facts.keys()), "")


def _places(sentence: str) -> set[str]:
    return {place for _, place, _, _ in Formatter().parse(sentence) if place}


def _say(sentence: str, facts: dict[str, str], speech: Speech) -> str:
    return speech.say(sentence, **{place: facts[place] for place in _places(sentence)})


def _plain(sentences: list[str], answers: list[Answer]) -> str:
    """Lay out mail without markup; a link has its line to itself, where no isolate becomes part of it."""
    links = [f"{answer.label}:\n{answer.url}" for answer in answers]
    return "\n\n".join([*sentences, *links]) + "\n"


def _html(language: str, title: str, sentences: list[str], answers: list[Answer]) -> str:
    """Lay out mail; no picture, no script, nothing fetched from anywhere."""
    body = "".join(f"<p>{sentence}</p>\n" for sentence in sentences)
    links = "".join(
        f'<p><a href="{html.escape(answer.url)}">{html.escape(answer.label)}</a></p>\n' for answer in answers
    )
    return (
        f'<!doctype html>\n<html lang="{language}" dir="{direction(language)}">\n<head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title></head>\n"
        f'<body dir="{direction(language)}" style="font-family: sans-serif; line-height: 1.5">\n'
        f"{body}{links}</body>\n</html>\n"
    )
