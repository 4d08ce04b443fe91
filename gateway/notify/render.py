"""From an alert's event to the words of one message in one language.

Every message says what happened, how much against normal, what to do and how to answer. It comes as a title (60
characters at most), a plain text for push, and a mail in plain text and in HTML. What meters and people named stands
cleaned, escaped and isolated in all of them.
"""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from string import Formatter

from gateway.alerts.event import AlertEvent
from gateway.i18n import direction
from gateway.notify.facts import facts_of
from gateway.notify.speech import Html, Paper, Plain, Speech
from gateway.notify.texts import text_for


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is told to whom: `name` is the meter's, `now` the reader's local time, `page` the live page's address.

    `acknowledge` and `mute` are links, empty where there is nothing to answer; `late` means it happened a while ago,
    `repeat` that it was told so many times before.
    """

    event: AlertEvent
    name: str
    language: str
    now: datetime
    page: str = ""
    acknowledge: str = ""
    mute: str = ""
    late: bool = False
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A link a message carries: what it does, as its label says, and where."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Words:
    """One message in one language: `text` for push, `plain` and `html` for mail."""

    language: str
    title: str
    text: str
    plain: str
    html: str
    acknowledge: Answer | None
    mute: Answer | None
    page: Answer | None


def render(occasion: Occasion) -> Words:
    """Put an occasion into words."""
    title, sentences = _sentences(occasion, Plain())
    _, marked = _sentences(occasion, Html())
    speech = Speech(occasion.language, Plain(), occasion.now)
    acknowledge = _answer(speech.say("I have seen it"), occasion.acknowledge)
    mute = _answer(speech.say("No messages of this kind for a week"), occasion.mute)
    page = _answer(speech.say("Live page"), occasion.page)
    answers = [answer for answer in (acknowledge, mute, page) if answer]
    return Words(
        language=occasion.language,
        title=title,
        text=" ".join(sentences),
        plain=_plain(sentences, answers),
        html=_html(occasion.language, title, marked, answers),
        acknowledge=acknowledge,
        mute=mute,
        page=page,
    )


def _sentences(occasion: Occasion, paper: Paper) -> tuple[str, list[str]]:
    """Say title and sentences on one paper."""
    event = occasion.event
    speech = Speech(occasion.language, paper, occasion.now)
    facts = facts_of(event, occasion.name, speech)
    text = text_for(event.rule, event.state, event.severity)
    title = _say(text.title, facts, speech)
    if occasion.repeat:
        title = speech.say("Reminder: {title}", title=title)
    chosen = [_fullest(text.happened, facts), _fullest(text.compared, facts), *text.advice]
    said = [_say(sentence, facts, speech) for sentence in chosen if sentence]
    if occasion.late:
        said.insert(0, speech.say("This message comes late: it is about {at}.", at=facts["at"]))
    return title, said


def _fullest(choice: Iterable[str], facts: dict[str, str]) -> str:
    """Give the first sentence whose facts are all known, or none."""
    return next((sentence for sentence in choice if _places(sentence) <= facts.keys()), "")


def _places(sentence: str) -> set[str]:
    return {place for _, place, _, _ in Formatter().parse(sentence) if place}


def _say(sentence: str, facts: dict[str, str], speech: Speech) -> str:
    return speech.say(sentence, **{place: facts[place] for place in _places(sentence)})


def _answer(label: str, url: str) -> Answer | None:
    return Answer(label, url) if url else None


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
