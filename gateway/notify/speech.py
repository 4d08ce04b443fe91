"""One language on one kind of paper: sentences filled with names, numbers and times that keep to their places.

1. A paper says how words, numbers and names stand in it: plain text (push, the text half of mail) or HTML.
2. Numbers and names are isolated from the direction of the words around them, so that in Arabic no minus, unit or
   foreign name jumps to the other side: by U+2068 and U+2069 in plain text, by `<bdi>` in HTML.
3. Names come from meters and people. `clean` takes out whatever could end a line, end an isolate or turn the text
   around; HTML is escaped besides.
"""

import html
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from gateway.i18n import N_, words
from gateway.notify.money import is_currency, money_of
from gateway.notify.units import Amount, amount_of

NAME_LIMIT = 20
"""Characters of a meter's name that are shown: a title of 60 has room for no more."""
HALF_A_YEAR = 180
"""Days from which on a date without its year would be taken for another one."""
ISOLATE, POP = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"

MONTHS = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"), N_("August"),
    N_("September"), N_("October"), N_("November"), N_("December"),
)  # fmt: skip


def clean(text: str, limit: int = NAME_LIMIT) -> str:
    """Make a stranger's text one short line without control, format or bidi characters."""
    # Categories C* hold control, format (bidi marks among them), surrogates and unassigned; Zl and Zp end lines.
    kept = "".join(" " if unicodedata.category(c) in {"Zl", "Zp", "Cc"} else c for c in text[: 8 * limit])
    kept = "".join(c for c in kept if unicodedata.category(c)[0] != "C")
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


class Paper(Protocol):
    """How text stands where it is read."""

    def words(self, text: str) -> str:
        """Set our own words."""

    def number(self, text: str) -> str:
        """Set digits, apart from the direction around them."""

    def name(self, text: str) -> str:
        """Set a stranger's text, apart from the direction around it."""


class Plain:
    """Text without markup."""

    def words(self, text: str) -> str:
        """Our words stand as they are."""
        return text

    def number(self, text: str) -> str:
        """Isolate it; without letters it reads from left to right."""
        return f"{ISOLATE}{text}{POP}"

    def name(self, text: str) -> str:
        """Clean and isolate it."""
        return f"{ISOLATE}{clean(text)}{POP}"


class Html:
    """HTML: whatever is set on it is escaped here and nowhere else."""

    def words(self, text: str) -> str:
        """Escape our words too: an apostrophe is one."""
        return html.escape(text)

    def number(self, text: str) -> str:
        """Isolate it, from left to right."""
        return f'<bdi dir="ltr">{html.escape(text)}</bdi>'

    def name(self, text: str) -> str:
        """Clean, escape and isolate it."""
        return f"<bdi>{html.escape(clean(text))}</bdi>"


@dataclass(frozen=True, slots=True)
class Speech:
    """Says things in `language` on `paper`; moments are told as `now`'s zone has them."""

    language: str
    paper: Paper
    now: datetime

    def say(self, text: str, **parts: str) -> str:
        """Translate a sentence and fill its places with what this speech made."""
        return self.paper.words(words(self.language).gettext(text)).format(**parts)

    def amount(self, value: Decimal | float, unit: str, beside: float = 0) -> str:
        """Say a value or a sum of money, its number isolated, its unit in the right plural form.

        What is compared is said in one unit: `beside` is the other value.
        """
        amount = money_of(value, unit) if is_currency(unit) else amount_of(value, unit, beside)
        if amount is None:
            return self.paper.number(f"{value:,}")
        return self._counted(amount)

    def counted(self, one: str, many: str, n: int) -> str:
        """Say a sentence around a number, in the right plural form."""
        return self._counted(Amount(f"{n:,}", n, one, many))

    def span(self, seconds: float) -> str:
        """Say how long something lasted."""
        return self.amount(max(seconds, 0), "s")

    def moment(self, ms: int) -> str:
        """Say when something was: the time today, else day and time."""
        at = datetime.fromtimestamp(ms / 1000, self.now.tzinfo)
        clock = self.paper.number(f"{at:%H:%M}")
        if at.date() == self.now.date():
            return clock
        day = self.paper.number(str(at.day))
        month = self.say(MONTHS[at.month - 1])
        if abs((self.now.date() - at.date()).days) < HALF_A_YEAR:
            return self.say("{day} {month}, {time}", day=day, month=month, time=clock)
        year = self.paper.number(str(at.year))
        return self.say("{day} {month} {year}, {time}", day=day, month=month, year=year, time=clock)

    def name(self, text: str) -> str:
        """Say a meter's name."""
        return self.paper.name(text)

    def _counted(self, amount: Amount) -> str:
        catalogue = words(self.language)
        if amount.many:
            said = catalogue.ngettext(amount.one, amount.many, amount.count)
        else:
            said = catalogue.gettext(amount.one)
        return self.paper.words(said).format(n=self.paper.number(amount.shown))
