"""Which rules run at the hub: those that look at days, at bills and at gateways; one line a rule, as at the edge."""

import re

from gateway.alerts.calendar import Calendar
from gateway.alerts.catalogue import EDGE, Entry, Options, tuned
from gateway.alerts.rule import Rule
from gateway.alerts.rules.base_load import BaseLoad
from gateway.alerts.rules.bill_projection import BillProjection
from gateway.alerts.rules.budget import Budget
from gateway.alerts.rules.data_quality import DataQuality
from gateway.alerts.rules.gateway_offline import GatewayOffline, GatewaysOffline, LateReadings
from gateway.alerts.rules.peak import PeakPriceUse
from gateway.alerts.rules.pv import PvFault
from gateway.alerts.rules.tariff_advice import TariffAdvice, alike
from gateway.alerts.rules.tier import TierCrossing
from gateway.alerts.rules.welcome import Welcome
from gateway.alerts.settings import MeterSettings


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


HUB = (
    Entry("X4", "hub", GatewayOffline, _elsewhere),
    Entry("X4b", "hub", LateReadings, _elsewhere),
    Entry("X4c", "hub", GatewaysOffline, _elsewhere),
    Entry("X5b", "hub", DataQuality, lambda options, *_: DataQuality(**options)),
    Entry("E2", "hub", BillProjection, _bill_projection, priced=True),
    Entry("E3", "hub", TierCrossing, _tier_crossing, priced=True),
    Entry("E4", "hub", Budget, _budget, priced=True),
    Entry("E5", "hub", PeakPriceUse, _peak_price_use, priced=True),
    Entry("E7", "hub", BaseLoad, lambda options, _, about: tuned(BaseLoad, options, about)),
    Entry("E9b", "hub", PvFault, lambda o, calendar, about: PvFault(calendar, **o) if about.pv else None),
    Entry("X10", "hub", TariffAdvice, _tariff_advice, priced=True),
    Entry("X11", "hub", Welcome, _elsewhere),
)


def _order(entry: Entry) -> tuple[str, int, str]:
    letter, number, more = re.fullmatch(r"([A-Z])(\d+)(\w*)", entry.code).groups()  # type: ignore[union-attr]
    return letter, int(number), more


ENTRIES = tuple(sorted((*EDGE, *HUB), key=_order))
"""All rules there are, by their numbers."""
