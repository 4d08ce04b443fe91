"""Which rules there are, and which of them watch a meter: one line a rule.

A rule takes part when it is enabled and the meter says what it judges; what a meter never says costs nothing.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from gateway.alerts.calendar import Calendar
from gateway.alerts.night import nights
from gateway.alerts.rule import Rule
from gateway.alerts.rules.base_load import BaseLoad
from gateway.alerts.rules.high_usage import HighUsage
from gateway.alerts.rules.meter_clock import MeterClock
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.silence import Silence
from gateway.alerts.rules.water import WaterLeak
from gateway.alerts.settings import MeterSettings
from gateway.config.alerts import AlertsTable

Options = dict[str, Any]
Make = Callable[[Options, Calendar, MeterSettings], Rule | None]


class Entry(NamedTuple):
    """A rule of the catalogue: its number there, where it runs, its class, and how it is made for one meter.

    `make` takes the options of its table [alerts.NAME], the place's calendar and what is known of the meter; None says
    that the rule cannot watch this meter.
    """

    code: str
    place: Literal["edge", "hub"]
    rule: type[Any]
    make: Make


def _overload(options: Options, _: Calendar, about: MeterSettings) -> Rule | None:
    return None if about.rating_a is None else Overload(about.rating_a, **options)


def _water_leak(options: Options, calendar: Calendar, _: MeterSettings) -> Rule:
    night = nights(calendar.zone, options.pop("night_from"), options.pop("night_to"))
    return WaterLeak(night, **options)


def _high_usage(options: Options, _: Calendar, about: MeterSettings) -> Rule:
    return HighUsage(**options, budget=about.budget_m, known=about.known_slots, factor=about.factor("high_usage"))


ENTRIES = (
    Entry("X3", "edge", Silence, lambda options, *_: Silence(**options)),
    Entry("X5", "edge", MeterClock, lambda options, *_: MeterClock(**options)),
    Entry("E13", "edge", Overload, _overload),
    Entry("W1", "edge", WaterLeak, _water_leak),
    Entry("E1", "edge", HighUsage, _high_usage),
    Entry("E7", "hub", BaseLoad, lambda options, _, about: BaseLoad(**options, factor=about.factor(BaseLoad.name))),
)


def rules_of(
    alerts: AlertsTable, calendar: Calendar, about: MeterSettings, place: Literal["edge", "hub"] | None = "edge"
) -> list[Rule]:
    """Make the rules of one meter that run at a place; all of them for None."""
    made = []
    for entry in ENTRIES:
        table = getattr(alerts, entry.rule.name)
        if table.enabled and place in (None, entry.place):
            made.append(entry.make(table.model_dump(exclude={"enabled"}), calendar, about))
    return [rule for rule in made if rule is not None]
