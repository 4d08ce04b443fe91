"""The kinds of messages customers choose by: a table from each rule's name to its kind.

What is critical is of kind safety whatever its rule: a small leak is a leak, a large one endangers the house.
"""

from typing import Literal

from gateway.alerts.event import AlertEvent

Kind = Literal["safety", "leak", "usage", "cost", "operator", "digest"]
KINDS: tuple[Kind, ...] = ("safety", "leak", "usage", "cost", "operator", "digest")
Frequency = Literal["now", "bundled", "daily", "weekly", "off"]
FREQUENCIES: tuple[Frequency, ...] = ("now", "bundled", "daily", "weekly", "off")

KIND: dict[str, Kind] = {
    "gas_continuous": "safety", "gas_long_use": "safety", "overload": "safety", "outage": "safety",
    "phase_fault": "safety", "water_burst": "safety",
    "water_leak": "leak", "flow_while_away": "leak",
    "bill_projection": "cost", "tier_crossing": "cost", "budget": "cost", "peak_price_use": "cost",
    "tariff_advice": "cost",
    "meter_offline": "operator", "meter_clock": "operator", "gateway_offline": "operator",
    "gateways_offline": "operator", "late_readings": "operator", "tamper": "operator", "battery_low": "operator",
    "data_quality": "operator", "voltage_quality": "operator",
    "achievement": "digest", "goal_met": "digest", "tip": "digest", "weekly_digest": "digest",
}  # fmt: skip
"""By the rule's name; every other rule is about usage."""

ENDS_UNSAID = frozenset({"welcome"})
"""Rules whose alerts end without a word: a greeting is not over."""


def kind_of(event: AlertEvent) -> Kind:
    """Say what kind of message an event makes."""
    return "safety" if event.severity == "critical" else KIND.get(event.rule, "usage")
