"""What each rule's events hold, for tests of what is said of them; test_texts.py proves it against the rules."""

from dataclasses import dataclass
from typing import Any

from gateway.alerts.event import Severity


@dataclass(frozen=True)
class Shape:
    """Units and quantities of a rule's value, its severities, and the evidence of what is open and what is over."""

    unit: str
    quantities: tuple[str, ...] = ("",)
    severities: tuple[Severity, ...] = ("warning",)
    evidence: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    baseline: bool = True
    value: bool = True


def _shape(unit: str, quantity: str, *severities: Severity, **more: Any) -> Shape:
    return Shape(unit, tuple(quantity.split()), severities, **more)


SHAPES: dict[str, Shape] = {
    "meter_offline": Shape("s", evidence=("last_ms", "limit_s", "period_s"), over=("last_ms", "back_ms")),
    "meter_clock": Shape("s", severities=("info",), evidence=("off_s",), over=("peak_s",)),
    "tamper": Shape("", value=False, baseline=False),
    "battery_low": _shape("s", "battery_left_s", "info", "warning"),
    "high_usage": _shape("Wh", "energy_import_wh", "info", "warning", evidence=("above_wh", "limit_wh", "hours")),
    "high_water_day": _shape("l", "water_volume_l", "info", "warning", evidence=("above_l", "limit_l", "hours")),
    "demand_limit": _shape("W", "power_w", "warning", evidence=("ends_ms", "power_w")),
    "baseload_increase": _shape(
        "W", "energy_import_wh", "info", evidence=("rise_w", "limit_w", "days"), over=("base_w",)
    ),
    "zero_consumption": _shape(
        "s", "energy_import_wh water_volume_l", "info", "warning",
        evidence=("since_ms", "longest_s", "flowed_wh"), over=("since_ms",),
    ),
    "reverse_flow": _shape(
        "l", "water_volume_l gas_volume_l energy_import_wh energy_export_wh", "warning", evidence=("fell_wh", "fell_l")
    ),
    "voltage_quality": _shape(
        "V", "voltage_l1_v", "info", "warning", evidence=("since_ms", "worst_v", "seen_today"),
        over=("since_ms", "worst_v"),
    ),
    "outage": _shape(
        "s", "energy_import_wh", "critical", "info", evidence=("since_ms", "lasted_s", "base_w"),
        over=("since_ms", "lasted_s"),
    ),
    "phase_fault": _shape("V", "voltage_l2_v", "warning", evidence=("since_ms", "other_v"), over=("since_ms",)),
    "overload": _shape(
        "A", "current_l1_a", "critical", "warning", evidence=("limit_a", "since_ms", "peak_a"),
        over=("since_ms", "peak_a"),
    ),
    "low_power_factor": _shape("", "power_factor", "info"),
    "water_leak": _shape(
        "l/h", "water_volume_l", "info", "warning", "critical",
        evidence=("since_ms", "hours", "lost_l", "longest_stand_s"), over=("since_ms", "stopped_ms", "lost_l"),
    ),
    "water_burst": _shape(
        "l/h", "water_volume_l", "warning", "critical", evidence=("since_ms", "limit_l_min", "lost_l"),
        over=("since_ms", "lost_l"),
    ),
    "flow_while_away": _shape(
        "l", "water_volume_l gas_volume_l", "warning", "critical", evidence=("away_since_ms", "day_l", "anyway_l")
    ),
    "gas_continuous": Shape(
        "l/h", ("gas_volume_l",), ("critical",), ("since_ms", "hours", "least_l", "lost_l"), baseline=False
    ),
    "gas_long_use": Shape(
        "l/h", ("gas_volume_l",), ("warning",), ("since_ms", "hours", "usual_hours", "lost_l"), ("hours",),
        baseline=False,
    ),
    "gateway_offline": Shape("s", evidence=("since_ms",), over=("since_ms", "back_ms")),
    "late_readings": Shape("s", severities=("info",), evidence=("since_ms",), over=("since_ms", "back_ms")),
    "gateways_offline": Shape("", ("gateways",), evidence=("away",), over=("away",)),
    "data_quality": Shape("%", severities=("info",), evidence=("jumps_today", "twice_today")),
    "welcome": _shape("l", "water_volume_l", "info", evidence=("now_w", "now_l_h")),
    "a_rule_of_tomorrow": Shape("Wh"),
}  # fmt: skip
"""By the rule's name; what a newer gateway's rule says is a row too."""
