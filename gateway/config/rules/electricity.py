"""What the rules of electricity take. The reason of each default is in gateway/alerts/rules."""

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


class HighUsageTable(Table):
    """More used in three hours than is usual then."""

    enabled: bool = option("Watch for unusually high use of electricity.", True)
    floor: Annotated[float, Field(gt=0, le=1e6)] = option("Wh above the usual that are never told of.", 1500.0)
    share: Annotated[float, Field(ge=0, le=10)] = option("The share of the usual use that is never told of.", 0.3)
    cooldown: Annotated[float, lasting("0s", "7d")] = option("How long after one it is not told again.", "12h")


class BaseLoadTable(Table):
    """What runs day and night has grown."""

    enabled: bool = option("Watch for a base load that grows.", True)
    least: Annotated[float, Field(gt=0, le=1e6)] = option("W by which it must have grown.", 120.0)
    share: Annotated[float, Field(ge=0.05, le=10)] = option("The share of itself by which it must have grown.", 0.35)
    days: Annotated[int, Field(ge=1, le=14)] = option("For how many days in a row.", 5)
    cooldown: Annotated[float, lasting("0s", "90d")] = option("How long after its end it is not told again.", "30d")
