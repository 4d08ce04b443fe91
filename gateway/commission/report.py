"""The report as one HTML page: a section in English and one in Arabic, the installer's language first.

1. The page is made from the record alone, so the same record is the same page.
2. Names come from people and meters: they are cleaned, escaped and isolated; numbers are isolated, left to right.
3. It fetches nothing and runs nothing; the signed record lies in it as JSON (signing.py). It prints on A4.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.commission.phrases import CHANNEL_VERDICTS, FLOWS, VERDICTS, Page, amount, cause
from gateway.commission.record import ChannelRecord, DirectionCheck, DisplayCheck, MeterRecord, Record
from gateway.commission.signing import CLOSE, OPEN
from gateway.i18n import LANGUAGES, N_, direction, words
from gateway.notify.speech import Speech, clean

_CSS = Path(__file__).with_name("report.css")

Facts = Iterable[tuple[str, str]]
"""A term of ours, marked for translation, and what stands beside it as HTML; an empty one is left out."""


def page(record: Record, fingerprint: str, language: str) -> str:
    """Make the page, with room for what is signed; `language` is the one that stands first."""
    spoken = sorted(LANGUAGES, key=lambda one: one != language)
    title = words(language).gettext(TITLE)
    sections = "".join(_section(record, fingerprint, one, spoken) for one in spoken)
    return (
        f'<!doctype html>\n<html lang="{language}" dir="{direction(language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}: {escape(clean(record.gateway))}</title>\n"
        f"<style>\n{_CSS.read_text(encoding='utf-8')}</style>\n"
        f"</head>\n<body>\n<main>\n{sections}</main>\n{OPEN}{CLOSE}\n</body>\n</html>\n"
    )


TITLE = N_("Commissioning report")


def _section(record: Record, fingerprint: str, language: str, spoken: list[str]) -> str:
    zone = ZoneInfo(record.zone)
    speech = Speech(language, Page(), datetime.fromtimestamp(record.ended / 1000, zone))
    say, paper = speech.say, speech.paper
    others = " ".join(
        f'<a href="#{one}" lang="{one}" dir="{direction(one)}">{LANGUAGES[one]}</a>'
        for one in spoken
        if one != language
    )
    verdict = "passed" if record.passed else "failed"
    meters = "".join(_meter(speech, meter) for meter in record.meters)
    sentence = say(N_("Every meter was compared with its display, and agrees.")) if record.passed else say(
        N_("Not everything was checked, or not everything agreed: see below.")
    )  # fmt: skip
    facts = [
        (N_("Gateway"), paper.name(record.gateway)),
        (N_("Installer"), paper.name(record.installer) if record.installer else ""),
        (N_("Begun"), _moment(speech, record.began, zone)),
        (N_("Ended"), _moment(speech, record.ended, zone)),
        (N_("Version of Nabd"), paper.number(record.version)),
    ]
    return (
        f'<section id="{language}" lang="{language}" dir="{direction(language)}">\n<nav>{others}</nav>\n'
        f'<h1>{say(TITLE)}</h1>\n<p class="brand">{"نبض" if language == "ar" else "Nabd"}</p>\n'
        f'<p class="verdict {verdict}">{sentence}</p>\n{_list(speech, facts, "facts")}{meters}'
        f"{_channels(speech, record.channels)}{_ending(speech, fingerprint)}</section>\n"
    )


def _meter(speech: Speech, meter: MeterRecord) -> str:
    paper = speech.paper
    verdict = "passed" if meter.passed else meter.display.verdict if meter.display.verdict != "passed" else "failed"
    place = paper.number(f"{meter.bus} {meter.address}".rstrip())
    plate = "، " if speech.language == "ar" else ", "
    said = plate.join(paper.number(f"{key} {text}") for key, text in meter.nameplate)
    facts = [
        (N_("Name in the configuration"), paper.name(meter.name)),
        (N_("Model"), paper.name(meter.model)),
        (N_("Bus and address"), place),
        (N_("The meter says it is"), said),
        (N_("Current transformers"), paper.number(meter.transformer) if meter.transformer else ""),
        (N_("Ratio"), paper.number(meter.ratio) if meter.ratio != "1" else ""),
        (N_("Offset"), paper.number(meter.offset) if meter.offset != "0" else ""),
        *_display(speech, meter.display),
        *_direction(speech, meter.direction),
    ]
    return (
        f'<article class="meter">\n<header><h2>{paper.name(meter.label)}</h2>{_mark(speech, verdict)}</header>\n'
        f"{_list(speech, facts)}</article>\n"
    )


def _display(speech: Speech, check: DisplayCheck) -> Facts:
    yield N_("Display and reading"), _mark(speech, check.verdict)
    if check.typed:
        times = f" \N{MULTIPLICATION SIGN} {speech.paper.number(check.times)}" if check.times != "1" else ""
        yield N_("The display showed"), amount(speech, check.typed, check.unit) + times
    if check.before and check.after:
        read = amount(speech, check.before, check.unit)
        if check.before != check.after:
            before, after = read, amount(speech, check.after, check.unit)
            read = speech.say(N_("{before} before, {after} after"), before=before, after=after)
        yield N_("Nabd read"), read
    if check.trouble:
        yield N_("Trouble"), speech.paper.name(check.trouble)
    if check.causes:
        rows = "".join(f"<li>{cause(speech, kind, fact, check.unit)}</li>" for kind, fact in check.causes)
        yield N_("What would explain the difference"), f"<ul>{rows}</ul>"
    if check.changes:
        rows = "".join(f"<li>{speech.paper.number(line)}</li>" for line in check.changes)
        yield N_("Written into the configuration"), f"<ul>{rows}</ul>"


def _direction(speech: Speech, check: DirectionCheck) -> Facts:
    if not check.said:
        return
    yield N_("Direction"), _mark(speech, check.verdict)
    yield N_("The installer saw"), speech.say(FLOWS[check.said])
    yield N_("Power"), amount(speech, check.power, "W") if check.power else ""
    if check.against:
        yield N_("Phases against it"), speech.paper.number(", ".join(check.against))


def _channels(speech: Speech, channels: tuple[ChannelRecord, ...]) -> str:
    if not channels:
        return ""
    rows = "".join(
        f"<dt>{speech.paper.name(one.name)} ({speech.paper.number(one.kind)})</dt>"
        f"<dd>{speech.say(CHANNEL_VERDICTS[one.verdict])}{' ' + speech.paper.name(one.why) if one.why else ''}</dd>\n"
        for one in channels
    )
    title = speech.say(N_("Test message"))
    return f'<article class="meter">\n<header><h2>{title}</h2></header>\n<dl>{rows}</dl></article>\n'


def _ending(speech: Speech, fingerprint: str) -> str:
    how = speech.say(
        N_("Signed with the gateway's key {key}. Any changed byte of this file is found by: {command}"),
        key=speech.paper.number(fingerprint),
        command=speech.paper.number("nabd commission verify FILE"),
    )
    hands = "".join(f"<p>{speech.say(who)}</p>" for who in (N_("Installer's signature"), N_("Customer's signature")))
    return f'<div class="sign">{hands}</div>\n<p class="how">{how}</p>\n'


def _list(speech: Speech, facts: Facts, name: str = "") -> str:
    rows = "".join(f"<dt>{speech.say(term)}</dt><dd>{fact}</dd>\n" for term, fact in facts if fact)
    return f'<dl class="{name}">\n{rows}</dl>\n' if name else f"<dl>\n{rows}</dl>\n"


def _mark(speech: Speech, verdict: str) -> str:
    sign = {"passed": "✓", "failed": "✗", "skipped": "\N{EN DASH}"}[verdict]
    return f'<span class="mark {verdict}">{sign} {speech.say(VERDICTS[verdict])}</span>'


def _moment(speech: Speech, ms: int, zone: ZoneInfo) -> str:
    at = datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)
    return speech.paper.number(f"{at:%Y-%m-%d %H:%M} {zone.key}")
