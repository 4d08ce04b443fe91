"""The settings page in words: each channel's choices and hours, what answers moved, hours in which much use is known.

A form comes back as `read` finds it: wishes, or what is wrong at which field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup
from pydantic import ValidationError

from gateway.desk import Tuned
from gateway.i18n import N_
from gateway.notify.kinds import FREQUENCIES, KINDS, Frequency, Kind
from gateway.notify.router import Contact, Hours
from gateway.notify.speech import clean
from gateway.notify.texts import text_for
from gateway.notify.wishes import Wishes
from gateway.web.reply import FormError
from gateway.web.words import Words, isolated

NAMES: dict[Kind, tuple[str, str]] = {
    "safety": (N_("Safety"), N_("Gas, bursts, overload, outages, and whatever else is critical")),
    "leak": (N_("Leaks"), N_("Water that does not stop, flow while nobody is at home")),
    "usage": (N_("Unusual use"), N_("Much more or much less than usual here")),
    "cost": (N_("Bills and cost"), N_("Expected bills, tiers, budgets")),
    "operator": (N_("Meters"), N_("Silent meters, wrong clocks, empty batteries")),
    "digest": (N_("Digest"), N_("What was used, against the usual, with a tip")),
}
OFTEN: dict[Frequency, str] = {
    "now": N_("At once"),
    "bundled": N_("Soon, together with others"),
    "daily": N_("In a daily digest"),
    "weekly": N_("In the weekly digest"),
    "off": N_("Never"),
}
DIGEST: dict[Frequency, str] = {"daily": N_("Every day"), "weekly": N_("Every week"), "off": N_("Never")}
SPANS = ("quiet", "fasting")
UNSAFE = N_("Somebody must hear of what is critical: on one channel at least this cannot be never.")
BAD_HOURS = N_("Give both times, and two that differ, or none.")
DAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip
NAME_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a list."""

    value: str
    label: Markup
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """How often one kind is told on one channel; `error` says what is wrong with what was sent."""

    kind: Kind
    label: Markup
    hint: Markup
    options: Sequence[Option]
    error: Markup | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Hours as two fields of a form have them."""

    name: str
    begins: str
    ends: str
    error: Markup | None = None


@dataclass(frozen=True, slots=True)
class ChannelForm:
    """One channel's part of the page; a `second` contact has nothing to choose."""

    name: str
    second: bool
    choices: Sequence[Choice]
    quiet: Span
    fasting: Span


@dataclass(frozen=True, slots=True)
class Moved:
    """One threshold that answers moved, with the names its form needs."""

    meter: str
    rule: str
    title: Markup
    text: Markup
    slots: Sequence[tuple[Markup, Markup]] = ()


@dataclass(frozen=True)
class Sent:
    """A form that was sent: its fields, and what is wrong by the field's name."""

    fields: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def read(form: Mapping[str, str]) -> Wishes | Sent:
    """Read a channel's form; raises FormError for what no page of ours sends."""
    frequency = {kind: form[kind] for kind in KINDS if form.get(kind)}
    if any(often not in _allowed(kind) for kind, often in frequency.items()):
        raise FormError
    hours = {span: _span(form.get(f"{span}_from", ""), form.get(f"{span}_to", "")) for span in SPANS}
    try:
        return Wishes.model_validate({"frequency": frequency, **hours})
    except ValidationError as error:
        wrong = {str(one["loc"][0]) for one in error.errors(include_input=False, include_url=False)}
        return Sent(form, dict.fromkeys(wrong, BAD_HOURS))


def form_of(contact: Contact, words: Words, sent: Sent | None = None) -> ChannelForm:
    """Give the form of one channel, as it is in force or as it was sent."""
    said = sent or Sent()
    spans = [
        Span(
            name,
            said.fields.get(f"{name}_from", _clock(hours, 0)),
            said.fields.get(f"{name}_to", _clock(hours, 1)),
            words.say(said.errors[name]) if name in said.errors else None,
        )
        for name, hours in (("quiet", contact.quiet), ("fasting", contact.fasting))
    ]
    choices = [_choice(kind, contact, words, said) for kind in KINDS]
    return ChannelForm(contact.channel, contact.second, choices, spans[0], spans[1])


def moved_of(tuned: Iterable[Tuned], words: Words) -> list[Moved]:
    """Say of each meter which thresholds its customers' answers moved."""
    return [_moved(one, rule, words) for one in tuned for rule in _rules(one)]


def _rules(tuned: Tuned) -> list[str]:
    rules = list(tuned.tuning.factors)
    return rules if "high_usage" in rules or not tuned.tuning.known_slots else [*rules, "high_usage"]


def _moved(tuned: Tuned, rule: str, words: Words) -> Moved:
    meter = Markup("<bdi>{}</bdi>").format(clean(tuned.name, NAME_LIMIT))
    title = words.say(text_for(rule, "raised", "warning").title, meter=meter)
    percent = words.say("{n} %", n=isolated(f"{abs(tuned.tuning.factors.get(rule, 1.0) - 1) * 100:.0f}"))
    if rule not in tuned.tuning.factors:
        text = words.say("Told as in the beginning.")
    elif tuned.tuning.factors[rule] > 1:
        text = words.say("Asks for {percent} more than in the beginning.", percent=percent)
    else:
        text = words.say("Asks for {percent} less than in the beginning.", percent=percent)
    slots = tuned.tuning.known_slots if rule == "high_usage" else ()
    return Moved(tuned.meter, rule, title, text, _days(slots, words))


def _days(slots: Iterable[int], words: Words) -> list[tuple[Markup, Markup]]:
    """Group hours of the week by their day."""
    days: dict[int, list[str]] = {}
    for slot in slots:
        days.setdefault(slot // 24, []).append(f"{slot % 24:02d}:00")
    return [(words.say(DAYS[day]), isolated(", ".join(hours))) for day, hours in days.items()]


def _choice(kind: Kind, contact: Contact, words: Words, sent: Sent) -> Choice:
    label, hint = NAMES[kind]
    chosen = sent.fields.get(kind, contact.often(kind) or "")
    options = [Option(often, words.say(said), often == chosen) for often, said in _allowed(kind).items()]
    if contact.often(kind) is None:
        automatic = words.say("By itself") if kind == "digest" else words.say("By how urgent it is")
        options.insert(0, Option("", automatic, chosen == ""))
    error = words.say(sent.errors[kind]) if kind in sent.errors else None
    return Choice(kind, words.say(label), words.say(hint), options, error)


def _allowed(kind: Kind) -> Mapping[Frequency, str]:
    return DIGEST if kind == "digest" else {often: OFTEN[often] for often in FREQUENCIES}


def _span(begins: str, ends: str) -> str:
    return f"{begins}-{ends}" if begins or ends else ""


def _clock(hours: Hours | None, end: int) -> str:
    return f"{hours[end]:%H:%M}" if hours is not None else ""
