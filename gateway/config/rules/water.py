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
