"""What messages say, as data: a file for each rule, and one for every rule that has none."""

from gateway.notify.texts import (
    away_over,
    baseload_increase,
    battery_low,
    bill_projection,
    budget,
    data_quality,
    demand_limit,
    flow_while_away,
    gas_continuous,
    gas_long_use,
    gateway_offline,
    gateways_offline,
    high_usage,
    high_water_day,
    late_readings,
    low_power_factor,
    meter_clock,
    meter_offline,
    other,
    outage,
    overload,
    peak_price_use,
    phase_fault,
    pv_fault,
    reverse_flow,
    tamper,
    tariff_advice,
    tier_crossing,
    voltage_quality,
    water_burst,
    water_leak,
    welcome,
    zero_consumption,
)
from gateway.notify.texts.text import Text, Texts

TEXTS: dict[str, Texts] = {
    "away_over": away_over.TEXTS,
    "baseload_increase": baseload_increase.TEXTS,
    "battery_low": battery_low.TEXTS,
    "bill_projection": bill_projection.TEXTS,
    "budget": budget.TEXTS,
    "data_quality": data_quality.TEXTS,
    "demand_limit": demand_limit.TEXTS,
    "flow_while_away": flow_while_away.TEXTS,
    "gas_continuous": gas_continuous.TEXTS,
    "gas_long_use": gas_long_use.TEXTS,
    "gateway_offline": gateway_offline.TEXTS,
    "gateways_offline": gateways_offline.TEXTS,
    "high_usage": high_usage.TEXTS,
    "high_water_day": high_water_day.TEXTS,
    "late_readings": late_readings.TEXTS,
    "low_power_factor": low_power_factor.TEXTS,
    "meter_clock": meter_clock.TEXTS,
    "meter_offline": meter_offline.TEXTS,
    "outage": outage.TEXTS,
    "overload": overload.TEXTS,
    "peak_price_use": peak_price_use.TEXTS,
    "phase_fault": phase_fault.TEXTS,
    "pv_fault": pv_fault.TEXTS,
    "reverse_flow": reverse_flow.TEXTS,
    "tamper": tamper.TEXTS,
    "tariff_advice": tariff_advice.TEXTS,
    "tier_crossing": tier_crossing.TEXTS,
    "voltage_quality": voltage_quality.TEXTS,
    "water_burst": water_burst.TEXTS,
    "water_leak": water_leak.TEXTS,
    "welcome": welcome.TEXTS,
    "zero_consumption": zero_consumption.TEXTS,
}

_COMMODITIES = ("water", "gas")


def text_for(rule: str, state: str, severity: str, quantity: str = "") -> Text:
    """Give what is said of a rule's alert in a state.

    That is the text for its severity, else for the commodity of its quantity, else for any, else for any rule.
    """
    commodity = next((name for name in _COMMODITIES if quantity.startswith(name)), "")
    for texts in (TEXTS.get(rule, {}), other.TEXTS):
        for name in (f"{state} {severity}", f"{state} {commodity}", state):
            if name in texts:
                return texts[name]
    raise KeyError(state)
