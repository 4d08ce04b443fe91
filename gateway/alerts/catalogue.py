"""Which rules run at the edge, and which of them watch a meter: one line a rule; `hub_catalogue.py` has the others.

A rule takes part when it is enabled and the meter says what it judges; what a meter never says costs nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gateway.alerts.calendar import Calendar
from gateway.alerts.night import nights
from gateway.alerts.rule import Rule
from gateway.alerts.rules.away import FlowWhileAway
from gateway.alerts.rules.burst import WaterBurst
from gateway.alerts.rules.demand import DemandLimit
from gateway.alerts.rules.flags import BatteryLow, Tamper
from gateway.alerts.rules.gas import GasContinuous, GasLongUse
from gateway.alerts.rules.high_usage import HighUsage, HighWaterDay
from gateway.alerts.rules.meter_clock import MeterClock
from gateway.alerts.rules.outage import Outage
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.power_factor import LowPowerFactor
from gateway.alerts.rules.reverse import ReverseFlow
from gateway.alerts.rules.silence import Silence
from gateway.alerts.rules.voltage import PhaseFault, VoltageQuality
from gateway.alerts.rules.water import WaterLeak
from gateway.alerts.rules.zero import ZeroConsumption
from gateway.alerts.settings import MeterSettings
from gateway.config.alerts import AlertsTable

if TYPE_CHECKING:
    from gateway.tariff.model import Plan

Options = dict[str, Any]
Make = Callable[[Options, Calendar, MeterSettings], Rule | None]


class Entry(NamedTuple):
    """A rule of the catalogue: its number there, where it runs, its class, and how it is made for one meter.

    `make` takes the options of its table [alerts.NAME], the place's calendar and what is known of the meter; None says
    that the rule cannot watch this meter. A `priced` one needs a tariff, which then stands among its options as `plan`.
    """

    code: str
    place: Literal["edge", "hub"]
    rule: type[Any]
    make: Make
    priced: bool = False


def tuned(rule: type[Any], options: Options, about: MeterSettings) -> Rule:
    """Make a rule whose threshold the customer's answers move."""
    made: Rule = rule(**options, factor=about.factor(rule.name))
    return made


def _overload(options: Options, _: Calendar, about: MeterSettings) -> Rule | None:
    return None if about.rating_a is None else Overload(about.rating_a, **options)


def _demand_limit(options: Options, *_: object) -> Rule | None:
    return None if options["limit"] is None else DemandLimit(**options)


def _water_leak(options: Options, calendar: Calendar, _: MeterSettings) -> Rule:
    night = nights(calendar.zone, options.pop("night_from"), options.pop("night_to"))
    return WaterLeak(night, **options)


def _excess(rule: type[Any], budget: int, options: Options, about: MeterSettings) -> Rule:
    return tuned(rule, options | {"budget": budget, "known": about.known_slots, "away": about.away}, about)


EDGE = (
    Entry("X3", "edge", Silence, lambda options, *_: Silence(**options)),
    Entry("X5", "edge", MeterClock, lambda options, *_: MeterClock(**options)),
    Entry("X1", "edge", Tamper, lambda options, *_: Tamper(**options)),
    Entry("X2", "edge", BatteryLow, lambda options, *_: BatteryLow(**options)),
    Entry("E1", "edge", HighUsage, lambda options, _, about: _excess(HighUsage, about.budget_m, options, about)),
    Entry("E6", "edge", DemandLimit, _demand_limit),
    Entry("E8", "edge", ZeroConsumption, lambda _, __, about: tuned(ZeroConsumption, {"away": about.away}, about)),
    Entry("E9", "edge", ReverseFlow, lambda options, _, about: ReverseFlow(bool(about.pv), **options)),
    Entry("E10", "edge", VoltageQuality, lambda options, *_: VoltageQuality(**options)),
    Entry("E11", "edge", Outage, lambda options, calendar, about: Outage(calendar, **options, pv=bool(about.pv))),
    Entry("E12", "edge", PhaseFault, lambda options, *_: PhaseFault(**options)),
    Entry("E13", "edge", Overload, _overload),
    Entry("E14", "edge", LowPowerFactor, lambda options, *_: LowPowerFactor(**options)),
    Entry("W1", "edge", WaterLeak, _water_leak),
    Entry("W3", "edge", WaterBurst, lambda options, calendar, _: WaterBurst(calendar, **options)),
    Entry("W4", "edge", HighWaterDay, lambda o, _, about: _excess(HighWaterDay, max(1, about.budget_m // 2), o, about)),
    Entry("W5", "edge", FlowWhileAway, lambda options, _, about: FlowWhileAway(about.away, **options)),
    Entry("G1", "edge", GasContinuous, lambda options, *_: GasContinuous(**options)),
    Entry("G2", "edge", GasLongUse, lambda options, _, about: tuned(GasLongUse, options, about)),
)


def rules_of(
    alerts: AlertsTable,
    calendar: Calendar,
    about: MeterSettings,
    place: Literal["edge", "hub"] | None = "edge",
    plan: "Plan | None" = None,
) -> list[Rule]:
    """Make the rules of one meter that run at a place, all of them for None; `plan` is what its use costs."""
    if plan is not None and about.bill_limit is None:
        about = about.model_copy(update={"bill_limit": getattr(alerts.budget, plan.tariff.commodity)})
    known: tuple[Entry, ...] = EDGE
    if place != "edge":  # a gateway of a fleet need not know what a hub judges
        from gateway.alerts.hub_catalogue import ENTRIES  # noqa: PLC0415

        known = ENTRIES
    made = []
    for entry in known:
        table = getattr(alerts, entry.rule.name)
        if table.enabled and place in (None, entry.place) and not (entry.priced and plan is None):
            options = {name: getattr(table, name) for name in type(table).model_fields if name != "enabled"}
            options |= {"plan": plan} if entry.priced else {}
            made.append(entry.make(options, calendar, about))
    return [rule for rule in made if rule is not None]
