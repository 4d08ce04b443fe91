"""Every text in each language with each plural: translated, filled, isolated, short enough, proof against names."""

import inspect
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from itertools import cycle, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alerts.event import AlertEvent, Severity, State, alert_id
from gateway.alerts.hub_catalogue import ENTRIES
from gateway.i18n import LANGUAGES, words
from gateway.notify.facts import facts_of
from gateway.notify.links import ACTIONS
from gateway.notify.render import Occasion, Words, render
from gateway.notify.sms import PARTS, parts
from gateway.notify.speech import ISOLATE, POP, Plain, Speech, clean
from gateway.notify.texts import TEXTS, away_over, other, text_for
from gateway.notify.texts.gas_smell import NO_DETECTOR
from gateway.notify.units import SCALES, amount_of
from tests.gateway.notify.moments import MS, NOW
from tests.gateway.notify.rule_facts import SHAPES, Shape

NUMBERS = [0, 1, 2, 3, 10, 11, 99, 100]
STATES: list[State] = ["raised", "updated", "cleared", "expired"]
SEVERITIES: list[Severity] = ["critical", "warning", "info"]
RULES = [*TEXTS, "a_rule_of_tomorrow"]
STRETCHES = {"s": 1, "min": 60, "h": 3600, "d": 86400}
EMERGENCY = "998"
COMPUTED = {"above_wh", "above_l", "limit_wh", "limit_l", "fell_wh", "fell_l"}
"""Evidence whose name a rule puts together."""
OF_A_TABLE = {"voltage_l2_v", "battery_left_s", ""}

ISOLATED = re.compile("\u2068[^\u2068\u2069]*\u2069")


def events(number: int, rules: Sequence[str] = RULES) -> Iterator[AlertEvent]:
    """Make every rule in every state and severity, all its figures being `number`, in each unit of time."""
    for rule in rules:
        shape = SHAPES.get(rule, SHAPES["a_rule_of_tomorrow"])
        lengths = cycle(STRETCHES.values())
        for state, severity, quantity in product(STATES, shape.severities, shape.quantities):
            for seconds in STRETCHES.values() if shape.unit == "s" else [next(lengths)]:
                yield one(rule, shape, state, severity, quantity, number, seconds)


def one(
    rule: str, shape: Shape, state: State, severity: Severity, quantity: str, number: int, seconds: int
) -> AlertEvent:
    """Make one event."""
    since = MS - number * seconds * 1000
    keys = shape.over if state in ("cleared", "expired") else shape.evidence
    return AlertEvent(
        id=alert_id(rule, "m", 1), seq=1, rule=rule, meter="gw_main", state=state, severity=severity,
        raised=since, at=MS, cleared=MS if state == "cleared" else None,
        value=number * (seconds if shape.unit == "s" else 1) if shape.value else 0.0,
        baseline=number if shape.baseline else 0.0, unit="Wh" if "energy_" in quantity and rule != "outage" and
        shape.unit == "l" else shape.unit, quantity=quantity,
        evidence={
            key: since if key.endswith("_ms") else number * (seconds if key.endswith("_s") else 1) for key in keys
        },
    )  # fmt: skip


def marked(text: str) -> str:
    """Show isolates as brackets."""
    return text.replace(ISOLATE, "[").replace(POP, "]")


def said(event: AlertEvent, language: str, name: str = "البيت", repeat: int = 0) -> Words:
    """Render an event as a late message with every link."""
    links = {action: f"https://nabd.example/{action}" for action in ACTIONS}
    return render(Occasion(event, name, language, NOW, "https://nabd.example/", links, True, repeat, EMERGENCY))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", NUMBERS)
