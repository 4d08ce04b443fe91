"""The tables [alerts.RULE]: what each rule of the edge takes, with defaults that need no touching.

Their names are the parameters of the rules in gateway/alerts/rules, where each default has its reason.
"""

from typing import Annotated

from pydantic import Field

from gateway.config.table import Table, option
from gateway.config.values import lasting


class OverloadTable(Table):
    """The main fuse carries more than it should, for longer than it should."""

    enabled: bool = option("Watch for overload of meters that have rating_a.", True)
    dwell: Annotated[float, lasting("1s", "1h")] = option(
        "How long the current must be above the main fuse's rating to be critical.", "60s"
    )
    warn_at: Annotated[float, Field(ge=0.85, le=1.0)] = option("The share of the rating above which it warns.", 0.9)
    warn_dwell: Annotated[float, lasting("1s", "1d")] = option(
        "How long the current must be above that share to warn.", "5m"
    )
    clear_at: Annotated[float, Field(ge=0.1, le=0.85)] = option("The share of the rating below which it is over.", 0.8)
    cooldown: Annotated[float, lasting("0s", "7d")] = option(
        "How long after an overload only a worse one is told.", "1h"
    )


class WaterLeakTable(Table):
    """Water that never stops."""

    enabled: bool = option("Watch for water that never stops.", True)
    still: Annotated[float, lasting("1s", "12h")] = option(
        "A register that never stands still for this long tells of a leak.", "90m"
    )
    sure_after: Annotated[float, lasting("10s", "7d")] = option("For how long that must go on to be sure.", "24h")
    over: Annotated[float, lasting("2s", "2d")] = option(
        "It is over once the register stood still for this long.", "3h"
    )
    severe: Annotated[float, Field(gt=0, le=1e6)] = option("Litres an hour above which a leak is critical.", 60.0)
    severe_total: Annotated[float, Field(gt=0, le=1e9)] = option("Litres lost above which a leak is critical.", 20000.0)
    night_from: Annotated[float, lasting("0s", "23h")] = option(
        "When the night begins that is watched for a first sign, as time since midnight.", "0h"
    )
    night_to: Annotated[float, lasting("1h", "1d")] = option("When that night ends, as time since midnight.", "5h")
    night_still: Annotated[float, lasting("1s", "12h")] = option(
        "A register that never stands still for this long in a whole night tells of a possible leak.", "60m"
    )
    nights: Annotated[int, Field(ge=1, le=14)] = option("How many such nights in a row it takes to say so.", 1)
    one_night_above: Annotated[float, Field(gt=0, le=1e6)] = option(
        "Litres an hour above which one night is enough, whatever nights says.", 20.0
    )


class MeterOfflineTable(Table):
    """A meter that used to speak, and does not."""

    enabled: bool = option("Watch for meters that fall silent.", True)
    periods: Annotated[float, Field(ge=2, le=1000)] = option(
        "How many of its own usual periods a meter may be silent.", 5.0
    )
    least: Annotated[float, lasting("1s", "7d")] = option("How long any meter may be silent.", "15m")


class MeterClockTable(Table):
    """A meter whose own clock is wrong."""

    enabled: bool = option("Watch the clocks of meters that show theirs.", True)
    above: Annotated[float, lasting("10s", "1d")] = option("How far off a meter's clock may be.", "10s")
    cooldown: Annotated[float, lasting("0s", "30d")] = option("How long after its end it is not told again.", "1d")


class AlertsTable(Table):
    """The rules that run at the meters."""

    overload: OverloadTable = option("Overload of the main fuse.", OverloadTable())
    water_leak: WaterLeakTable = option("Water that never stops.", WaterLeakTable())
    meter_offline: MeterOfflineTable = option("A silent meter.", MeterOfflineTable())
    meter_clock: MeterClockTable = option("A meter's clock that is wrong.", MeterClockTable())
