"""The words of causes, values and verdicts, which the dialogue and the report share."""

from decimal import Decimal
from fractions import Fraction

from gateway.commission.digits import SHOWN
from gateway.i18n import N_
from gateway.notify.speech import Html, Plain, Speech, clean

LABEL_LIMIT = 80
"""Characters of a name: a report has room, a line of a terminal too."""
LINE_LIMIT = 200
"""Characters of what else stands on a line: a register's name, a line of the configuration."""

CAUSES = {
    "order": N_("The words of its registers stand in another order: {fact}."),
    "swapped": N_("The display shows {fact}: import and export are swapped. Turn the wires or the transformers."),
    "register": N_("The display shows another register, {fact}: press its button until the total is shown."),
    "tariffs": N_("The display shows the sum of {fact} tariffs, the profile reads another register."),
    "counted_twice": N_("The meter counts the transformers already: without a ratio it fits."),
    "transformer": N_("Current transformers of {fact} to 1 would explain it."),
    "factor": N_("It is off by the factor {fact}: another unit, or a ratio that is missing."),
    "offset": N_("A fixed difference of {fact} would explain it: the counter began elsewhere."),
    "stranger": N_("Nothing else explains a difference of {fact}: is this the meter that answers at this address?"),
}
VERDICTS = {"passed": N_("passed"), "failed": N_("failed"), "skipped": N_("not checked")}
FLOWS = {"import": N_("consuming"), "export": N_("feeding in")}
CHANNEL_VERDICTS = {
    "confirmed": N_("arrived"),
    "sent": N_("sent, not confirmed"),
    "missing": N_("did not arrive"),
    "refused": N_("could not be sent"),
    "skipped": N_("not sent"),
}
_UNITS = {
    "kWh": N_("{n} kWh"), "MWh": N_("{n} MWh"), "Wh": N_("{n} Wh"), "kvarh": N_("{n} kvarh"), "m³": N_("{n} m³"),
    "l": N_("{n} l"), "W": N_("{n} W"), "kW": N_("{n} kW"), "V": N_("{n} V"), "A": N_("{n} A"), "Hz": N_("{n} Hz"),
    "°C": N_("{n} °C"),
}  # fmt: skip
PLACES = 7
"""Decimals of a kWh or m³ that the finest value has: four of the base unit, which is a thousandth."""
_DIVIDE = {"kWh": 1000, "kvarh": 1000, "m³": 1000}


class Bare(Plain):
    """A terminal that writes from left to right: nothing to isolate."""

    def number(self, text: str) -> str:
        """Give digits as they are."""
        return text

    def name(self, text: str) -> str:
        """Clean it."""
        return clean(text, LABEL_LIMIT)


class Marked(Plain):
    """A terminal that writes Arabic: names and numbers keep their own direction."""

    def name(self, text: str) -> str:
        """Clean and isolate it, at a report's length."""
        return self.number(clean(text, LABEL_LIMIT))


class Page(Html):
    """A report's page: room for longer names, and nothing on it turns a line, whoever wrote it."""

    def number(self, text: str) -> str:
        """Clean, escape and isolate it, left to right."""
        return super().number(clean(text, LINE_LIMIT))

    def name(self, text: str) -> str:
        """Clean, escape and isolate it."""
        return f"<bdi>{self.words(clean(text, LABEL_LIMIT))}</bdi>"


def shown_in(base: str) -> str:
    """Name the unit in which people read a base unit."""
    return {"C": "°C"}.get(base, SHOWN.get(base, base))


def unit_name(speech: Speech, unit: str) -> str:
    """Say a unit without a number."""
    return speech.say(_UNITS[unit], n="").strip() if unit in _UNITS else speech.paper.number(unit)


def digits_of(value: Fraction, unit: str) -> str:
    """Write a base value in the unit people read, exactly: at most seven decimals, none for nothing."""
    steps = round(value / _DIVIDE.get(unit, 1) * 10**PLACES)
    text = f"{Decimal(steps).scaleb(-PLACES):f}"
    return text.rstrip("0").rstrip(".")


def amount(speech: Speech, digits: str, unit: str) -> str:
    """Say digits with their unit, which stands on the side that the language wants."""
    number = speech.paper.number(digits.replace("-", "\N{MINUS SIGN}"))
    if unit in _UNITS:
        return speech.say(_UNITS[unit], n=number)
    return f"{number} {speech.paper.number(unit)}".rstrip()


def cause(speech: Speech, kind: str, fact: str, unit: str) -> str:
    """Say what would explain a difference; `unit` is the display's, for a fact that is an amount in the base unit."""
    if kind in {"offset", "stranger"}:
        return speech.say(CAUSES[kind], fact=amount(speech, digits_of(Fraction(fact), unit), unit))
    return speech.say(CAUSES[kind], fact=speech.paper.number(fact))
