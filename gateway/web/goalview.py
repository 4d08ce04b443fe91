"""Goals as a form has them: a number for each meter, in the unit people read, which is a thousand base units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from gateway.hubdb import EnrolledMeter
from gateway.i18n import N_
from gateway.notify.goals import MOST
from gateway.notify.speech import clean
from gateway.web.words import Words

UNITS = {"electricity": N_("kWh"), "heat": N_("kWh"), "water": N_("m³"), "gas": N_("m³")}
BASE = 1000
WRONG = N_("Give a number above nothing, or leave it empty.")
NAME_LIMIT = 40


@dataclass(frozen=True, slots=True)
class GoalField:
    """One meter's field; `value` is as it is in force or as it was sent."""

    meter: str
    label: Markup
    value: str
    error: Markup | None = None


def read(form: Mapping[str, str], meters: Iterable[EnrolledMeter]) -> tuple[dict[str, float], set[str]]:
    """Give the goals that were sent, in base units and 0 for none, and the meters whose number is none."""
    goals: dict[str, float] = {}
    wrong: set[str] = set()
    for meter in meters:
        text = form.get(meter.meter, "").strip().replace(",", ".")
        try:
            amount = float(text) * BASE if text else 0.0
        except ValueError:
            amount = -1.0
        # Written this way round, a number that is none is wrong too.
        if (amount == 0 and not text) or 0 < amount <= MOST:
            goals[meter.meter] = amount
        else:
            wrong.add(meter.meter)
    return goals, wrong


def fields_of(
    meters: Iterable[EnrolledMeter],
    goals: Mapping[str, float],
    words: Words,
    sent: Mapping[str, str],
    wrong: Iterable[str] = (),
) -> list[GoalField]:
    """Give a field for each meter whose use a digest tells."""
    return [
        GoalField(
            meter.meter,
            words.say(
                "{meter}, in {unit}",
                meter=Markup("<bdi>{}</bdi>").format(clean(meter.info.name or meter.meter, NAME_LIMIT)),
                unit=words.say(UNITS[meter.commodity]),
            ),
            sent.get(meter.meter, f"{goals[meter.meter] / BASE:g}" if meter.meter in goals else ""),
            words.say(WRONG) if meter.meter in wrong else None,
        )
        for meter in meters
        if meter.commodity in UNITS
    ]