def test_every_message_is_translated_filled_and_isolated(number: int, language: str) -> None:
    """No brace is left, no English stands in Arabic, and each digit of Arabic text lies in an isolate."""
    for event in events(number):
        message = said(event, language)
        for text in (message.title, message.text, message.plain, message.html):
            assert not set("{}") & set(text.replace("{ ", ""))
        if language == "ar":
            plain = ISOLATED.sub("", message.title + message.text + re.sub(r"https:\S+", "", message.plain))
            assert not re.search("[0-9A-Za-z]", plain), plain
            bare = re.sub(
                r"<bdi[^>]*>[^<]*</bdi>|<title>[^<]*</title>", "", message.html.partition("<body")[2].partition(">")[2]
            )
            assert not re.search("[0-9]", re.sub(r"<[^>]*>", "", bare)), bare


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_fit_a_notification(language: str) -> None:
    """Sixty characters, also as a reminder with the longest name there is."""
    for event in events(100):
        assert len(said(event, language, name="ن" * 300, repeat=1).title) <= 60


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [*NUMBERS, 1e15])
def test_text_messages_say_at_least_what_happened_in_two_parts(number: float, language: str) -> None:
    """With the longest name and the largest figures; no first sentence has to be cut."""
    for event in events(int(number) if number < 1e6 else 100):
        grown = replace(event, value=number, baseline=number) if number > 1e6 else event
        message = render(
            Occasion(grown, "ن" * 300 if language == "ar" else "W" * 300, language, NOW, emergency=EMERGENCY)
        )
        assert parts(message.sms) <= PARTS
        assert not message.sms.endswith("…"), message.sms


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_says_what_to_do_and_how_to_answer(language: str) -> None:
    """What happened, how much, what to do; and in mail a link for each answer, alone on its line."""
    for event in events(11):
        message = said(event, language)
        assert message.text.count(".") + message.text.count(":") >= 3
        lines = message.plain.splitlines()
        for part in ("", *ACTIONS):
            assert f"https://nabd.example/{part}" in lines
            assert f'href="https://nabd.example/{part}"' in message.html


def test_arabic_has_its_six_plural_forms() -> None:
    """Each of the eight numbers takes its own form of the noun."""
    forms = {
        0: "[0] ساعة", 1: "ساعة واحدة", 2: "ساعتين", 3: "[3] ساعات", 10: "[10] ساعات", 11: "[11] ساعة",
        99: "[99] ساعة", 100: "[100] ساعة",
    }  # fmt: skip
    litres = {0: "[0] لتر", 1: "لتر واحد", 2: "لترين", 3: "[3] لترات", 11: "[11] لترًا", 100: "[100] لتر"}
    speech = Speech("ar", Plain(), NOW)
    assert {n: marked(speech.amount(n, "l")) for n in litres} == litres
    # Hours are said from two up to two days, then days.
    assert [marked(speech.span(n * 3600)) for n in (2, 3, 10, 11)] == [forms[n] for n in (2, 3, 10, 11)]
    assert marked(speech.span(99 * 3600)) == "[4] أيام"


@pytest.mark.parametrize(
    ("value", "unit", "english"),
    [
        (71.43, "A", "71.4 A"), (63.0, "A", "63 A"), (1234, "W", "1.2 kW"), (950.4, "W", "950 W"),
        (-5, "W", "\N{MINUS SIGN}5 W"),
        (12345, "Wh", "12.3 kWh"), (229.6, "V", "230 V"), (14, "l/h", "14 litres an hour"), (1, "l", "1 litre"),
        (1.44, "l/h", "1.4 litres an hour"), (10080, "l", "10.1 m³"), (90000, "s", "25 hours"),
        (119, "s", "119 seconds"),
        (120, "s", "2 minutes"), (172800, "s", "2 days"), (0.0, "A", "0 A"), (-0.01, "A", "0 A"), (113.4, "%", "113 %"),
        (5, "furlong", "5"), (1e15, "W", "1,000,000,000,000 kW"),
    ],
)  # fmt: skip
def test_amounts_read_as_people_say_them(value: float, unit: str, english: str) -> None:
    """Scaled, rounded, with a true minus; a unit nobody knows leaves its number."""
    assert Speech("en", Plain(), NOW).amount(value, unit).replace(ISOLATE, "").replace(POP, "") == english


