"""What messages say, as data: a file for each rule, and one for every rule that has none."""

from gateway.notify.texts import meter_clock, meter_offline, other, overload, water_leak
from gateway.notify.texts.text import Text, Texts

TEXTS: dict[str, Texts] = {
    "overload": overload.TEXTS,
    "water_leak": water_leak.TEXTS,
    "meter_offline": meter_offline.TEXTS,
    "meter_clock": meter_clock.TEXTS,
}


def text_for(rule: str, state: str, severity: str) -> Text:
    """Give what is said of a rule's alert in a state: the text for that severity, else for any, else for any rule."""
    for texts in (TEXTS.get(rule, {}), other.TEXTS):
        for name in (f"{state} {severity}", state):
            if name in texts:
                return texts[name]
    raise KeyError(state)
