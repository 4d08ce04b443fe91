"""Being away as the settings page has it: one switch, and the day one is back, from which on it is off by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from gateway.i18n import N_
from gateway.notify.absence import LONGEST_DAYS, midnight
from gateway.notify.speech import MONTHS
from gateway.web.words import Words, isolated

WRONG = N_("Name a day from tomorrow on, within a year, or none.")


@dataclass(frozen=True, slots=True)
class AwayForm:
    """The form: whether it is on, until which day in words, and the field as it is in force or as it was sent."""

    on: bool
    until: Markup | None
    value: str
    first: str
    last: str
    error: Markup | None = None


def read(form: Mapping[str, str], zone: ZoneInfo, now: int) -> int | None:
    """Give the moment (UTC ms) at which the day begins that was sent, None for none; raises ValueError."""
    text = form.get("until", "")
    if not text:
        return None
    day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    first, last = _bounds(zone, now)
    if not first <= day <= last:
        raise ValueError("no day to come back on")
    return midnight(day, zone)


def form_of(*, on: bool, until: int | None, zone: ZoneInfo, now: int, words: Words, sent: str | None) -> AwayForm:
    """Give the form; `sent` is what was sent with a mistake in it."""
    first, last = _bounds(zone, now)
    back = None if until is None else datetime.fromtimestamp(until / 1000, zone).date()
    value = back.isoformat() if back is not None else ""
    return AwayForm(
        on,
        None if back is None else _said(back, words),
        value if sent is None else sent,
        first.isoformat(),
        last.isoformat(),
        None if sent is None else words.say(WRONG),
    )


def _bounds(zone: ZoneInfo, now: int) -> tuple[date, date]:
    today = datetime.fromtimestamp(now / 1000, zone).date()
    return today + timedelta(days=1), today + timedelta(days=LONGEST_DAYS)


def _said(day: date, words: Words) -> Markup:
    month = words.say(MONTHS[day.month - 1])
    return words.say("{day} {month} {year}", day=isolated(str(day.day)), month=month, year=isolated(str(day.year)))
