"""What the rules of water take. The reason of each default is in gateway/alerts/rules."""

from typing import Annotated

from pydantic import Field

from gateway.config.table import Table, option
from gateway.config.values import lasting


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


class WaterBurstTable(Table):
    """More water than this home ever takes at once."""

    enabled: bool = option("Watch for bursts.", True)
    above: Annotated[float, Field(gt=0, le=1e6)] = option("Litres a minute for half an hour that are told of.", 12.0)
    much: Annotated[float, Field(gt=0, le=1e6)] = option("Litres a minute for ten minutes that are critical.", 20.0)
    stopped: Annotated[float, Field(gt=0, le=1e6)] = option("Litres a minute below which it is over.", 2.0)


class HighWaterDayTable(Table):
    """More water in a day than is usual."""

    enabled: bool = option("Watch for days of unusually much water.", True)
    floor: Annotated[float, Field(gt=0, le=1e6)] = option("Litres above the usual that are never told of.", 150.0)
    share: Annotated[float, Field(ge=0, le=10)] = option("The share of the usual use that is never told of.", 0.3)
    cooldown: Annotated[float, lasting("0s", "7d")] = option("How long after one it is not told again.", "24h")


class FlowWhileAwayTable(Table):
    """Water or gas that flows while nobody is at home."""

    enabled: bool = option("Watch what flows while the customer is away.", True)
    water: Annotated[float, Field(gt=0, le=1e6)] = option("Litres of water a day that are told of.", 5.0)
    gas: Annotated[float, Field(gt=0, le=1e6)] = option("Litres of gas a day that are told of.", 50.0)
    over: Annotated[float, lasting("1m", "2d")] = option("It is over once nothing flowed for this long.", "3h")
    cooldown: Annotated[float, lasting("0s", "7d")] = option("How long after its end it is not told again.", "6h")
