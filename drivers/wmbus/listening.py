"""What a stick and an installed wmbusmeters have in common: a meter goes by its number, and sends when it likes."""

import re
from dataclasses import dataclass

from drivers.contract import Meter, NoAnswer, Refused

PATIENCE = 180.0
"""Seconds for which one reading by hand waits: most meters send every few minutes."""


def number_of(meter: Meter, pattern: re.Pattern[str], hint: str) -> re.Match[str]:
    """Match a meter's address, in capitals and with its leading zeros; raises Refused, with the hint."""
    number = meter.address
    text = f"{number:08d}" if isinstance(number, int) else (number or "").strip().upper()
    found = pattern.fullmatch(text)
    if not found:
        raise Refused(f"{number!r} is no wireless meter's number", hint, meter=meter.id)
    return found


@dataclass(frozen=True, slots=True)
class Silence:
    """What a meter's silence may come from: nothing at all comes in, only others do, or this one says nothing new.

    `what` is what was waited for; the other three are hints.
    """

    what: str
    nothing: str
    others: str
    nothing_new: str

    def error(self, meter: Meter, seconds: float, *, anybody: bool, heard: bool) -> NoAnswer:
        """Say it, as far as `anybody` and this meter were `heard`."""
        if not anybody:
            return NoAnswer(f"no {self.what} of any meter within {seconds:g} s", self.nothing, meter=meter.id)
        if not heard:
            return NoAnswer(f"nothing of this meter within {seconds:g} s", self.others, meter=meter.id)
        return NoAnswer(f"nothing new of this meter within {seconds:g} s", self.nothing_new, meter=meter.id)
