"""A test alert: marked as one in every form, and sent by the very way that alerts take."""

from datetime import datetime

from gateway.alerts.event import AlertEvent, alert_id, cloud_event
from gateway.i18n import LANGUAGES, N_
from gateway.notify.channels.contract import Message
from gateway.notify.render import Words, laid_out
from gateway.notify.speech import Html, Paper, Plain, Speech

RULE = "test_alert"
"""What programs see as its rule; no rule of the catalogue has this name."""
TITLE = N_("Test alert: {name}")
SENTENCES = (
    N_("This is a test by {name}: nothing has happened."),
    N_("An alert reaches you in the same way."),
    N_("There is nothing left to do."),
)


def trial(source: str, tenant: str, channel: str, language: str, now: datetime) -> Message:
    """Make the test alert of a gateway or hub for one channel; `now` is the reader's local time."""
    ms = round(now.timestamp() * 1000)
    event = AlertEvent(
        id=alert_id(RULE, source, ms), seq=1, rule=RULE, meter=source, state="raised", severity="info",
        raised=ms, at=ms,
    )  # fmt: skip
    every = {spoken: _words(source, spoken, now) for spoken in LANGUAGES}
    key = f"{event.key}.{channel}"
    return Message(key, event.id, every[language], event, cloud_event(event, tenant, source), every)


def _words(source: str, language: str, now: datetime) -> Words:
    def said(paper: Paper) -> list[str]:
        speech = Speech(language, paper, now)
        return [speech.say(sentence, name=speech.name(source)) for sentence in SENTENCES]

    speech = Speech(language, Plain(), now)
    return laid_out(language, speech.say(TITLE, name=speech.name(source)), said(Plain()), said(Html()))