@pytest.mark.parametrize(
    ("value", "beside", "unit", "english"),
    [
        (610, 1240, "l", "0.6 m³"), (1240, 610, "l", "1.2 m³"), (850, 1200, "W", "0.8 kW"), (3, 1240, "l", "3 litres"),
        (10, 754, "s", "10 seconds"), (900, 3600, "s", "15 minutes"), (0, 1240, "l", "0 litres"),
    ],
)  # fmt: skip
def test_what_is_compared_is_said_in_one_unit(value: float, beside: float, unit: str, english: str) -> None:
    """The larger one chooses, unless too little would be left of the other."""
    said = Speech("en", Plain(), NOW).amount(value, unit, beside)
    assert said.replace(ISOLATE, "").replace(POP, "") == english


def test_every_unit_and_every_sentence_is_in_the_catalogue() -> None:
    """A text without an Arabic translation would come out in English."""
    arabic = words("ar")
    for scales in SCALES.values():
        for scale in scales:
            forms = [
                arabic.ngettext(scale.one, scale.many, n) if scale.many else arabic.gettext(scale.one) for n in NUMBERS
            ]
            assert scale.one not in forms
            assert scale.many not in forms
    for texts in (*TEXTS.values(), other.TEXTS):
        for text in texts.values():
            for sentence in (text.title, *text.happened, *text.urgent, *text.compared, *text.advice):
                translated = arabic.gettext(sentence)
                assert translated != sentence
                assert places(translated) == places(sentence)


def places(sentence: str) -> set[str]:
    """Name the places of a sentence."""
    return {place for _, place, _, _ in string.Formatter().parse(sentence) if place}


def test_a_text_stands_even_if_nothing_is_known() -> None:
    """The title and the last way to say what happened need no more than the meter; advice needs nothing."""
    for text in (text for texts in (*TEXTS.values(), other.TEXTS) for text in texts.values()):
        # Being away is no meter's.
        assert places(text.title) == (set() if text in away_over.TEXTS.values() else {"meter"})
        assert places(text.happened[-1]) <= {"meter"}
        assert not any(places(sentence) for sentence in (*text.advice, *text.urgent[-1:]))
        assert all(places(sentence) <= {"emergency"} for sentence in text.urgent)
    for rule in RULES:
        for state in STATES:
            bare = AlertEvent(id="0" * 16, seq=1, rule=rule, meter="m", state=state, severity="info", raised=MS, at=MS)
            assert len(said(bare, "en").text) > 20
            assert text_for(rule, state, "critical").title


def test_the_facts_of_these_tests_are_those_of_the_rules() -> None:
    """Each key of evidence stands in its rule, so what is said here can be said of a real event."""
    for rule in (entry.rule for entry in ENTRIES if entry.rule.name in SHAPES):
        shape, source = SHAPES[rule.name], Path(inspect.getfile(rule)).read_text("utf-8")
        for key in {*shape.evidence, *shape.over} - COMPUTED:
            assert f'"{key}"' in source, (rule, key)
        assert all(quantity in source for quantity in shape.quantities if quantity not in OF_A_TABLE), rule


@pytest.mark.parametrize("rule", sorted(TEXTS.keys() & SHAPES.keys()))
def test_every_sentence_can_be_said(rule: str) -> None:
    """A place that no event of the rule fills would silence its sentence for ever."""
    speech = Speech("en", Plain(), NOW)
    known: dict[str, set[str]] = {state: {"emergency"} for state in STATES}
    for event in events(11, [rule]):
        known[event.state] |= facts_of(event, "m", speech).keys()
    for name, text in TEXTS[rule].items():
        for sentence in (*text.happened, *text.urgent, *text.compared):
            assert places(sentence) <= known[name.split()[0]], (name, sentence)


