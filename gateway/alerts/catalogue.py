"""Which rules there are, and which of them watch a meter: one line a rule.

A rule takes part when it is enabled and the meter says what it judges; what a meter never says costs nothing.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from gateway.alerts.calendar import Calendar
from gateway.alerts.night import nights
from gateway.alerts.rule import Rule
from gateway.alerts.rules.away import FlowWhileAway
from gateway.alerts.rules.base_load import BaseLoad
from gateway.alerts.rules.bill_projection import BillProjection
from gateway.alerts.rules.budget import Budget
from gateway.alerts.rules.burst import WaterBurst
from gateway.alerts.rules.data_quality import DataQuality
from gateway.alerts.rules.demand import DemandLimit
from gateway.alerts.rules.flags import BatteryLow, Tamper
from gateway.alerts.rules.gas import GasContinuous, GasLongUse
from gateway.alerts.rules.gateway_offline import GatewayOffline, GatewaysOffline, LateReadings
from gateway.alerts.rules.high_usage import HighUsage, HighWaterDay
from gateway.alerts.rules.meter_clock import MeterClock
from gateway.alerts.rules.outage import Outage
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.peak import PeakPriceUse
from gateway.alerts.rules.power_factor import LowPowerFactor
from gateway.alerts.rules.pv import PvFault
from gateway.alerts.rules.reverse import ReverseFlow
from gateway.alerts.rules.silence import Silence
from gateway.alerts.rules.tariff_advice import TariffAdvice, alike
from gateway.alerts.rules.tier import TierCrossing
from gateway.alerts.rules.voltage import PhaseFault, VoltageQuality
from gateway.alerts.rules.water import WaterLeak
from gateway.alerts.rules.welcome import Welcome
from gateway.alerts.rules.zero import ZeroConsumption
from gateway.alerts.settings import MeterSettings
from gateway.config.alerts import AlertsTable
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


def _tuned(rule: type[Any], options: Options, about: MeterSettings) -> Rule:
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
    return _tuned(rule, options | {"budget": budget, "known": about.known_slots, "away": about.away}, about)


def _bill_projection(options: Options, calendar: Calendar, about: MeterSettings) -> Rule:
    return BillProjection(options.pop("plan"), calendar, about.bill_limit, **options)


def _tier_crossing(options: Options, calendar: Calendar, _: MeterSettings) -> Rule | None:
    return TierCrossing(options["plan"], calendar) if options["plan"].limits else None


def _budget(options: Options, calendar: Calendar, about: MeterSettings) -> Rule | None:
    plan, limit, early = options["plan"], about.bill_limit, options["early"]
    return None if limit is None else Budget(plan, calendar, limit, early=early)


def _peak_price_use(options: Options, *_: object) -> Rule | None:
    return PeakPriceUse(**options) if len(options["plan"].tariff.rates) > 1 else None


def _tariff_advice(options: Options, *_: object) -> Rule | None:
    offers = alike(options["plan"].tariff, options.pop("offers"))
    return TariffAdvice(offers=offers, **options) if offers else None


def _elsewhere(*_: object) -> None:
    """Leave out a rule of gateways, or of live values: `gatewatch.py` and `welcomes.py` make those."""


ENTRIES = (
    Entry("X3", "edge", Silence, lambda options, *_: Silence(**options)),
    Entry("X4", "hub", GatewayOffline, _elsewhere),
    Entry("X4b", "hub", LateReadings, _elsewhere),
    Entry("X4c", "hub", GatewaysOffline, _elsewhere),
    Entry("X5", "edge", MeterClock, lambda options, *_: MeterClock(**options)),
    Entry("X5b", "hub", DataQuality, lambda options, *_: DataQuality(**options)),
    Entry("X1", "edge", Tamper, lambda options, *_: Tamper(**options)),
    Entry("X2", "edge", BatteryLow, lambda options, *_: BatteryLow(**options)),
    Entry("E1", "edge", HighUsage, lambda options, _, about: _excess(HighUsage, about.budget_m, options, about)),
    Entry("E2", "hub", BillProjection, _bill_projection, priced=True),
    Entry("E3", "hub", TierCrossing, _tier_crossing, priced=True),
    Entry("E4", "hub", Budget, _budget, priced=True),
    Entry("E5", "hub", PeakPriceUse, _peak_price_use, priced=True),
    Entry("E6", "edge", DemandLimit, _demand_limit),
    Entry("E7", "hub", BaseLoad, lambda options, _, about: _tuned(BaseLoad, options, about)),
    Entry("E8", "edge", ZeroConsumption, lambda _, __, about: _tuned(ZeroConsumption, {"away": about.away}, about)),
    Entry("E9", "edge", ReverseFlow, lambda options, _, about: ReverseFlow(bool(about.pv), **options)),
    Entry("E9b", "hub", PvFault, lambda o, calendar, about: PvFault(calendar, **o) if about.pv else None),
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
    Entry("G2", "edge", GasLongUse, lambda options, _, about: _tuned(GasLongUse, options, about)),
    Entry("X10", "hub", TariffAdvice, _tariff_advice, priced=True),
    Entry("X11", "hub", Welcome, _elsewhere),
)


def rules_of(
    alerts: AlertsTable,
    calendar: Calendar,
    about: MeterSettings,
    place: Literal["edge", "hub"] | None = "edge",
    plan: Plan | None = None,
) -> list[Rule]:
    """Make the rules of one meter that run at a place, all of them for None; `plan` is what its use costs."""
    if plan is not None and about.bill_limit is None:
        about = about.model_copy(update={"bill_limit": getattr(alerts.budget, plan.tariff.commodity)})
    made = []
    for entry in ENTRIES:
        table = getattr(alerts, entry.rule.name)
        if table.enabled and place in (None, entry.place) and not (entry.priced and plan is None):
            options = {name: getattr(table, name) for name in type(table).model_fields if name != "enabled"}
            options |= {"plan": plan} if entry.priced else {}
            made.append(entry.make(options, calendar, about))
    return [rule for rule in made if rule is not None]
