"""What the rules about money take. The reason of each default is in gateway/alerts/rules."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, PlainValidator

from gateway.config.table import Table, option
from gateway.config.tariff import tariff_of
from gateway.config.values import lasting

if TYPE_CHECKING:
    from gateway.tariff.model import Tariff
else:
    Tariff = object  # see gateway/config/tariff.py

Money = Annotated[float, Field(gt=0, le=1e12)]


class BillProjectionTable(Table):
    """A bill that will be high."""

    enabled: bool = option("Watch where the bills of meters with a tariff will end.", True)
    over: Annotated[float, Field(ge=1, le=10)] = option(
        "How many times the usual bill is a high one, where the customer named no limit.", 1.3
    )
    margin: Annotated[float, Field(ge=1, le=10)] = option(
        "By how many times a bill must go beyond its limit, two days in a row, to be told as likely.", 1.1
    )


class TierCrossingTable(Table):
    """A dearer tier that is near."""

    enabled: bool = option("Watch for the ends of a tariff's tiers.", True)


class BudgetTable(Table):
    """A budget that runs out."""

    enabled: bool = option("Watch the budgets of meters that have one.", True)
    early: Annotated[float, Field(ge=0.1, le=1)] = option(
        "The share of it that is told of once spent, if it went faster than the time did.", 0.8
    )
    electricity: Money | None = option(
        "What is to be spent on electricity in a billing period, in its tariff's currency; settings may say it too.",
        None,
    )
    water: Money | None = option(
        "What is to be spent on water in a billing period, in its tariff's currency; settings may say it too.",
        None,
    )
    gas: Money | None = option(
        "What is to be spent on gas in a billing period, in its tariff's currency; settings may say it too.",
        None,
    )
    heat: Money | None = option(
        "What is to be spent on heat in a billing period, in its tariff's currency; settings may say it too.",
        None,
    )


class PeakPriceUseTable(Table):
    """Much used at the dearest time."""

    enabled: bool = option("Watch what is used at the dearest time, where the price follows the clock.", True)
    shiftable: Annotated[float, Field(ge=0, le=1e6)] = option(
        "Wh above the usual that are worth shifting to another time.", 500.0
    )


class TariffAdviceTable(Table):
    """Another tariff that would cost less."""

    enabled: bool = option("Compare the bills with those of other tariffs, where offers names some.", True)
    offers: Annotated[tuple[Annotated[Tariff, PlainValidator(tariff_of)], ...], Field(strict=False, max_length=8)] = (
        option("Tariffs customers may change to, by name.", ())
    )
    share: Annotated[float, Field(ge=0.01, le=1)] = option("The share of each of three bills that must be saved.", 0.05)
    cooldown: Annotated[float, lasting("0s", "1000d")] = option("How long after its end it is not told again.", "90d")


class PvFaultTable(Table):
    """A plant on the roof that makes too little."""

    enabled: bool = option("Watch what flows out of homes with a plant.", True)
    share: Annotated[float, Field(gt=0, lt=1)] = option("The share of the usual day below which a day is poor.", 0.3)
    days: Annotated[int, Field(ge=1, le=30)] = option("How many poor days in a row are told of.", 6)
    least: Annotated[float, Field(ge=0, le=1e9)] = option(
        "Wh that must usually flow out in a day, for its lack to mean something.", 1000.0
    )
    cooldown: Annotated[float, lasting("0s", "90d")] = option("How long after its end it is not told again.", "7d")
