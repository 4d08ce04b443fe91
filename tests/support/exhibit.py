"""A home worth looking at, in English or Arabic names: meters of all kinds, a day of use, alerts. It never changes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.alerts.event import AlertEvent, alert_id
from gateway.live import LiveMeter
from gateway.message import SUSPECT
from gateway.today import Day, Use, hours_of
from tests.support.site import Site

NOW = round(datetime(2026, 11, 21, 15, 20, 10, tzinfo=UTC).timestamp() * 1000)
ZONE = "Asia/Riyadh"
NAMES = {
    "en": ("House", "Flat upstairs", "Heat pump", "Garden and house", "Kitchen"),
    "ar": ("المنزل", "الشقة العلوية", "المضخة الحرارية", "الحديقة والمنزل", "المطبخ"),
}
MINUTE = 60_000
_HOUSE = (0.31, 0.28, 0.27, 0.27, 0.3, 0.9, 1.9, 1.4, 0.6, 0.5, 0.5, 0.8, 2.4, 1.1, 0.6, 0.7, 1.6, 3.4, 1.2)
_WATER = (0.0, 0.0, 0.0, 0.0, 4.0, 31.0, 96.0, 42.0, 6.0, 0.0, 3.0, 8.0, 27.0, 12.0, 0.0, 5.0, 22.0, 60.0, 14.0)
_GAS = (0.0, 0.0, 0.0, 0.0, 0.02, 0.11, 0.34, 0.2, 0.05, 0.0, 0.0, 0.04, 0.19, 0.08, 0.0, 0.0, 0.09, 0.31)


def meters(language: str) -> list[LiveMeter]:
    """Make the home's meters; the heat pump's is late, the water meter's value doubtful."""
    house, flat, pump, water, gas = NAMES[language]
    phases = {"voltage_l1_v": 229.8, "voltage_l2_v": 231.4, "voltage_l3_v": 230.2}
    phases |= {"current_l1_a": 6.31, "current_l2_a": 2.04, "current_l3_a": 2.11}
    main = {"power_w": 2384.1, "energy_import_wh": 18_607_447.1, "energy_export_wh": 2_214_030, **phases}
    side = {"power_w": -640.0, "energy_import_wh": 4_120_300, "voltage_v": 230.6, "current_a": 2.79}
    heat = {"power_w": 1120.0, "energy_import_wh": 9_870_500}
    flow = {"water_flow_l_h": 432.0, "water_volume_l": 312_847.0}
    burnt = {"gas_volume_l": 7_412_318.0}
    return [
        LiveMeter("home_main", house, "electricity", "Eastron SDM630 Modbus", 1.0, NOW - 900, 0, main),
        LiveMeter("home_flat", flat, "electricity", "Eastron SDM120 Modbus", 10.0, NOW - 3_200, 0, side),
        LiveMeter("home_pump", pump, "electricity", "ABB B23", 10.0, NOW - 432_000, 0, heat),
        LiveMeter("home_water", water, "water", "TUF-2000M ultrasonic water meter", 60.0, NOW - 14_000, SUSPECT, flow),
        LiveMeter("home_gas", gas, "gas", "Gas meter behind a P1 port", 300.0, NOW - 202_000, 0, burnt),
    ]


def day(key: str, hours: Sequence[float | None], scale: float, *, since_hour: int = 0) -> Day:
    """Make a day of use; hours still to come are unknown."""
    zone = ZoneInfo(ZONE)
    begins = hours_of(NOW, zone)[:-1]
    amounts = [None if value is None else value * scale for value in hours]
    amounts += [None] * (len(begins) - len(amounts))
    total = sum(amount for amount in amounts if amount is not None)
    return Day(begins, begins[since_hour], {key: Use(total, tuple(amounts))}, zone)


def overload(severity: str = "critical") -> AlertEvent:
    """Make an open alert with its course."""
    raised = NOW - 4 * MINUTE
    points = [(raised - 55_000 + 5_000 * n, 20.0 + min(n, 6) * 1.6) for n in range(12)]
    return AlertEvent(
        id=alert_id("overload", "home_main", raised),
        seq=1,
        rule="overload",
        meter="home_main",
        state="raised",
        severity="critical" if severity == "critical" else "warning",
        raised=raised,
        at=raised,
        value=29.6,
        baseline=25.0,
        unit="A",
        quantity="current_l1_a",
        evidence={"limit_a": 25.0, "since_ms": raised - MINUTE, "peak_a": 29.6},
        points=points,
    )


def high() -> AlertEvent:
    """Make an open alert of unusual use, with its course."""
    raised = NOW - 30 * MINUTE
    return AlertEvent(
        id=alert_id("high_usage", "home_main", raised),
        seq=1,
        rule="high_usage",
        meter="home_main",
        state="raised",
        severity="warning",
        raised=raised,
        at=raised,
        value=6200.0,
        baseline=2100.0,
        unit="Wh",
        quantity="energy_import_wh",
        evidence={"above_wh": 4100.0, "hours": 2},
        points=[(raised - 15 * MINUTE * n, 400.0 + 90 * n) for n in range(8, 0, -1)],
    )


def leak() -> AlertEvent:
    """Make an alert that is over."""
    raised = NOW - 9 * 60 * MINUTE
    return AlertEvent(
        id=alert_id("water_leak", "home_water", raised),
        seq=2,
        rule="water_leak",
        meter="home_water",
        state="cleared",
        severity="warning",
        raised=raised,
        at=NOW - 70 * MINUTE,
        cleared=NOW - 70 * MINUTE,
        value=14.0,
        unit="l/h",
        quantity="water_volume_l",
        evidence={"since_ms": raised - 26 * 60 * MINUTE, "total_l": 430.0},
    )


def furnish(site: Site, language: str = "en", *, alerts: bool = True) -> None:
    """Put the home into a site that stands at NOW."""
    site.know(*meters(language))
    gaps = [*_HOUSE[:9], None, None, *_HOUSE[11:]]
    site.days.shown = {
        "home_main": day("energy_import_wh", _HOUSE, 1000),
        "home_flat": day("energy_import_wh", [*[None] * 9, *_HOUSE[9:]], 200, since_hour=9),
        "home_pump": day("energy_import_wh", gaps, 700),
        "home_water": day("water_volume_l", _WATER, 1),
        "home_gas": day("gas_volume_l", _GAS, 1000),
    }
    if alerts:
        site.do(site.alerts.take, "home", overload())
        site.do(site.alerts.take, "home", leak())
