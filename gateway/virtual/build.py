"""From a configuration's tables to virtual meters: their plans, what the world hears of them, what they can carry."""

from collections.abc import Mapping

from drivers.contract import DriverError
from gateway.check import Limits
from gateway.config.build import meter_id
from gateway.config.models import Wired
from gateway.config.virtual import VirtualTable
from gateway.message import MeterInfo
from gateway.virtual.additive import offered
from gateway.virtual.compute import Plan

LEAST_EVERY = 10.0
"""Seconds: a meter that pushes is configured without a pace of its own, and the slowest such pushes this often."""


def plans_of(config: Wired) -> tuple[Plan, ...]:
    """Make what is computed; the formulas name meters that are there (`gateway.config.relations` saw to it)."""
    return tuple(plan_of(config, row) for row in config.virtual)


def plan_of(config: Wired, row: VirtualTable) -> Plan:
    """Make one virtual meter's plan."""
    rows = {meter.name: meter for meter in config.meter}
    parts = [(rows[name], weight) for name, weight in row.formula.weights.items()]
    every = max(LEAST_EVERY, *(meter.every for meter, _ in parts))
    return Plan(
        id=virtual_id(config, row),
        name=row.name,
        text=row.formula.text,
        weights={meter_id(config, meter): weight for meter, weight in parts},
        paces={meter_id(config, meter): meter.every for meter, _ in parts},
        quantities=offered([meter.profile.quantities for meter, _ in parts], row.formula.weights.values()),
        every=every,
        within=every if row.within is None else row.within,
    )


def virtual_id(config: Wired, row: VirtualTable) -> str:
    """Name a virtual meter to the world, as a meter is named."""
    return row.id or f"{config.gateway.id}_{row.name}"


def cannot_be_read(config: Wired, meter: str) -> None:
    """Raise DriverError, which says what to read instead, if a name or id is a virtual meter's."""
    for row in config.virtual:
        if meter in (row.name, virtual_id(config, row)):
            parts = ", ".join(row.formula.weights)
            raise DriverError("is computed, not read", f"read its parts: {parts}", meter=row.name)


def info_of(plan: Plan) -> MeterInfo:
    """Describe a virtual meter to the world; it has no OBIS codes, for no meter shows what it computes."""
    return MeterInfo(
        id=plan.id,
        name=plan.name,
        commodity=plan.quantities[0].commodity,
        model=f"= {plan.text}",
        every=plan.every,
        quantities={row.key: {"unit": row.unit, "kind": row.kind, "obis": ""} for row in plan.quantities},
    )


def limits_of(plan: Plan, parts: Mapping[str, Limits]) -> Limits:
    """Say what a virtual meter cannot exceed: what all its parts together cannot."""
    counters = [row for row in plan.quantities if row.kind == "counter"]
    return Limits(
        rate={
            row.key: sum(abs(float(weight)) * parts[part].rate_of(row) for part, weight in plan.weights.items())
            for row in counters
        }
    )
