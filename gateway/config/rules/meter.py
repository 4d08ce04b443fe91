"""What the rules of any meter take. The reason of each default is in gateway/alerts/rules."""

from typing import Annotated

from pydantic import Field

from gateway.config.table import Table, option
from gateway.config.values import lasting


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


class ZeroConsumptionTable(Table):
    """A register that stands still for unusually long."""

    enabled: bool = option("Watch for registers that stand still for unusually long.", True)


class ReverseFlowTable(Table):
    """What flows the wrong way."""

    enabled: bool = option("Watch for what flows the wrong way.", True)
    export: Annotated[float, Field(gt=0, le=1e9)] = option(
        "Wh a day that may flow out of a home without a plant.", 200.0
    )
    cooldown: Annotated[float, lasting("0s", "7d")] = option("How long after its end it is not told again.", "24h")


class TamperTable(Table):
    """Somebody was at a meter."""

    enabled: bool = option("Watch for meters that report tampering.", True)
    cooldown: Annotated[float, lasting("0s", "30d")] = option("How long after its end it is not told again.", "24h")


class BatteryLowTable(Table):
    """A meter's battery that ends."""

    enabled: bool = option("Watch the batteries of meters.", True)
    soon: Annotated[float, lasting("1d", "1000d")] = option("A battery that lasts less long is told of.", "180d")
    urgent: Annotated[float, lasting("1d", "1000d")] = option("One that lasts less long than this is urgent.", "30d")
    cooldown: Annotated[float, lasting("0s", "90d")] = option("How long after its end it is not told again.", "30d")


class GatewayOfflineTable(Table):
    """A gateway that is gone; the hub watches."""

    enabled: bool = option("Watch for gateways that are gone.", True)
    dwell: Annotated[float, lasting("30s", "1d")] = option("How long a gateway may be gone.", "5m")
    planned: Annotated[float, lasting("0s", "7d")] = option("How long it may be gone when it was shut down.", "30m")
    calm: Annotated[float, lasting("0s", "1d")] = option("How long it must be back.", "30m")


class LateReadingsTable(Table):
    """A gateway that has been gone for so long that customers miss their readings."""

    enabled: bool = option("Tell customers of readings that are late.", True)
    dwell: Annotated[float, lasting("5m", "7d")] = option("How long a gateway may be gone.", "6h")
    planned: Annotated[float, lasting("0s", "7d")] = option("How long it may be gone when it was shut down.", "30m")
    calm: Annotated[float, lasting("0s", "1d")] = option("How long it must be back.", "30m")


class GatewaysOfflineTable(Table):
    """Many gateways that are gone at once."""

    enabled: bool = option("Tell of many gateways at once in one message.", True)
    share: Annotated[float, Field(gt=0, lt=1)] = option("The share of gateways from which they are told together.", 0.3)
    least: Annotated[int, Field(ge=2, le=20_000)] = option("How many gateways there must be for that.", 10)


class DataQualityTable(Table):
    """A day of readings that are missing or cannot be."""

    enabled: bool = option("Watch each day's readings.", True)
    complete: Annotated[float, Field(gt=0, le=1)] = option("The share of a day that is measured.", 0.95)
    twice: Annotated[int, Field(ge=1, le=1_000_000)] = option("So many readings of a day may come twice.", 100)
    cooldown: Annotated[float, lasting("0s", "30d")] = option("How long after its end it is not told again.", "1d")


class WelcomeTable(Table):
    """A new meter's first hour."""

    enabled: bool = option("Greet each new meter with its first hour.", True)
