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


class DemandLimitTable(Table):
    """More power than was contracted."""

    enabled: bool = option("Watch the mean power of each hour, where limit is given.", True)
    limit: Annotated[float, Field(gt=0, le=1e8)] | None = option("The contracted power in W; none unless given.", None)
    window: Annotated[float, lasting("5m", "1h")] = option("Over how long it is billed.", "1h")
    early: Annotated[float, Field(ge=0.1, le=0.9)] = option("The share of that time after which it is judged.", 0.4)


class OutageTable(Table):
    """A power cut."""

    enabled: bool = option("Watch for power cuts.", True)
    base: Annotated[float, Field(gt=0, le=1e6)] = option("W that always run in a home which can tell of them.", 30.0)
    least: Annotated[float, lasting("1s", "1d")] = option("How long a silence must be to be judged.", "5m")
    dwell: Annotated[float, lasting("1s", "1h")] = option(
        "How long after its last gasp a meter must stay silent.", "60s"
    )


class VoltageQualityTable(Table):
    """Voltage outside of what appliances are made for."""

    enabled: bool = option("Watch the voltage.", True)
    nominal: Annotated[float, Field(gt=50, le=1000)] | None = option(
        "The nominal voltage in V; 127 or 230 unless given, whichever is nearer.", None
    )
    band: Annotated[float, Field(ge=0.02, le=0.5)] = option("The share of it by which it may be off.", 0.1)
    back: Annotated[float, Field(ge=0, le=0.2)] = option("The share by which it must come back to be over.", 0.02)
    cooldown: Annotated[float, lasting("0s", "7d")] = option("How long after one it is not told again.", "24h")


class PhaseFaultTable(Table):
    """A phase that is gone."""

    enabled: bool = option("Watch for missing phases.", True)
    nominal: Annotated[float, Field(gt=50, le=1000)] | None = option(
        "The nominal voltage in V; 127 or 230 unless given, whichever is nearer.", None
    )
    dwell: Annotated[float, lasting("1s", "1h")] = option("How long the phase must be gone.", "60s")
    cooldown: Annotated[float, lasting("0s", "7d")] = option("How long after its end it is not told again.", "6h")


class LowPowerFactorTable(Table):
    """A low power factor."""

    enabled: bool = option("Watch the power factor, which businesses pay for.", False)
    below: Annotated[float, Field(gt=0, lt=1)] = option("The power factor below which it is told of.", 0.85)
    least: Annotated[float, Field(gt=0, le=1e8)] = option("The power in VA above which it matters.", 1000.0)
    dwell: Annotated[float, lasting("15m", "7d")] = option("For how long it must be low.", "2h")
    cooldown: Annotated[float, lasting("0s", "90d")] = option("How long after its end it is not told again.", "30d")
