"""What the rules of gas take. The reason of each default is in gateway/alerts/rules."""

from typing import Annotated

from pydantic import Field

from gateway.config.table import Table, option
from gateway.config.values import lasting


class GasContinuousTable(Table):
    """Gas that never stops."""

    enabled: bool = option("Watch for gas that never stops.", True)
    hours: Annotated[int, Field(ge=3, le=240)] = option(
        "For how many hours gas must not have stopped; 24 is enough where nothing heats.", 48
    )
    pilot: Annotated[float, Field(ge=0, le=1000)] = option("Litres an hour that pilot flames take.", 0.0)


class GasLongUseTable(Table):
    """Gas that burns on and on."""

    enabled: bool = option("Watch for gas that burns evenly for unusually long.", True)
    hours: Annotated[int, Field(ge=2, le=240)] = option("Hours that are never told of.", 4)
    above: Annotated[float, Field(gt=0, le=1e6)] = option("Litres an hour below which it is no burner.", 50.0)
    cooldown: Annotated[float, lasting("0s", "7d")] = option("How long after one it is not told again.", "12h")
