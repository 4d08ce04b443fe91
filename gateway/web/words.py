"""Numbers and ages as people read them, in one language.

Numbers keep Latin digits in both languages and are isolated (`<bdi>`), so that a minus or a unit never jumps to the
other side in Arabic text.
"""

from decimal import ROUND_HALF_UP, Decimal

from markupsafe import Markup, escape

from gateway.i18n import N_, words

MINUTE, HOUR, DAY = 60, 3600, 86400
SEVERAL = 2
"""How many of the next unit an age needs before it is told in it: 119 seconds, then 2 minutes."""

# of a value in its base unit: (from how much on, divide by, decimals, the unit people read)
_SCALES: dict[str, tuple[tuple[int, int, int, str], ...]] = {
    "W": ((1000, 1000, 2, N_("kW")), (0, 1, 0, N_("W"))),
    "Wh": ((0, 1000, 1, N_("kWh")),),
    "Wh used": ((0, 1000, 2, N_("kWh")),),
    "l": ((0, 1000, 3, N_("m³")),),
    "l used": ((10_000, 1000, 2, N_("m³")), (0, 1, 0, N_("L"))),
    "gas used": ((0, 1000, 2, N_("m³")),),
    "V": ((0, 1, 1, N_("V")),),
    "A": ((0, 1, 2, N_("A")),),
    "flow": ((0, 60, 1, N_("L/min")),),
    "gas flow": ((0, 1000, 2, N_("m³/h")),),
}

_CURRENCIES = {
    N_("SAR"), N_("AED"), N_("KWD"), N_("BHD"), N_("QAR"), N_("OMR"), N_("JOD"), N_("EGP"), N_("EUR"), N_("USD")
}  # fmt: skip


def isolated(text: str) -> Markup:
    """Set a text apart from the direction of the words around it."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(text)


class Words:
    """One language's way to say what a page says."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.catalogue = words(language)

    def say(self, text: str, **parts: str | Markup) -> Markup:
        """Translate a text and fill its places; whatever is filled in is escaped."""
        return escape(self.catalogue.gettext(text)).format(**parts)

    def plural(self, one: str, many: str, n: int) -> Markup:
        """Translate a text with a number in it, in the right one of the language's plural forms."""
        return escape(self.catalogue.ngettext(one, many, n)).format(n=isolated(f"{n:,}"))

    def age(self, seconds: float) -> Markup:
        """Say how long ago something was."""
        s = max(int(seconds), 0)
        if s == 0:
            return self.say("now")
        if s < SEVERAL * MINUTE:
            return self.plural("{n} second ago", "{n} seconds ago", s)
        if s < SEVERAL * HOUR:
            return self.plural("{n} minute ago", "{n} minutes ago", s // MINUTE)
        if s < SEVERAL * DAY:
            return self.plural("{n} hour ago", "{n} hours ago", s // HOUR)
        return self.plural("{n} day ago", "{n} days ago", s // DAY)

    def ago(self, at: int, now: int) -> Markup:
        """Say how long ago `at` was, both in UTC ms, so that the page's script can let it tick."""
        return Markup('<time data-at="{}">{}</time>').format(at, self.age((now - at) / 1000))

    def money(self, value: Decimal, currency: str, to: str = "0.01") -> tuple[str, Markup]:
        """Give a sum to the hundredth, or as fine as `to`, and its currency as people write it."""
        number = f"{value.quantize(Decimal(to), ROUND_HALF_UP) + 0:,f}".replace("-", "\N{MINUS SIGN}")
        return number, self.say(currency) if currency in _CURRENCIES else Markup("{}").format(currency)

    def amount(self, value: Decimal, unit: str) -> tuple[str, Markup]:
        """Give the number and the unit people read of a value in a base unit (or what else `_SCALES` names)."""
        _, divisor, decimals, name = next(scale for scale in _SCALES[unit] if abs(value) >= scale[0])
        # Adding nothing turns a rounded -0 into 0.
        number = round(value / divisor, decimals) + 0
        return f"{number:,f}".replace("-", "\N{MINUS SIGN}"), self.say(name)
