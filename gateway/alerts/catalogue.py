"""Which rules watch a meter: one line a rule, made from its table of the configuration.

A rule takes part when it is enabled and the meter says what it judges; what a meter never says costs nothing.
"""

from zoneinfo import ZoneInfo

from gateway.alerts.night import nights
from gateway.alerts.rule import Rule
from gateway.alerts.rules.meter_clock import MeterClock
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.silence import Silence
from gateway.alerts.rules.water import WaterLeak
from gateway.config.alerts import AlertsTable

_OF_NIGHT = {"enabled", "night_from", "night_to"}


def rules_of(alerts: AlertsTable, zone: str, rating_a: float | None) -> list[Rule]:
    """Make the rules of one meter; `zone` names the time zone, `rating_a` is its main fuse in A."""
    rules: list[Rule] = []
    if alerts.meter_offline.enabled:
        rules.append(Silence(**alerts.meter_offline.model_dump(exclude={"enabled"})))
    if alerts.meter_clock.enabled:
        rules.append(MeterClock(**alerts.meter_clock.model_dump(exclude={"enabled"})))
    if alerts.overload.enabled and rating_a is not None:
        rules.append(Overload(rating_a, **alerts.overload.model_dump(exclude={"enabled"})))
    if alerts.water_leak.enabled:
        water = alerts.water_leak
        night_of = nights(ZoneInfo(zone), water.night_from, water.night_to)
        rules.append(WaterLeak(night_of, **water.model_dump(exclude=_OF_NIGHT)))
    return rules