@pytest.mark.parametrize("language", LANGUAGES)
def test_gas_says_what_to_do_when_it_smells_and_what_nabd_is_not(language: str) -> None:
    """The number to call, also in a text message; and that this is no safety device."""
    disclaimer = words(language).gettext(NO_DETECTOR)
    for event in events(11, ["gas_continuous", "gas_long_use", "flow_while_away"]):
        if event.state in ("raised", "updated") and event.quantity == "gas_volume_l":
            message = said(event, language)
            assert disclaimer in message.text
            assert EMERGENCY in message.text
            early = render(Occasion(event, "البيت", language, NOW, emergency=EMERGENCY))
            assert EMERGENCY in early.sms, early.sms


def test_all_messages_read_as_they_did_when_somebody_read_them_aloud() -> None:
    """Both languages, every state, the numbers whose plurals differ: a change shows what readers will see."""
    folder = Path(__file__).parent
    for language in LANGUAGES:
        text = "\n".join(every_sentence(language)) + "\n"
        file = folder / f"messages.{language}.txt"
        if not file.exists():
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8"), f"read them again, then delete {file.name} and run this twice"


def every_sentence(language: str) -> Iterator[str]:
    """Give each message once, with elevens, and of the other numbers each sentence that is new."""
    seen: set[str] = set()
    for number in (11, *NUMBERS):
        for event in (event for event in events(number, list(SHAPES)) if number == 11 or event.state == "raised"):
            message = render(Occasion(event, "البيت", language, NOW, emergency=EMERGENCY))
            head = f"[{event.rule} {event.state} {event.severity} {event.quantity}]"
            said = f"{message.title}. {message.text}".replace(ISOLATE, "").replace(POP, "")
            new = [part for part in said.split(". ") if part not in seen]
            yield from ["", head, said] if head not in seen else new
            seen |= {head, *new}


class _Tags(HTMLParser):
    """Collects every tag and attribute of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take one tag."""
        self.seen |= {tag, *(f"{tag}.{name}" for name, _ in attrs)}


@given(st.text(max_size=80))
def test_no_name_gets_out_of_its_place(name: str) -> None:
    """Whatever a meter is called: no new line, no tag, every isolate closed, no other control of direction."""
    event = next(iter(events(3)))
    plain, message = said(event, "ar", "x"), said(event, "ar", name)
    assert "\n" not in message.title
    assert len(message.plain.splitlines()) == len(plain.plain.splitlines())
    known, found = _Tags(), _Tags()
    known.feed(plain.html)
    found.feed(message.html)
    assert found.seen == known.seen
    for text in (message.title, message.text, message.plain, message.html):
        assert text.count("\u2068") == text.count("\u2069")
        assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u200e\u200f\u061c") & set(text)


@given(st.text(max_size=400))
def test_clean_is_one_short_line(text: str) -> None:
    """Of any text, and cleaning it again changes nothing."""
    kept = clean(text)
    assert len(kept) <= 20
    assert clean(kept) == kept
    assert kept.isprintable()


@given(st.floats(-1e15, 1e15), st.sampled_from([*SCALES, "ms", "min", "h"]))
def test_any_figure_can_be_said(value: float, unit: str) -> None:
    """Nothing an event may hold makes a message fail."""
    amount = amount_of(value, unit)
    assert amount is not None
    assert amount.shown
    assert amount.count >= 0


def test_a_moment_says_its_day_when_it_is_not_today() -> None:
    """The clock of the customer's zone; the year only when it could be mistaken."""
    day = 86_400_000
    english, arabic = (Speech(language, Plain(), NOW) for language in ("en", "ar"))
    assert marked(english.moment(MS)) == "[18:30]"
    assert marked(english.moment(MS - day)) == "[21] November, [18:30]"
    assert marked(arabic.moment(MS - day)) == "[21] نوفمبر، [18:30]"
    assert marked(english.moment(MS - 365 * day)) == "[22] November [2025], [18:30]"
