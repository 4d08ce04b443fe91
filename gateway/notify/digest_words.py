"""From a digest's facts to its words in one language: each meter, the alerts, then what is worth a thought."""

from datetime import datetime
from decimal import Decimal

from drivers.quantities import BY_KEY
from gateway.notify.digest import TIPS, Digest, Met, Use
from gateway.notify.facts import about, facts_of
from gateway.notify.render import Words, laid_out
from gateway.notify.speech import Html, Paper, Plain, Speech
from gateway.notify.texts import digest as texts
from gateway.notify.texts import text_for

SHOWN = 8
"""Alerts that are named; a home with more has read of them already."""
NEAR = 0.03
"""A share of the usual this close to 1 is as usual: weeks are never quite alike."""


def words_of(digest: Digest, language: str, now: datetime, page: str) -> Words:
    """Put a digest into words; `now` is the reader's local time."""
    title = Speech(language, Plain(), now).say(texts.DAY if digest.daily else texts.WEEK)
    plain, marked = (_sentences(digest, Speech(language, paper, now)) for paper in _papers())
    return laid_out(language, title, plain, marked, page=page)


def _papers() -> tuple[Paper, Paper]:
    return Plain(), Html()


def _sentences(digest: Digest, speech: Speech) -> list[str]:
    # What is said of one meter stands together: in mail each of these is a paragraph.
    said = [" ".join(_use(use, speech)) for use in digest.uses]
    if not said and not digest.daily:
        said.append(speech.say(texts.NOTHING_KNOWN))
    said += _alerts(digest, speech)
    saved = next((use for use in digest.uses if use.name == digest.saved), None)
    if saved is not None and saved.share is not None:
        percent = speech.amount(100 * (1 - saved.share), "%")
        said.append(speech.say(texts.SAVED, meter=speech.name(saved.name), percent=percent))
    said += [_met(goal, speech) for goal in digest.met]
    if digest.calm:
        said.append(speech.counted(*texts.CALM, digest.calm))
    if digest.tip in texts.TIPS:
        figure = _figure(digest, speech)
        said.append(speech.say(texts.TIPS[digest.tip], figure=figure))
    return said


def _use(use: Use, speech: Speech) -> list[str]:
    amount = speech.amount(use.amount, BY_KEY[use.key].unit if use.key in BY_KEY else "")
    meter = speech.name(use.name)
    if use.share is None:
        said = [speech.say(texts.ALONE, meter=meter, amount=amount)]
    elif abs(use.share - 1) < NEAR:
        said = [speech.say(texts.SAME, meter=meter, amount=amount)]
    else:
        sentence = texts.LESS if use.share < 1 else texts.MORE
        percent = speech.amount(100 * abs(use.share - 1), "%")
        said = [speech.say(sentence, meter=meter, amount=amount, percent=percent)]
    return said + _money(use, speech)


def _met(goal: Met, speech: Speech) -> str:
    unit = BY_KEY[goal.key].unit if goal.key in BY_KEY else ""
    amounts = {"amount": speech.amount(goal.amount, unit), "goal": speech.amount(goal.goal, unit)}
    return speech.say(texts.MET, meter=speech.name(goal.name), **amounts)


def _money(use: Use, speech: Speech) -> list[str]:
    sums = {name: getattr(use, name) for name in ("cost", "likely", "low", "high")}
    said = {name: about(Decimal(text), use.currency, speech) for name, text in sums.items() if text}
    cost = [speech.say(texts.COST, cost=said["cost"])] if "cost" in said else []
    if not {"likely", "low", "high"} <= said.keys():
        return cost
    return [*cost, speech.say(texts.LIKELY, likely=said["likely"], low=said["low"], high=said["high"])]


def _alerts(digest: Digest, speech: Speech) -> list[str]:
    if not digest.alerts:
        return [speech.say(texts.NO_ALERT)]
    said = [speech.counted(*texts.ALERTS, len(digest.alerts))]
    for event in digest.alerts[:SHOWN]:
        facts = facts_of(event, digest.names.get(event.meter, event.meter), speech)
        title = speech.say(
            text_for(event.rule, event.state, event.severity, event.quantity).title, meter=facts["meter"]
        )
        said.append(f"{title} ({facts['raised']}).")
    return said


def _figure(digest: Digest, speech: Speech) -> str:
    name = TIPS[digest.tip].figure
    return speech.amount(digest.figures.get(name, 0.0), texts.FIGURE_UNITS[name])
