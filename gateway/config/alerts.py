"""The tables [alerts.RULE]: what each rule takes, with defaults that need no touching, and the place's calendar.

Their names are the parameters of the rules in gateway/alerts/rules, where each default has its reason.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from gateway.alerts.calendar import Calendar
from gateway.config.rules.electricity import (
    BaseLoadTable,
    DemandLimitTable,
    HighUsageTable,
    LowPowerFactorTable,
    OutageTable,
    OverloadTable,
    PhaseFaultTable,
    VoltageQualityTable,
)
from gateway.config.rules.gas import GasContinuousTable, GasLongUseTable
from gateway.config.rules.meter import (
    BatteryLowTable,
    DataQualityTable,
    GatewayOfflineTable,
    GatewaysOfflineTable,
    LateReadingsTable,
    MeterClockTable,
    MeterOfflineTable,
    ReverseFlowTable,
    TamperTable,
    WelcomeTable,
    ZeroConsumptionTable,
)
from gateway.config.rules.tariff import (
    BillProjectionTable,
    BudgetTable,
    PeakPriceUseTable,
    PvFaultTable,
    TariffAdviceTable,
    TierCrossingTable,
)
from gateway.config.rules.water import FlowWhileAwayTable, HighWaterDayTable, WaterBurstTable, WaterLeakTable
from gateway.config.table import Table, option

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class CalendarTable(Table):
    """When people rest here."""

    weekend: Annotated[tuple[Weekday, ...], Field(strict=False, max_length=6)] | None = option(
        'The days of the weekend, as in ["fri", "sat"]; what is usual in the time zone unless given.', None
    )
    ramadan: bool | None = option(
        "Whether Ramadan counts as its own kind of day; what is usual in the time zone unless given.", None
    )
    holidays: Annotated[tuple[date, ...], Field(strict=False, max_length=400)] | None = option(
        "Public holidays, as dates: days of rest besides the weekend.", None
    )

    def of(self, zone: str) -> Calendar:
        """Make the calendar of a place, by the name of its time zone."""
        weekend = None if self.weekend is None else [WEEKDAYS.index(day) for day in self.weekend]
        return Calendar(zone, weekend=weekend, ramadan=self.ramadan, holidays=self.holidays or ())


class AlertsTable(Table):
    """The rules, and the calendar they go by."""

    calendar: CalendarTable = option("When people rest here.", {})
    overload: OverloadTable = option("Overload of the main fuse.", {})
    high_usage: HighUsageTable = option("Unusually high use of electricity.", {})
    baseload_increase: BaseLoadTable = option("A base load that grows.", {})
    demand_limit: DemandLimitTable = option("More power than was contracted.", {})
    outage: OutageTable = option("A power cut.", {})
    voltage_quality: VoltageQualityTable = option("Voltage that harms appliances.", {})
    phase_fault: PhaseFaultTable = option("A phase that is gone.", {})
    low_power_factor: LowPowerFactorTable = option("A low power factor.", {})
    water_leak: WaterLeakTable = option("Water that never stops.", {})
    water_burst: WaterBurstTable = option("More water than this home ever takes at once.", {})
    high_water_day: HighWaterDayTable = option("A day of unusually much water.", {})
    flow_while_away: FlowWhileAwayTable = option("What flows while nobody is at home.", {})
    gas_continuous: GasContinuousTable = option("Gas that never stops.", {})
    gas_long_use: GasLongUseTable = option("Gas that burns on and on.", {})
    meter_offline: MeterOfflineTable = option("A silent meter.", {})
    meter_clock: MeterClockTable = option("A meter's clock that is wrong.", {})
    gateway_offline: GatewayOfflineTable = option("A gateway that is gone.", {})
    late_readings: LateReadingsTable = option("Readings that are late.", {})
    gateways_offline: GatewaysOfflineTable = option("Many gateways gone at once.", {})
    data_quality: DataQualityTable = option("Readings that are not in order.", {})
    welcome: WelcomeTable = option("A new meter's first hour.", {})
    zero_consumption: ZeroConsumptionTable = option("A register that stands still.", {})
    reverse_flow: ReverseFlowTable = option("What flows the wrong way.", {})
    tamper: TamperTable = option("Somebody was at a meter.", {})
    battery_low: BatteryLowTable = option("A meter's battery that ends.", {})
    bill_projection: BillProjectionTable = option("A bill that will be high.", {})
    tier_crossing: TierCrossingTable = option("A dearer tier that is near.", {})
    budget: BudgetTable = option("A budget that runs out.", {})
    peak_price_use: PeakPriceUseTable = option("Much used at the dearest time.", {})
    tariff_advice: TariffAdviceTable = option("Another tariff that would cost less.", {})
    pv_fault: PvFaultTable = option("A plant on the roof that makes too little.", {})
